from dataclasses import replace
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import RANK, Delivery, State, may_follow
from stagebell.domain.errors import InvalidInput
from stagebell.ports.deliveries import Guard, RunMoved
from tests.contract.examples import DEAL, at, change, commit_of, delivery, ended, pages, run
from tests.contract.worlds import PAGE_SIZE, World

STATES: tuple[State, ...] = tuple(RANK)
GUARD = Guard("run_1", DEAL, 1)


def begin(world: World, **told: Any) -> None:
    """A record of version 1 with a run."""
    commit = commit_of(world.records.load(DEAL), change("c1"), started=[run(**told)])
    assert world.records.commit(commit) == "committed"


def test_a_new_delivery_is_ours_to_send(world: World) -> None:
    begin(world)

    answer = world.deliveries.reserve(delivery(state="planned"), GUARD)

    assert answer is None
    assert world.deliveries.get("dlv_1") == delivery(state="sending")


def test_a_refused_delivery_is_recorded_as_such(world: World) -> None:
    begin(world)
    refused = delivery(state="suppressed", reason="hard_bounce", settled_at=at(1), recipient="", copies=())

    assert world.deliveries.reserve(refused, GUARD) is None
    assert world.deliveries.get("dlv_1") == refused


def test_what_a_function_answered_is_kept_as_it_was(world: World) -> None:
    begin(world)
    told = delivery(channel="function", recipient="credit-check")
    world.deliveries.reserve(told, GUARD)
    fields = {"credit": "On hold", "count": 3, "tags": ["a", "b"], "note": None, "urgent": False}
    answer = {"set": fields, "message": "ü"}

    world.deliveries.update(replace(told, state="sent", settled_at=at(1), answer=answer))

    stored = world.deliveries.get("dlv_1")
    assert stored is not None
    assert (stored.state, stored.answer) == ("sent", answer)


def test_a_delivery_that_exists_is_answered_as_stored_even_when_its_run_has_moved(world: World) -> None:
    begin(world)
    world.deliveries.reserve(delivery(person="ada"), GUARD)
    world.runs.save(ended(run()), None)

    answer = world.deliveries.reserve(delivery(person="bob"), GUARD)

    assert answer == delivery(person="ada", state="sending")
    assert world.deliveries.get("dlv_1") == answer


def test_a_run_may_deliver_while_it_is_running(world: World) -> None:
    begin(world, status="running")

    assert world.deliveries.reserve(delivery(), GUARD) is None


@pytest.mark.parametrize("status", ["paused", "completed", "failed", "cancelled", "superseded"])
def test_a_run_may_not_deliver_once_it_is(world: World, status: str) -> None:
    begin(world, status=status)

    with pytest.raises(RunMoved):
        world.deliveries.reserve(delivery(), GUARD)
    assert world.deliveries.get("dlv_1") is None


@pytest.mark.parametrize(
    ("guard", "why"),
    [
        (Guard("run_9", DEAL, 1), "there is no such run"),
        (Guard("run_1", DEAL, 0), "the record exists by now"),
        (Guard("run_1", DEAL, 2), "the record has another version"),
        (Guard("run_1", RecordKey("deal", "9"), 1), "there is no such record"),
    ],
)
def test_nothing_is_recorded_when(world: World, guard: Guard, why: str) -> None:
    begin(world)

    with pytest.raises(RunMoved):
        world.deliveries.reserve(delivery(), guard)
    assert world.deliveries.get("dlv_1") is None, why


def test_a_run_may_deliver_for_a_record_never_stored(world: World) -> None:
    begin(world)

    assert world.deliveries.reserve(delivery(), Guard("run_1", RecordKey("deal", "9"), 0)) is None


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("stored", STATES)
def test_a_state_only_moves_forward(world: World, stored: State, state: State) -> None:
    world.deliveries.update(delivery(state=stored))

    world.deliveries.update(delivery(state=state, reason="later"))

    expected = delivery(state=state, reason="later") if may_follow(state, stored) else delivery(state=stored)
    assert world.deliveries.get("dlv_1") == expected


