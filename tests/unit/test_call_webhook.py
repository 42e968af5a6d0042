"""The action call_webhook: what is posted, how it is signed, and what each answer of the receiver means."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from stagebell.adapters.memory.poster import Post
from stagebell.domain import signatures
from stagebell.domain.deliveries import Delivery
from stagebell.domain.errors import DeliveryRejected, DeliveryThrottled, DeliveryUnavailable, DeliveryUnknown
from stagebell.domain.executions import Task
from stagebell.ports.calls import Posted
from stagebell.services.deliver import RESENDS
from stagebell.services.webhooks import BODY_LIMIT, encoded, message
from tests.stage import START, UNASSIGNED, Stage

EVENTS = Path(__file__).parents[2] / "events"
URL = "https://hooks.example.com/in?token=t"


def workflow(name: str = "tell-billing", **more: Any) -> dict[str, Any]:
    top = {key: more.pop(key) for key in ("trigger", "on_unknown") if key in more}
    action = {"name": "call-it", "type": "call_webhook", "url": URL, "secret": "billing", **more}
    return {
        "kind": "workflow",
        "name": name,
        "object": "deal",
        "trigger": {"on": "created"},
        **top,
        "actions": [action],
    }


def due(*definitions: dict[str, Any], **fields: Any) -> Stage:
    """A deal whose webhook is due, and not yet posted."""
    stage = Stage(*(definitions or (workflow(),)))
    stage.post(type_="created", **{"name": "Pumps", "amount": "4800", "stage": UNASSIGNED, **fields})
    return stage


def called(*definitions: dict[str, Any], **fields: Any) -> Stage:
    stage = due(*definitions, **fields)
    stage.advance(seconds=1)
    return stage


def act(stage: Stage, **more: Any) -> None:
    task = Task(stage.runs()[0].id, "call-it", 1, START, **more)
    stage.offline.actor.act(task, stage.offline.actions["call_webhook"])


def answering(stage: Stage, *answers: Any) -> Stage:
    """The receiver answers with these, one after the other; the last one is repeated."""
    left = list(answers)

    def answer(_: Post) -> Posted:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, BaseException):
            raise found
        return Posted(found) if isinstance(found, int) else found

    stage.offline.poster.answer = answer
    return stage


def posted(stage: Stage) -> Post:
    (post,) = stage.offline.poster.posted
    return post


def body(stage: Stage) -> Any:
    return json.loads(posted(stage).body)


def only(stage: Stage) -> Delivery:
    (delivery,) = stage.deliveries
    return delivery


def step(stage: Stage) -> Any:
    return stage.runs()[0].steps[0]


# --- what is posted


def test_without_a_body_of_its_own_the_record_is_posted() -> None:
    stage = called(tags=["hot"], urgent=False)

    assert posted(stage).url == URL
    assert body(stage) == {
        "type": "stagebell.tell_billing.call_it",
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {
            "object": "deal",
            "id": "deal-7",
            "fields": {"name": "Pumps", "amount": "4800", "stage": UNASSIGNED, "tags": ["hot"], "urgent": False},
            "run": stage.runs()[0].id,
            "definition": "tell-billing",
            "step": "call-it",
        },
    }


def test_what_is_posted_today_has_the_keys_of_the_released_sample() -> None:
    sample = json.loads((EVENTS / "webhooks/v1/call_webhook.json").read_text())

    told = body(called())

    assert (told.keys(), told["data"].keys()) == (sample.keys(), sample["data"].keys())


def test_a_deleted_record_is_posted_as_it_was() -> None:
    stage = Stage(workflow(trigger={"on": "deleted"}))
    stage.post(type_="created", name="Pumps")
    stage.post(type_="deleted")

    stage.advance(seconds=1)

    assert body(stage)["data"]["fields"] == {"name": "Pumps"}


@pytest.mark.parametrize(
    ("type", "written"),
    [
        ("stagebell.a-b.c-d", "stagebell.a_b.c_d"),
        ("record.updated", "record.updated"),
        ("stagebell.überfällig.x", "stagebell._berf_llig.x"),
    ],
)
def test_a_type_has_only_the_characters_that_a_type_may_have(type: str, written: str) -> None:
    assert message(type, START, {})["type"] == written


def test_the_texts_of_a_body_are_templates_and_everything_else_stays_as_it_is() -> None:
    own = {
        "text": "{{ deal.name }} for {{ record.account.name }}",
        "count": 3,
        "rate": 0.25,
        "urgent": True,
        "nothing": None,
        "nested": {"list": ["{{ deal.amount }}", 7, {"deep": "{{ Project.name }}"}], "empty": {}},
        "{{ key }}": "plain",
    }
    stage = Stage(workflow(body=own))
    stage.post("a1", object="account", name="Müller & Söhne")
    stage.post(type_="created", name='A "quoted"\nname', amount="4800.50", account="a1")

    stage.advance(seconds=1)

    assert body(stage) == {
        "text": 'A "quoted"\nname for Müller & Söhne',
        "count": 3,
        "rate": 0.25,
        "urgent": True,
        "nothing": None,
        "nested": {"list": ["€4,800.50", 7, {"deep": 'A "quoted"\nname'}], "empty": {}},
        "{{ key }}": "plain",
    }


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ({"text": "{{ deal.name / 5 }}"}, "render_failed"),
        ({"text": "{{ deal.due_on | date('no format') }}"}, "template_error"),
        ({f"t{n}": "{% for c in deal.name %}{{ deal.name }}{% endfor %}" for n in range(40)}, "render_failed"),
        ({f"k{n}": "x" * 60_000 for n in range(5)}, "render_failed"),
    ],
    ids=["an operation that cannot be", "a format that is none", "texts too large together", "too large as it is"],
)
def test_a_body_that_cannot_be_made_fails_the_step_and_nothing_is_recorded_as_sent(
    own: dict[str, str], code: str
) -> None:
    stage = called(workflow(body=own), name="x" * 150, due_on="2026-03-02")

    assert (step(stage).status, step(stage).reason) == ("failed", code)
    assert (stage.deliveries, stage.offline.poster.posted) == ([], [])


def test_numbers_are_written_as_json_has_them() -> None:
    assert encoded({"a": Decimal(7), "b": Decimal("0.5"), "c": "ü"}) == '{"a":7,"b":0.5,"c":"ü"}'.encode()
    with pytest.raises(TypeError, match="datetime is no JSON"):
        encoded({"at": START})


def test_a_body_of_the_limit_is_posted_and_one_more_byte_is_not() -> None:
    from stagebell.domain.errors import RenderFailed

    frame = len(encoded({"a": ""}))

    assert len(encoded({"a": "x" * (BODY_LIMIT - frame)})) == BODY_LIMIT
    with pytest.raises(RenderFailed, match="the limit is 262,144"):
        encoded({"a": "x" * (BODY_LIMIT - frame + 1)})


# --- how it is signed


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library looks at the clock of this machine; the stack's clock shows the same."""
    from datetime import UTC, datetime

    from stagebell.adapters.memory.clock import VirtualClock

    monkeypatch.setattr(VirtualClock, "real_now", lambda self: datetime.now(UTC))
    yield


