"""Write-backs over HTTP: dead letters are seen, and told once more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stagebell.domain.deliveries import Delivery, State
from stagebell.domain.orders import Tell
from stagebell.runtime import wiring
from stagebell.services.replay import Replayer
from tests.sources import ADDRESS, CRM, ToldStage
from tests.stage import START, WON
from tests.unit.api_calls import Answer, Api, make_api


@pytest.fixture
def stage() -> ToldStage:
    return ToldStage()


@pytest.fixture
def api(stage: ToldStage, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API of the stage's own Stagebell."""
    off = stage.offline
    own = {name: getattr(off, name) for name in ("records", "runs", "deliveries", "teller", "outbox", "clock")}
    ports = replace(make_api().ports, catalog=off.catalog, suppressions=off.suppressions, **own)
    monkeypatch.setattr(wiring, "api", lambda: ports)
    return Api(ports, off.clock)


def gave_up(stage: ToldStage, /, **fields: object) -> str:
    """A change that its source could not be told; its key."""
    stage.answers(410)
    stage.deed(**(fields or {"stage": WON}))
    stage.tell()
    stage.answers(200)
    stage.offline.suppressions.remove("webhook", ADDRESS)
    return stage.write_backs[-1].key


def replay(api: Api, key: str, **more: object) -> Answer:
    return api.post(f"/v1/write-backs/{key}/replay", **more)


def test_dead_letters_are_listed_with_the_reason(stage: ToldStage, api: Api) -> None:
    key = gave_up(stage)
    stage.deed(amount="2")
    stage.tell()

    (letter,) = api.get("/v1/write-backs", role="viewer").json["items"]
    (sent,) = api.get("/v1/write-backs", "state=sent").json["items"]

    assert letter == {
        "key": key,
        "source": "crm",
        "record": {"object": "deal", "id": "deal-7"},
        "change": stage.write_backs[0].change,
        "run": stage.write_backs[0].run,
        "step": "step-1",
        "state": "failed",
        "reason": "gone",
        "detail": f"{ADDRESS} answered 410: it is not written to until it is allowed again",
        "attempts": 1,
        "planned_at": "2026-03-02T09:00:00Z",
        "settled_at": "2026-03-02T09:00:00Z",
        "due_at": None,
    }
    assert sent["state"] == "sent"


def test_other_deliveries_are_not_among_them_and_a_cursor_leads_through_all(stage: ToldStage, api: Api) -> None:
    for number in range(3):
        gave_up(stage, count=number + 1)
    (one, *_) = stage.write_backs
    stage.offline.deliveries.update(replace(one, key="dlv_mail", channel="email", change=""))
    stage.offline.deliveries._page_size = 2

    first = api.get("/v1/write-backs").json
    second = api.get("/v1/write-backs", f"cursor={first['cursor']}").json

    assert sorted(d["change"][-6:] for d in first["items"] + second["items"]) == ["step-1", "step-2", "step-3"]
    assert second["cursor"] is None


def test_a_state_that_is_none_is_refused(api: Api) -> None:
    assert api.get("/v1/write-backs", "state=lost").status == 422


def test_a_replayed_write_back_goes_out_under_its_old_key_and_is_tried_for_three_more_days(
    stage: ToldStage, api: Api
) -> None:
    key = gave_up(stage)
    stage.offline.clock.advance(START + timedelta(days=10))

    answer = replay(api, key, role="operator")
    stage.tell()

    assert (answer.status, answer.json["state"], answer.json["reason"]) == (200, "planned", "")
    assert answer.json["planned_at"] == "2026-03-12T09:00:00Z"
    assert stage.states == [("sent", "")]
    assert [post.headers["webhook-id"] for post in stage.posts] == [key, key]
    assert stage.posts[0].body == stage.posts[1].body
    assert stage.waiting == 0


def test_a_replay_that_fails_again_is_given_up_after_three_more_days(stage: ToldStage, api: Api) -> None:
    from tests.sources import Queue

    key = gave_up(stage)
    queue = Queue(stage)
    queue.run(START + timedelta(days=10))
    stage.answers(500)

    replay(api, key)
    queue.run(START + timedelta(days=12, hours=23))
    before = stage.states
    queue.run(START + timedelta(days=14))

    assert before == [("planned", "delivery_unavailable")]
    assert stage.states == [("failed", "gave_up")]


