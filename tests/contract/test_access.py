from dataclasses import replace
from datetime import timedelta

from stagebell.ports.access import ApiKey, Remembered
from tests.contract.examples import at, pages
from tests.contract.worlds import World

KEY = ApiKey("k1", "für alle", "operator", "hash", at(0))


def test_an_api_key_is_read_as_it_was_saved(world: World) -> None:
    world.api_keys.save(KEY)

    assert world.api_keys.get("k1") == KEY
    assert world.api_keys.get("k2") is None


def test_an_api_key_is_saved_again_when_it_is_revoked(world: World) -> None:
    world.api_keys.save(KEY)

    world.api_keys.save(replace(KEY, revoked_at=at(1)))

    assert world.api_keys.get("k1") == replace(KEY, revoked_at=at(1))


def test_api_keys_are_listed_by_id(world: World) -> None:
    for id in ("k4", "k2", "k1", "k3"):
        world.api_keys.save(replace(KEY, id=id))

    found = pages(world.api_keys.all)

    assert [[key.id for key in page] for page in found] == [["k1", "k2", "k3"], ["k4"]]


def test_a_new_request_is_ours_and_a_second_one_sees_it_at_work(world: World) -> None:
    assert world.requests.begin("r1", "same") is None
    assert world.requests.begin("r1", "other") == Remembered("same", 0, "")
    assert world.requests.begin("r2", "same") is None


def test_an_answer_is_remembered(world: World) -> None:
    world.requests.begin("r1", "same")

    world.requests.finish("r1", 201, '{"name": "ü"}')

    assert world.requests.begin("r1", "same") == Remembered("same", 201, '{"name": "ü"}')


def test_an_answer_may_be_empty_or_large(world: World) -> None:
    for key, body in (("r1", ""), ("r2", "ü" * 300_000)):
        world.requests.begin(key, "same")
        world.requests.finish(key, 200, body)

        assert world.requests.begin(key, "same") == Remembered("same", 200, body)


def test_a_forgotten_request_may_begin_again(world: World) -> None:
    world.requests.begin("r1", "same")

    world.requests.forget("r1")

    assert world.requests.begin("r1", "other") is None


def test_what_was_forgotten_or_never_began_cannot_be_finished(world: World) -> None:
    world.requests.begin("r1", "same")
    world.requests.forget("r1")

    for key in ("r1", "r2"):
        world.requests.finish(key, 200, "late")
        world.requests.forget("never")

        assert world.requests.begin(key, "same") is None


def test_an_answer_is_kept_for_24_hours(world: World) -> None:
    world.requests.begin("r1", "same")
    world.requests.finish("r1", 200, "first")
    world.clock.advance(timedelta(hours=23, minutes=59))
    kept = world.requests.begin("r1", "same")

    world.clock.advance(timedelta(minutes=2))

    assert kept == Remembered("same", 200, "first")
    assert world.requests.begin("r1", "same") is None


def test_a_request_whose_handler_died_may_begin_again_after_a_minute(world: World) -> None:
    world.requests.begin("r1", "same")
    world.clock.advance(timedelta(seconds=59))
    meanwhile = world.requests.begin("r1", "same")

    world.clock.advance(timedelta(seconds=2))

    assert meanwhile is not None
    assert world.requests.begin("r1", "same") is None