@pytest.mark.usefixtures("real_time")
def test_a_receiver_with_either_secret_can_check_the_signature() -> None:
    stage = due()
    old = stage.offline.secrets.rotate_webhook("billing")
    new = stage.offline.secrets.rotate_webhook("billing")

    stage.advance(seconds=1)

    post = posted(stage)
    for secret in (old, new):
        assert Webhook(secret).verify(post.body, dict(post.headers)) == json.loads(post.body)
    assert len(post.headers["webhook-signature"].split(" ")) == 2
    assert post.headers["content-type"] == "application/json"
    assert post.headers["webhook-id"] == only(stage).key


def test_the_time_of_a_signature_is_real_time_whatever_the_clock_of_the_stack_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = due()
    real = START + timedelta(days=1_000)
    monkeypatch.setattr(type(stage.offline.clock), "real_now", lambda self: real)

    stage.advance(seconds=1)

    assert posted(stage).headers["webhook-timestamp"] == str(int(real.timestamp()))
    assert body(stage)["timestamp"] == "2026-03-02T09:00:00Z"


def test_our_own_receiver_takes_what_we_sign() -> None:
    stage = called()
    (secret,) = stage.offline.secrets.of_webhook("billing")

    post = posted(stage)

    assert signatures.verify(post.headers, post.body, [secret], stage.now) == only(stage).key


def test_a_secret_that_was_never_made_is_an_outcome_that_says_how_to_make_it() -> None:
    stage = due()
    stage.offline.secrets.ready = False

    stage.advance(seconds=1)

    assert (step(stage).status, step(stage).reason) == ("failed", "channel_misconfigured")
    assert "stagebell secrets rotate billing --webhook" in only(stage).detail
    assert stage.offline.poster.posted == []