def test_a_state_moves_back_when_it_is_told_to(world: World) -> None:
    world.deliveries.update(delivery(state="sent", message_id="m-1", reason="x", detail="y"))

    world.deliveries.update(delivery(state="planned"), forward_only=False)

    assert world.deliveries.get("dlv_1") == delivery(state="planned")


@pytest.mark.parametrize("state", ["planned", "sending", "unknown"])
def test_what_is_undecided_is_tried_again(world: World, state: State) -> None:
    world.deliveries.update(delivery(state=state, attempts=1))

    assert world.deliveries.retry(delivery(state="sending", attempts=2), 1)
    assert world.deliveries.get("dlv_1") == delivery(state="sending", attempts=2)


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (delivery(state="sending", attempts=2), "another attempt is at work"),
        (delivery(state="sent", attempts=1), "it has gone out"),
        (delivery(state="bounced", attempts=1), "it has come back"),
        (delivery(state="failed", attempts=1), "it was given up"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_tried_again_where(world: World, stored: Delivery, why: str) -> None:
    world.deliveries.update(stored)

    assert not world.deliveries.retry(delivery(state="sending", attempts=2), 1)
    assert world.deliveries.get("dlv_1") == stored


def test_a_delivery_is_found_by_its_message(world: World) -> None:
    sent = delivery(state="sent", message_id="m-1", attempts=2, parts=3, settled_at=at(2), complained_at=at(3))
    world.deliveries.update(sent)

    assert world.deliveries.by_message("m-1") == sent
    assert world.deliveries.by_message("m-2") is None
    assert world.deliveries.by_message("") is None


def test_deliveries_are_listed_by_run_and_by_record_newest_first(world: World) -> None:
    for number in range(PAGE_SIZE + 1):
        world.deliveries.update(delivery(f"dlv_{number}", minute=number))
    world.deliveries.update(delivery("other", run="run_2", record=RecordKey("deal", "8")))

    by_run = pages(lambda cursor: world.deliveries.of_run("run_1", cursor))
    by_record = pages(lambda cursor: world.deliveries.of_record(DEAL, cursor))

    assert [[d.key for d in page] for page in by_run] == [["dlv_3", "dlv_2", "dlv_1"], ["dlv_0"]]
    assert by_record == by_run


@pytest.mark.parametrize(
    ("since", "until", "keys", "why"),
    [
        (None, None, ["d4", "d3", "d2", "d1", "d0"], "no bounds"),
        (2, None, ["d4", "d3", "d2"], "the beginning is part of it"),
        (None, 2, ["d1", "d0"], "the end is not"),
        (1, 3, ["d2", "d1"], "both"),
        (2, 2, [], "nothing between"),
        (3, 1, [], "the wrong way round"),
    ],
)
def test_deliveries_are_listed_by_state_and_time(
    world: World, since: int | None, until: int | None, keys: list[str], why: str
) -> None:
    for number in range(5):
        world.deliveries.update(delivery(f"d{number}", minute=number, state="failed"))
    world.deliveries.update(delivery("other", state="sent"))
    first, end = (at(minute) if minute is not None else None for minute in (since, until))

    found = pages(lambda cursor: world.deliveries.in_state("failed", first, end, cursor))

    assert [d.key for page in found for d in page] == keys, why
    assert all(len(page) <= PAGE_SIZE for page in found)


def test_a_delivery_is_listed_under_its_newest_state(world: World) -> None:
    world.deliveries.update(delivery(state="sent"))
    world.deliveries.update(delivery(state="bounced"))

    assert world.deliveries.in_state("sent").items == ()
    assert world.deliveries.in_state("bounced").items == (delivery(state="bounced"),)


def test_a_cursor_fits_no_other_range(world: World) -> None:
    for number in range(PAGE_SIZE + 1):
        world.deliveries.update(delivery(f"d{number}", minute=number))
    cursor = world.deliveries.in_state("planned").cursor

    assert cursor is not None
    for state, since in (("sent", None), ("planned", at(1))):
        with pytest.raises(InvalidInput):
            world.deliveries.in_state(state, since, cursor=cursor)  # type: ignore[arg-type]
