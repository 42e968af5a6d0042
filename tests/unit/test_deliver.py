"""The ledger: an effect is recorded before it is made, made once, and its outcome kept."""

from datetime import timedelta

import pytest

from stagebell.domain.deliveries import RANK, delivery_key, may_follow
from stagebell.domain.errors import (
    ChannelMisconfigured,
    DeliveryRejected,
    DeliveryThrottled,
    DeliveryUnavailable,
    DeliveryUnknown,
    RecipientUnreachable,
)
from stagebell.domain.executions import Task
from stagebell.services.deliver import RESENDS
from tests.stage import START, UNASSIGNED, Stage, mail, scenario

TWO = [{"address": "one@example.com"}, {"address": "two@example.com"}]


class Died(BaseException):
    pass


def due(*, to=TWO, **more) -> tuple[Stage, Task]:
    """A deal whose only step is due now."""
    stage = Stage(scenario(steps=[mail("first", {"after": "5 minutes"}, to=to)], **more))
    run = stage.enter("deal-7", UNASSIGNED)
    stage.offline.clock.advance(START + timedelta(minutes=5))
    return stage, Task(run, "first", 1, START)


def act(stage: Stage, task: Task):
    return stage.offline.actor.act(task, stage.offline.actions["send_email"])


def failing(stage: Stage, *errors):
    """The provider answers with these, message by message; None takes the message."""
    answers = iter(errors)

    def fault(_):
        error = next(answers, None)
        if error is not None:
            raise error

    stage.offline.mailer._fault = fault


def states(stage: Stage) -> dict[str, str]:
    return {d.recipient.partition("@")[0]: d.state for d in stage.deliveries}


def test_each_recipient_has_a_delivery_of_its_own():
    stage, task = due()

    act(stage, task)

    assert states(stage) == {"one": "sent", "two": "sent"}
    assert {d.message_id for d in stage.deliveries} == {"email-1", "email-2"}
    assert set(stage.runs()[0].steps[0].deliveries) == {d.key for d in stage.deliveries}


def test_a_key_is_the_same_for_the_same_effect_and_only_for_it():
    key = delivery_key("run_1", "first", "email", "Ada@Example.com")

    assert key == delivery_key("run_1", "first", "email", "ada@example.com")
    others = [("run_2", "first", "email", "a"), ("run_1", "b", "email", "a"), ("run_1", "first", "sms", "a")]
    assert len({delivery_key(*other) for other in others} | {key}) == 4
    assert key.replace("_", "").isalnum() and len(key) < 64


@pytest.mark.parametrize(
    ("error", "state", "status", "reason"),
    [
        (DeliveryRejected("content"), "failed", "failed", "delivery_rejected"),
        (RecipientUnreachable("no such number"), "failed", "failed", "recipient_unreachable"),
        (ChannelMisconfigured("not verified"), "failed", "failed", "channel_misconfigured"),
        (DeliveryUnknown("connection lost"), "unknown", "acted", "delivery_unknown"),
    ],
)
def test_what_the_provider_refuses_for_good_is_an_outcome_and_the_other_recipient_is_not_forgotten(
    error, state, status, reason
):
    stage, task = due()
    failing(stage, error)

    act(stage, task)

    assert states(stage) == {"one": state, "two": "sent"}
    assert (stage.runs()[0].steps[0].status, stage.runs()[0].steps[0].reason) == (status, reason)


@pytest.mark.parametrize("error", [DeliveryThrottled, DeliveryUnavailable])
def test_what_was_not_sent_is_tried_again_and_what_was_sent_is_not(error):
    stage, task = due()
    failing(stage, None, error("later"))

    with pytest.raises(error):
        act(stage, task)
    between = states(stage)
    act(stage, task)

    assert between == {"one": "sent", "two": "planned"}
    assert states(stage) == {"one": "sent", "two": "sent"}
    assert [message.to for message in stage.offline.mailer.sent] == ["one@example.com", "two@example.com"]


def test_when_the_machine_gives_up_nothing_stays_undecided():
    stage, task = due()
    failing(stage, DeliveryThrottled("later"))
    with pytest.raises(DeliveryThrottled):
        act(stage, task)

    failure = {"Error": "DeliveryThrottled", "Cause": "later"}
    act(stage, Task(task.run, task.step, task.execution, task.born, failure))

    assert [(d.state, d.reason) for d in stage.deliveries] == [("failed", "retries_exhausted")]
    assert stage.runs()[0].status == "failed"


def test_a_message_that_may_have_gone_out_is_resent_a_few_times_where_the_definition_wants_it():
    stage, task = due(to=TWO[:1], on_unknown="resend")
    failing(stage, *[DeliveryUnknown("lost")] * 9)

    attempts = 0
    for _ in range(9):
        try:
            act(stage, task)
            break
        except DeliveryUnavailable:
            attempts += 1

    assert attempts == RESENDS - 1
    assert [(d.state, d.attempts) for d in stage.deliveries] == [("unknown", RESENDS)]


def test_a_message_over_which_the_process_dies_each_time_is_not_resent_for_ever():
    stage, task = due(to=TWO[:1], on_unknown="resend")
    failing(stage, *[Died()] * 9)

    for _ in range(RESENDS):
        with pytest.raises(Died):
            act(stage, task)
    act(stage, task)

    assert [(d.state, d.attempts) for d in stage.deliveries] == [("unknown", RESENDS)]
    assert stage.runs()[0].steps[0].reason == "delivery_unknown"


def test_after_a_death_in_the_middle_of_sending_the_others_are_still_written_to():
    stage, task = due()
    failing(stage, Died())
    with pytest.raises(Died):
        act(stage, task)

    act(stage, task)

    assert states(stage) == {"one": "unknown", "two": "sent"}


@pytest.mark.parametrize(
    ("reason", "prepare", "mode"),
    [
        ("bounced", lambda stage: stage.offline.suppressions.add("email", "ONE@example.com", "bounced", START), "run"),
        ("quiet_import", lambda stage: None, "quiet"),
    ],
)
def test_what_must_not_be_sent_is_recorded_as_suppressed_with_its_reason(reason, prepare, mode):
    stage = Stage(scenario(steps=[mail("first", {"after": "5 minutes"}, to=TWO[:1])]))
    prepare(stage)
    stage.post(stage=UNASSIGNED, mode_=mode)

    stage.advance(minutes=5)

    assert [(d.state, d.reason, d.attempts) for d in stage.deliveries] == [("suppressed", reason, 0)]
    assert (stage.runs()[0].steps[0].status, stage.runs()[0].steps[0].reason) == ("skipped", reason)
    assert stage.offline.mailer.sent == []


@pytest.mark.parametrize(
    ("state", "current", "may", "reason"),
    [
        ("delivered", "sent", True, "forward"),
        ("sent", "delivered", False, "feedback that comes out of order"),
        ("sent", "sending", True, "the provider says so before we do"),
        ("bounced", "delivered", True, "a bounce may follow a delivery"),
        ("delivered", "bounced", False, "but not the other way round"),
        ("sent", "unknown", True, "what was unknown becomes known"),
        ("unknown", "sent", False, "and not unknown again"),
        ("sent", "sent", False, "twice is once"),
    ],
)
def test_states_only_move_forward(state, current, may, reason):
    assert may_follow(state, current) is may, reason
    assert not (may_follow(state, current) and RANK[state] <= RANK[current])