# --- what the answer means


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_means_that_it_was_taken(status: int) -> None:
    stage = answering(due(), status)

    stage.advance(seconds=1)

    assert (only(stage).state, only(stage).channel, only(stage).recipient) == ("sent", "webhook", URL)
    assert (step(stage).status, step(stage).deliveries) == ("acted", (only(stage).key,))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (301, "redirects are not followed"),
        (302, "redirects are not followed"),
        (307, "redirects are not followed"),
        (400, "it does not take this message"),
        (401, "it does not take this message"),
        (403, "it does not take this message"),
        (404, "it does not take this message"),
        (413, "it does not take this message"),
        (422, "it does not take this message"),
    ],
)
def test_what_the_receiver_refuses_fails_the_step_with_the_status(status: int, said: str) -> None:
    stage = answering(due(), status)

    stage.advance(seconds=1)

    assert (only(stage).state, only(stage).reason) == ("failed", "delivery_rejected")
    assert f"answered {status}: " in only(stage).detail and said in only(stage).detail
    assert (step(stage).status, step(stage).reason) == ("failed", "delivery_rejected")
    assert len(stage.offline.poster.posted) == 1


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (429, DeliveryThrottled, "too many"),
        (Posted(429, 30), DeliveryThrottled, "too many, with a time"),
        (Posted(503, 30), DeliveryThrottled, "not now, with a time"),
        (503, DeliveryUnavailable, "not now"),
        (500, DeliveryUnavailable, "it crashed"),
        (502, DeliveryUnavailable, "its gateway found nobody"),
        (504, DeliveryUnavailable, "its gateway waited in vain"),
        (599, DeliveryUnavailable, "any 5xx"),
        (408, DeliveryUnavailable, "it waited for us in vain"),
        (425, DeliveryUnavailable, "too early"),
        (DeliveryUnavailable("nobody there"), DeliveryUnavailable, "no connection"),
        (DeliveryUnknown("no answer"), DeliveryUnavailable, "a lost answer: the receiver knows the id"),
    ],
)
def test_what_may_pass_is_tried_again_with_the_same_id(answer: Any, error: type[Exception], reason: str) -> None:
    stage = answering(due(), answer, 200)

    with pytest.raises(error):
        act(stage)
    between = only(stage).state
    act(stage)

    assert between in ("planned", "unknown"), reason
    assert (only(stage).state, only(stage).attempts, step(stage).status) == ("sent", 2, "acted")
    first, second = stage.offline.poster.posted
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_how_long_the_receiver_wants_to_wait_is_kept() -> None:
    stage = answering(due(), Posted(429, 30))

    with pytest.raises(DeliveryThrottled, match="wants nothing for 30 seconds"):
        act(stage)

    assert "30 seconds" in only(stage).detail


def test_an_answer_that_is_lost_every_time_is_given_up_as_unknown() -> None:
    stage = answering(due(), DeliveryUnknown("no answer"))

    for _ in range(RESENDS - 1):
        with pytest.raises(DeliveryUnavailable):
            act(stage)
    act(stage)

    assert (only(stage).state, step(stage).reason) == ("unknown", "delivery_unknown")
    assert len(stage.offline.poster.posted) == RESENDS


def test_an_address_that_may_not_be_posted_to_fails_the_step() -> None:
    stage = answering(due(), DeliveryRejected("hooks.example.com leads to 10.0.0.7, which is no public address"))

    stage.advance(seconds=1)

    assert (step(stage).status, only(stage).reason) == ("failed", "delivery_rejected")
    assert "no public address" in only(stage).detail


def test_an_address_that_is_gone_is_not_posted_to_again() -> None:
    stage = answering(due(), 410)
    stage.advance(seconds=1)
    first = only(stage)

    stage.post("deal-8", type_="created", name="Valves")
    stage.advance(seconds=1)

    assert (first.state, first.reason) == ("failed", "delivery_rejected")
    assert "410" in first.detail
    (second,) = [delivery for delivery in stage.deliveries if delivery.record.id == "deal-8"]
    (run,) = stage.runs("deal-8")
    assert (second.state, second.reason, second.attempts) == ("suppressed", "gone", 0)
    assert (run.steps[0].status, run.steps[0].reason) == ("skipped", "gone")
    assert len(stage.offline.poster.posted) == 1


def test_an_address_that_an_operator_took_off_the_list_is_posted_to_again() -> None:
    stage = answering(due(), 410, 200)
    stage.advance(seconds=1)

    stage.offline.suppressions.remove("webhook", URL)
    stage.post("deal-8", type_="created", name="Valves")
    stage.advance(seconds=1)

    assert [delivery.state for delivery in stage.deliveries] == ["failed", "sent"]


def test_an_import_that_is_quiet_posts_nothing() -> None:
    stage = called(mode_="quiet")

    assert (only(stage).state, only(stage).reason) == ("suppressed", "quiet_import")
    assert stage.offline.poster.posted == []


# --- deaths


class Died(BaseException):
    pass


def test_after_a_death_in_the_middle_it_is_posted_again_under_the_same_id_whatever_the_definition_says() -> None:
    stage = answering(due(workflow(on_unknown="leave")), Died(), 200)
    with pytest.raises(Died):
        act(stage)
    between = only(stage).state

    act(stage)

    assert (between, only(stage).state, step(stage).status) == ("sending", "sent", "acted")
    assert len({post.headers["webhook-id"] for post in stage.offline.poster.posted}) == 1


def test_what_was_taken_is_not_posted_again_when_its_task_comes_again() -> None:
    stage = answering(due(), 200)
    act(stage)

    act(stage)

    assert len(stage.offline.poster.posted) == 1


def test_when_the_machine_gives_up_nothing_stays_undecided() -> None:
    stage = answering(due(), 503)
    with pytest.raises(DeliveryUnavailable):
        act(stage)

    act(stage, failure={"Error": "DeliveryUnavailable", "Cause": "later"})

    assert (only(stage).state, only(stage).reason) == ("failed", "retries_exhausted")
    assert "answered 503" in only(stage).detail
    assert step(stage).status == "failed"