def test_what_newer_values_have_replaced_is_not_told_and_says_so(stage: ToldStage, api: Api) -> None:
    key = gave_up(stage)
    stage.post(stage="Lost", at=stage.now + timedelta(minutes=5))

    answer = replay(api, key)
    stage.tell()

    assert (answer.status, answer.json["state"], answer.json["reason"]) == (200, "suppressed", "overtaken")
    assert api.get("/v1/write-backs").json["items"] == []
    assert len(stage.posts) == 1


def test_an_old_value_is_not_told_after_a_newer_one_of_our_own(stage: ToldStage, api: Api) -> None:
    """The newer one has reached the source: told again, the older one would undo it."""
    key = gave_up(stage, stage=WON, count=5)
    stage.deed(stage="Lost")
    stage.tell()
    stage.offline.clock.advance(START + timedelta(seconds=1))

    replay(api, key)
    stage.tell()

    assert stage.told[1:] == [{"stage": "Lost"}, {"count": 5}]


def test_a_lock_that_was_lifted_since_is_not_told_again(stage: ToldStage, api: Api) -> None:
    key = gave_up(stage, type="locked")
    stage.offline.clock.advance(START + timedelta(minutes=1))
    stage.deed(type="unlocked")
    stage.tell()

    assert replay(api, key).json["reason"] == "overtaken"


@pytest.mark.parametrize("state", ["sending", "sent", "suppressed", "unknown"])
def test_only_what_has_failed_can_be_replayed(stage: ToldStage, api: Api, state: State) -> None:
    key = gave_up(stage)
    stage.offline.deliveries.update(replace(stage.write_backs[0], state=state), forward_only=False)

    answer = replay(api, key)

    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert state in answer.json["detail"]


def test_what_is_tried_again_by_itself_is_not_replayed(stage: ToldStage, api: Api) -> None:
    stage.answers(500)
    stage.deed(stage=WON)
    stage.tell()

    assert replay(api, stage.write_backs[0].key).status == 409


def test_a_replay_that_died_before_it_was_queued_may_be_made_again(
    stage: ToldStage, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise RuntimeError("the process has died")

    key = gave_up(stage)
    with monkeypatch.context() as patch:
        patch.setattr(stage.offline.outbox, "put_back", die)
        assert replay(api, key).status == 500

    answer = replay(api, key)
    stage.tell()

    assert answer.status == 200
    assert stage.states == [("sent", "")]


def test_the_message_of_a_replay_is_another_than_that_of_the_change(stage: ToldStage) -> None:
    """The queue would take it for a double, if it were replayed within five minutes."""
    told: list[tuple[Tell, str]] = []

    class Teller:
        def tell(self, tell: Tell, again: str = "") -> None:
            told.append((tell, again))

    key = gave_up(stage)
    off = stage.offline

    Replayer(off.records, off.outbox, off.deliveries, Teller(), off.clock).replay(key)

    ((tell, again),) = told
    assert (tell.source, tell.version) == ("crm", 2)
    assert again


@pytest.mark.parametrize("key", ["dlv_nothing", "dlv_mail"])
def test_what_is_no_write_back_is_not_found(stage: ToldStage, api: Api, key: str) -> None:
    gave_up(stage)
    mail: Delivery = replace(stage.write_backs[0], key="dlv_mail", channel="email")
    stage.offline.deliveries.update(mail)

    assert replay(api, key).status == 404


def test_a_change_that_has_aged_out_cannot_be_told(stage: ToldStage, api: Api) -> None:
    key = gave_up(stage)
    assert stage.offline.records._history is not None
    stage.offline.records._history.clear()

    assert replay(api, key).status == 409


def test_a_source_that_was_switched_off_meanwhile_is_not_told(stage: ToldStage, api: Api) -> None:
    key = gave_up(stage)
    stage.activate({**CRM, "write_back": None})

    replay(api, key)
    stage.tell()

    assert stage.states == [("suppressed", "no_write_back")]


def test_what_a_source_missed_while_it_was_switched_off_can_be_replayed(stage: ToldStage, api: Api) -> None:
    stage.deed(stage=WON)
    stage.activate({**CRM, "write_back": None})
    stage.tell()
    stage.activate(CRM)

    answer = replay(api, stage.write_backs[0].key)
    stage.tell()

    assert (answer.status, answer.json["state"]) == (200, "planned")
    assert stage.states == [("sent", "")]
    assert stage.told == [{"stage": WON}]


@pytest.mark.parametrize("role", ["viewer", "integrator"])
def test_replaying_takes_an_operator(stage: ToldStage, api: Api, role: str) -> None:
    assert replay(api, gave_up(stage), role=role).status == 403
