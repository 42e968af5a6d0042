"""Writing back: a source is told of every change made here, in order per record, until it has taken it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from standardwebhooks import Webhook

from stagebell.adapters.memory.poster import Post
from stagebell.domain import write_backs
from stagebell.domain.deliveries import Delivery
from stagebell.domain.errors import (
    ChannelMisconfigured,
    DeliveryRejected,
    DeliveryUnavailable,
    DeliveryUnknown,
    QueueUnavailable,
    StagebellError,
)
from stagebell.domain.signatures import verify
from stagebell.ports.calls import Posted
from stagebell.services import write_back
from stagebell.services.replay import Replayer
from stagebell.services.write_back import LETTERS
from tests.sources import ADDRESS, CRM, RUN, Queue, ToldStage
from tests.stage import START, WON, mail, scenario

ON_SAVED = scenario("on-saved", trigger={"on": "saved"}, reentry="restart", steps=[mail("s", {"after": "3 days"})])


@pytest.fixture
def stage() -> ToldStage:
    return ToldStage()


def raising(error: Exception) -> Callable[[Post], Posted]:
    def answer(_: Post) -> Posted:
        raise error

    return answer


def test_a_change_made_here_reaches_its_source_as_a_standard_webhook(stage: ToldStage) -> None:
    stage.deed(stage=WON, amount="2", causes=(f"{RUN}9", f"{RUN}0"))

    stage.tell()

    (post,) = stage.posts
    assert post.url == ADDRESS
    assert post.headers["content-type"] == "application/json"
    assert json.loads(post.body) == {
        "type": "record.updated",
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {
            "object": "deal",
            "id": "deal-7",
            "change": f"{RUN}0:step-1",
            "occurred_at": "2026-03-02T09:00:00.000000Z",
            "version": 2,
            "fields": {"amount": "2", "stage": WON},
            "before": {"amount": "1", "stage": "Quotation in progress"},
            "causes": [f"{RUN}9", f"{RUN}0"],
            "run": f"{RUN}0",
            "step": "step-1",
            "why": "audit",
        },
    }
    (delivery,) = stage.write_backs
    assert (delivery.state, delivery.recipient, delivery.run, delivery.step) == ("sent", "crm", f"{RUN}0", "step-1")
    assert post.headers["webhook-id"] == delivery.key
    assert stage.waiting == 0


def test_it_is_signed_with_every_active_secret(stage: ToldStage) -> None:
    old, (new,) = stage.offline.secrets.of_source("crm")[0], [stage.offline.secrets.rotate("crm")]
    stage.deed(stage=WON)

    stage.tell()

    (post,) = stage.posts
    for secret in (old, new):
        assert verify(post.headers, post.body, [secret], stage.now) == post.headers["webhook-id"]


@pytest.mark.parametrize("rotated", [False, True])
def test_the_library_of_standard_webhooks_accepts_it(
    stage: ToldStage, monkeypatch: pytest.MonkeyPatch, rotated: bool
) -> None:
    """With the newest secret, and while it is being changed over with the one before."""
    if rotated:
        stage.offline.secrets.rotate("crm")
    stage.deed(stage=WON)
    stage.tell()
    (post,) = stage.posts
    secrets = stage.offline.secrets.of_source("crm")
    monkeypatch.setattr(
        "standardwebhooks.webhooks.datetime",
        type("Then", (), {"now": lambda tz: stage.now, "fromtimestamp": type(stage.now).fromtimestamp}),
    )

    assert len(secrets) == 1 + rotated
    for secret in secrets:
        assert Webhook(secret).verify(post.body, dict(post.headers)) == json.loads(post.body)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["locked"], ["record.locked"]),
        (["locked", "unlocked"], ["record.locked", "record.unlocked"]),
        (["deleted"], ["record.deleted"]),
    ],
)
def test_a_record_that_is_locked_or_deleted_is_told_of_too(
    stage: ToldStage, types: list[str], expected: list[str]
) -> None:
    for number, type in enumerate(types):
        stage.offline.clock.advance(START + timedelta(seconds=number))
        stage.deed(type=type)

    stage.tell()

    assert [body["type"] for body in stage.bodies] == expected
    assert stage.told == [{}] * len(expected)


def test_changes_of_a_record_go_in_the_order_they_were_made(stage: ToldStage) -> None:
    for amount in ("2", "3", "4"):
        stage.deed(amount=amount)
    stage.offline.teller.waiting.reverse()

    stage.tell()

    assert stage.told == [{"amount": "2"}, {"amount": "3"}, {"amount": "4"}]


@settings(max_examples=40)
@given(some.lists(some.sampled_from(["deal-7", "deal-8", "tell", "fail"]), max_size=12))
def test_whoever_commits_and_whatever_fails_each_record_is_told_in_order_and_once(steps: list[str]) -> None:
    """Two committers change two records in any order, and the consumer comes at any time between."""
    stage = ToldStage()
    stage.post("deal-8", name="Valves")
    queue, taken = Queue(stage), []
    number = 0

    def take(post: Post) -> Posted:
        taken.append((post.headers["webhook-id"], json.loads(post.body)["data"]))
        return Posted(204)

    for step in steps:
        stage.answers(500 if step == "fail" else take)
        if step in ("tell", "fail"):
            queue.run(stage.now + timedelta(seconds=10))
        else:
            number += 1
            stage.deed(record=step, count=number)
    stage.answers(take)
    queue.run(stage.now + timedelta(days=1))

    assert len({id for id, _ in taken}) == len(taken)
    for record in ("deal-7", "deal-8"):
        versions = [data["version"] for _, data in taken if data["id"] == record]
        counts = [data["fields"]["count"] for _, data in taken if data["id"] == record]
        assert versions == sorted(versions)
        assert counts[-1:] == [number for number, step in enumerate(_changes(steps), 1) if step == record][-1:]
    assert {delivery.reason for delivery in stage.write_backs} <= {"", "overtaken"}


def _changes(steps: list[str]) -> list[str]:
    return [step for step in steps if step.startswith("deal")]


def test_one_message_tells_a_number_of_changes_and_asks_for_another(stage: ToldStage) -> None:
    for number in range(LETTERS + 2):
        stage.deed(count=number + 1)
    (first, *_) = stage.offline.teller.take()
    stage.offline.teller.waiting.clear()

    assert stage.offline.write_back.carry_out(first) is None

    assert len(stage.posts) == LETTERS
    (following,) = stage.offline.teller.waiting
    assert following.version == LETTERS + 2
    stage.tell()
    assert [fields["count"] for fields in stage.told] == list(range(1, LETTERS + 3))


def test_the_message_that_goes_on_is_not_taken_for_the_one_that_came_with_the_change(
    stage: ToldStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(LETTERS + 1):
        stage.deed(count=number + 1)
    (first, *_) = stage.offline.teller.take()
    asked: list[tuple[int, str]] = []
    monkeypatch.setattr(stage.offline.teller, "tell", lambda tell, again="": asked.append((tell.version, again)))

    stage.offline.write_back.carry_out(first)

    ((version, again),) = asked
    assert version == LETTERS + 2 and again, "the queue drops what it was sent within five minutes"


def test_a_slow_source_does_not_use_up_the_time_of_the_function(stage: ToldStage) -> None:
    def slowly(_: Post) -> Posted:
        stage.offline.clock.advance(stage.now + write_back.BUDGET + timedelta(seconds=1))
        return Posted(200)

    stage.answers(slowly)
    for amount in ("2", "3"):
        stage.deed(amount=amount)
    (first, *_) = stage.offline.teller.take()
    stage.offline.teller.waiting.clear()

    assert stage.offline.write_back.carry_out(first) is None

    assert len(stage.posts) == 1
    assert len(stage.offline.teller.waiting) == 1


@pytest.mark.parametrize(
    ("answer", "reason", "why"),
    [
        (500, "delivery_unavailable", "it has trouble"),
        (404, "delivery_unavailable", "an address that is not there yet"),
        (302, "delivery_unavailable", "redirects are not followed"),
        (raising(DeliveryUnavailable("nobody there")), "delivery_unavailable", "nothing arrived"),
        (raising(DeliveryUnknown("lost")), "delivery_unknown", "it may have arrived; the webhook-id tells"),
    ],
)
def test_what_is_not_taken_is_tried_again_under_the_same_id(
    stage: ToldStage, answer: Callable[[Post], Posted] | int, reason: str, why: str
) -> None:
    stage.answers(answer)
    stage.deed(stage=WON)
    queue = Queue(stage)
    queue.run(stage.now)
    (waiting,) = stage.write_backs
    stage.answers(200)

    queue.run(stage.now + timedelta(seconds=10))

    assert (waiting.state, waiting.reason) == ("planned", reason), why
    assert waiting.due_at == START + timedelta(seconds=5)
    assert stage.states == [("sent", "")]
    first, second = stage.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.body == second.body


def test_it_is_tried_for_three_days_with_growing_pauses_then_given_up(stage: ToldStage) -> None:
    tried, noted = [], []
    stage.offline.write_back = replace(stage.offline.write_back, note=noted.append)

    def refuse(_: Post) -> Posted:
        tried.append(stage.now - START)
        return Posted(503)

    stage.answers(refuse)
    stage.deed(stage=WON)
    queue = Queue(stage)

    queue.run(START + timedelta(days=4))

    hours = [round(age / timedelta(hours=1), 2) for age in tried]
    assert hours == [0, 0, 0.08, 0.58, 2.58, 7.58, 17.58, 31.58, 51.58, 72.0]
    assert stage.states == [("failed", "gave_up")]
    assert [delivery.state for delivery in noted] == ["planned"] * 9 + ["failed"]
    assert "answered 503" in stage.write_backs[0].detail
    assert stage.waiting == 0
    assert queue.received < [50], "else the message becomes a dead letter before the three days are over"


def test_an_endpoint_that_asks_to_be_left_alone_is(stage: ToldStage) -> None:
    stage.answers(lambda _: Posted(429, retry_after=3600))
    stage.deed(stage=WON)

    stage.tell()

    assert stage.write_backs[0].due_at == START + timedelta(hours=1)


@pytest.mark.parametrize(
    ("attempts", "age", "asked", "chance", "expected", "why"),
    [
        (1, 0, None, 0.0, 5, "the first pause"),
        (1, 0, None, 1.0, 5.5, "those that failed together are spread by a tenth"),
        (2, 5, None, 0.0, 305, "the second"),
        (1, 0, 60, 0.0, 60, "the receiver asked for more"),
        (2, 0, 60, 0.0, 300, "or for less"),
        (40, 0, None, 0.0, 86_400, "the longest"),
        (9, 250_000, None, 0.0, 259_200, "the last attempt is made as the three days end"),
        (9, 250_000, 86_400, 0.0, 259_200, "whatever the receiver asks for"),
        (9, 259_200, None, 0.0, None, "then no more"),
    ],
)
def test_when_it_is_tried_again(
    attempts: int, age: int, asked: int | None, chance: float, expected: float | None, why: str
) -> None:
    due = write_backs.next_try(attempts, START + timedelta(seconds=age), START, chance, asked)

    assert due == (START + timedelta(seconds=expected) if expected is not None else None), why


def test_nothing_later_of_the_record_goes_out_before_and_other_records_do_not_wait(stage: ToldStage) -> None:
    stage.post("deal-8", name="Valves")
    stage.answers(lambda post: Posted(500 if b"deal-7" in post.body else 200))
    stage.deed(amount="2")
    stage.deed(count=1)
    stage.deed(record="deal-8", count=2)

    stage.tell()
    stage.tell()

    assert [(body["data"]["id"], *body["data"]["fields"]) for body in stage.bodies] == [
        ("deal-7", "amount"),
        ("deal-8", "count"),
    ]
    assert stage.waiting == 2


def test_what_comes_after_a_letter_that_was_given_up_goes_on_with_a_message_of_its_own(stage: ToldStage) -> None:
    stage.answers(lambda post: Posted(500 if b'"amount"' in post.body else 200))
    stage.deed(amount="2")
    stage.deed(count=1)
    queue = Queue(stage)

    queue.run(START + timedelta(days=4))

    assert stage.states == [("failed", "gave_up"), ("sent", "")]
    assert stage.waiting == 0


def test_many_letters_that_fail_one_after_the_other_never_use_up_a_message(stage: ToldStage) -> None:
    stage.answers(500)
    queue = Queue(stage)
    for day in range(8):
        queue.run(START + timedelta(days=day))
        stage.deed(count=day + 1)

    queue.run(START + timedelta(days=30))

    assert {delivery.reason for delivery in stage.write_backs} == {"gave_up", "overtaken"}
    assert stage.waiting == 0
    assert max(queue.received) < 50


def test_a_source_that_is_gone_is_not_posted_to_until_an_operator_allows_it_again(stage: ToldStage) -> None:
    stage.answers(410)
    for amount in ("2", "3"):
        stage.deed(amount=amount)
    stage.tell()
    stage.answers(200)
    stage.deed(amount="4")
    stage.tell()
    still = len(stage.posts)
    stage.offline.suppressions.remove("webhook", ADDRESS)
    stage.deed(amount="5")

    stage.tell()

    assert still == 1
    assert stage.states == [("failed", "gone")] * 3 + [("sent", "")]
    assert stage.told[-1] == {"amount": "5"}


@pytest.mark.parametrize(
    ("prepare", "state", "reason", "why"),
    [
        (lambda stage: stage.activate({**CRM, "write_back": None}), "suppressed", "no_write_back", "not any more"),
        (lambda stage: stage.answers(raising(DeliveryRejected("private"))), "failed", "delivery_rejected", "private"),
        (lambda stage: _secrets(stage, ()), "failed", "channel_misconfigured", "no secret"),
        (
            lambda stage: _secrets(stage, ChannelMisconfigured("rotate it")),
            "failed",
            "channel_misconfigured",
            "a secret that is none",
        ),
        (lambda stage: _secrets(stage, QueueUnavailable("busy")), "planned", "queue_unavailable", "tried again"),
        (lambda stage: stage.offline.records._history.clear(), "failed", "change_forgotten", "history has aged out"),
    ],
)
def test_what_cannot_be_told_says_why(
    stage: ToldStage, prepare: Callable[[ToldStage], None], state: str, reason: str, why: str
) -> None:
    stage.deed(stage=WON)
    prepare(stage)

    stage.tell()

    assert stage.states == [(state, reason)], why
    assert stage.waiting == (state == "planned")
    assert stage.write_backs[0].detail


def _secrets(stage: ToldStage, given: tuple[str, ...] | StagebellError) -> None:
    def of_source(source: str, *, fresh: bool = False) -> tuple[str, ...]:
        if isinstance(given, StagebellError):
            raise given
        return given

    stage.offline.secrets.of_source = of_source  # type: ignore[method-assign]


def test_what_failed_for_want_of_a_secret_says_how_to_make_one(stage: ToldStage) -> None:
    _secrets(stage, ())
    stage.deed(stage=WON)

    stage.tell()

    assert "stagebell secrets rotate crm" in stage.write_backs[0].detail


# --- what a crash leaves behind ------------------------------------------------------------------------------------


class CrashError(Exception):
    """The process has died."""


def test_a_message_that_was_sent_by_a_process_that_died_is_sent_again_under_the_same_id(stage: ToldStage) -> None:
    stage.answers(raising(CrashError()))
    stage.deed(stage=WON)
    with pytest.raises(CrashError):
        stage.tell()
    left = stage.write_backs[0].state
    stage.answers(200)
    stage.deed(count=1)

    stage.tell()

    first, again, _ = stage.posts
    assert left == "sending"
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert stage.states == [("sent", ""), ("sent", "")]


def test_a_letter_that_is_still_in_the_outbox_though_it_was_taken_is_not_sent_again(
    stage: ToldStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: object) -> None:
        raise CrashError

    stage.deed(stage=WON)
    (tell,) = stage.offline.teller.waiting
    with monkeypatch.context() as patch:
        patch.setattr(stage.offline.outbox, "done", die)
        with pytest.raises(CrashError):
            stage.tell()

    stage.offline.write_back.carry_out(tell)

    assert len(stage.posts) == 1
    assert stage.waiting == 0


def test_a_message_that_comes_before_its_time_goes_back_to_wait(stage: ToldStage) -> None:
    stage.answers(500)
    stage.deed(stage=WON)
    (tell,) = stage.offline.teller.waiting
    stage.tell()

    again = stage.offline.write_back.carry_out(tell)

    assert again == START + timedelta(seconds=5)
    assert len(stage.posts) == 1


def test_an_address_that_was_found_gone_by_a_process_that_died_stays_so(
    stage: ToldStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise CrashError

    stage.answers(410)
    stage.deed(stage=WON)
    (tell,) = stage.offline.teller.waiting
    with monkeypatch.context() as patch:
        patch.setattr(stage.offline.deliveries, "update", die)
        with pytest.raises(CrashError):
            stage.tell()

    stage.offline.write_back.carry_out(tell)

    assert stage.states == [("failed", "gone")]
    assert len(stage.posts) == 1


def test_ending_a_step_leaves_its_write_back_alone(stage: ToldStage) -> None:
    """A step that is given up settles its deliveries; a write-back is not one of them."""
    from stagebell.services.deliver import Courier

    stage.answers(500)
    stage.deed(stage=WON)
    stage.tell()
    courier = Courier(stage.offline.deliveries, stage.offline.clock)

    courier.give_up(type("Run", (), {"id": f"{RUN}0"})(), None, "execution_failed")  # type: ignore[arg-type]

    assert stage.states == [("planned", "delivery_unavailable")]


# --- who wins ------------------------------------------------------------------------------------------------------


def test_a_newer_value_of_the_source_wins_over_what_it_is_still_being_told(stage: ToldStage) -> None:
    stage.answers(500)
    stage.deed(stage=WON)
    stage.tell()

    conflict = stage.post(stage="Lost", at=stage.now + timedelta(seconds=2))
    stage.answers(200)
    Queue(stage).run(stage.now + timedelta(hours=1))

    assert conflict.note == "overtakes_write_back"
    assert stage.record().fields["stage"] == "Lost"
    assert stage.states == [("suppressed", "overtaken")]
    assert len(stage.posts) == 1
    assert stage.waiting == 0


def test_only_the_fields_that_were_overtaken_are_left_out(stage: ToldStage) -> None:
    stage.deed(stage=WON, amount="2")
    stage.post(stage="Lost", at=stage.now + timedelta(seconds=2))

    stage.tell()

    assert stage.told == [{"amount": "2"}]
    assert stage.bodies[0]["data"]["before"] == {"amount": "1"}


def test_a_value_that_the_source_has_repeated_already_is_no_conflict(stage: ToldStage) -> None:
    """It arrived, but the answer was lost: the echo was faster than the second attempt."""
    stage.answers(raising(DeliveryUnknown("lost")))
    stage.deed(stage=WON)
    stage.tell()
    stage.post(stage=WON, at=stage.now + timedelta(seconds=2))
    stage.answers(200)

    Queue(stage).run(stage.now + timedelta(minutes=1))

    assert stage.states == [("sent", "")]


def test_a_record_that_the_source_has_deleted_is_not_told_of(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    stage.post(type_="deleted", at=stage.now + timedelta(seconds=2))

    stage.tell()

    assert stage.states == [("suppressed", "overtaken")]


def test_what_goes_out_late_says_only_what_still_holds(stage: ToldStage) -> None:
    stage.answers(500)
    stage.deed(stage="Lost", amount="2")
    stage.deed(stage=WON)
    queue = Queue(stage)
    queue.run(START + timedelta(minutes=2))
    stage.answers(200)

    queue.run(START + timedelta(minutes=20))

    assert stage.told[-2:] == [{"amount": "2"}, {"stage": WON}]


def test_the_echo_of_what_went_out_late_starts_nothing(stage: ToldStage) -> None:
    stage.activate(ON_SAVED)
    stage.answers(500)
    stage.deed(stage=WON, amount="2")
    queue = Queue(stage)
    queue.run(START + timedelta(hours=2))
    stage.answers(200)
    queue.run(START + timedelta(hours=3))
    (told,) = stage.write_backs
    assert told.settled_at is not None

    moments = [told.settled_at + timedelta(seconds=seconds) for seconds in (1, 2)]
    echoes = [stage.post(stage=WON, amount="2", name="Pumps", at=moment) for moment in moments]

    assert stage.states == [("sent", "")]
    assert [(echo.event, echo.evaluations) for echo in echoes] == [("echo", ())] * 2


def test_the_echo_of_an_attempt_whose_answer_was_lost_starts_nothing(stage: ToldStage) -> None:
    stage.activate(ON_SAVED)
    stage.answers(500)
    stage.deed(stage=WON)
    queue = Queue(stage)
    queue.run(START + timedelta(minutes=20))
    stage.answers(raising(DeliveryUnknown("lost")))
    queue.run(START + timedelta(minutes=40))

    echo = stage.post(stage=WON, at=stage.now + timedelta(seconds=1))

    assert (echo.event, echo.evaluations) == ("echo", ())


def test_what_was_left_out_of_a_late_write_back_is_no_echo(stage: ToldStage) -> None:
    stage.answers(500)
    stage.deed(stage=WON, amount="2")
    queue = Queue(stage)
    queue.run(START + timedelta(minutes=20))
    stage.post(stage="Lost")
    stage.answers(200)
    queue.run(START + timedelta(minutes=40))

    edit = stage.post(stage=WON, at=stage.now + timedelta(seconds=1))

    assert stage.told[-1] == {"amount": "2"}
    assert edit.event == "updated"


def test_the_echo_of_a_replay_starts_nothing(stage: ToldStage) -> None:
    stage.activate(ON_SAVED)
    stage.answers(500)
    stage.deed(stage=WON)
    stage.deed(type="locked")
    queue = Queue(stage)
    queue.run(START + timedelta(days=5))
    stage.answers(200)
    off = stage.offline
    replayer = Replayer(off.records, off.outbox, off.deliveries, off.teller, off.clock)
    for given_up in stage.write_backs:
        replayer.replay(given_up.key)
    stage.tell()

    echoes = [stage.post(name="Pumps", **said, at=stage.now + timedelta(seconds=1)) for said in ({"stage": WON}, {})]

    assert stage.states == [("sent", "")] * 2
    assert [echo.event for echo in echoes] == ["echo", "echo"]


def test_a_source_that_never_reported_the_record_is_not_told(stage: ToldStage) -> None:
    stage.activate({**CRM, "name": "erp"})
    stage.deed(stage=WON)

    stage.tell()

    assert {delivery.recipient for delivery in stage.write_backs} == {"crm"}


def test_each_source_has_a_key_of_its_own(stage: ToldStage) -> None:
    stage.activate({**CRM, "name": "erp"})
    stage.offline.secrets.rotate("erp")
    stage.post(source_="erp", count=1)
    stage.deed(stage=WON)

    stage.tell()

    keys: set[Delivery | str] = {post.headers["webhook-id"] for post in stage.posts}
    assert len(keys) == len(stage.posts) == 2
