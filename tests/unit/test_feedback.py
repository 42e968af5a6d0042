"""What the mail provider tells us later: the state of the delivery, and who is not written to again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stagebell.domain.feedback import Feedback
from stagebell.services.feedback import FeedbackDesk
from tests.stage import START, UNASSIGNED, Stage, mail, scenario

LATER = START + timedelta(minutes=7)
ADA = "ada@example.com"


@pytest.fixture
def stage() -> Stage:
    to = [{"address": ADA}]
    stage = Stage(scenario(steps=[mail("m", {"after": "5 minutes"}, to=to, cc=[{"address": "cc@example.com"}])]))
    stage.enter("deal-7", UNASSIGNED)
    stage.advance(minutes=5)
    return stage


def told(stage: Stage, kind: str, **more) -> Feedback:
    (delivery,) = stage.deliveries
    known = {
        "id": "feedback-1",
        "message_id": delivery.message_id,
        "delivery": delivery.key,
        "addresses": (ADA,),
        "at": LATER,
    }
    return Feedback(kind=kind, **{**known, **more})


def book(stage: Stage, *feedback: Feedback):
    desk = FeedbackDesk(stage.offline.deliveries, stage.offline.suppressions)
    return [desk.book(one) for one in feedback][-1]


@pytest.mark.parametrize(
    ("kinds", "state", "reason"),
    [
        (["sent"], "sent", "we know already"),
        (["delivered"], "delivered", "it has arrived"),
        (["delivered", "delivered"], "delivered", "twice is once"),
        (["bounced", "delivered"], "bounced", "in the wrong order"),
        (["delivered", "bounced"], "bounced", "a bounce after all"),
        (["rejected"], "failed", "the provider found a virus"),
        (["rendering_failed"], "failed", "the provider could not render it"),
        (["delayed"], "sent", "a delay is no end"),
        (["complained"], "sent", "a complaint is noted beside the state"),
    ],
)
def test_feedback_moves_the_delivery_forward(stage, kinds, state, reason):
    book(stage, *(told(stage, kind) for kind in kinds))

    assert stage.deliveries[0].state == state, reason


def test_a_complaint_is_noted_and_its_sender_is_not_written_to_again(stage):
    book(stage, told(stage, "complained", suppress=True))
    stage.enter("deal-8", UNASSIGNED)
    stage.advance(minutes=5)

    assert stage.deliveries[0].complained_at == LATER
    assert [(d.state, d.reason) for d in stage.deliveries[1:]] == [("suppressed", "complained")]


def test_a_dead_address_is_suppressed_whatever_its_case(stage):
    book(stage, told(stage, "bounced", suppress=True, addresses=("Ada@Example.com",)))

    assert stage.deliveries[0].state == "bounced"
    assert stage.offline.suppressions.reason("email", ADA) == "bounced"


def test_a_soft_bounce_suppresses_nobody(stage):
    book(stage, told(stage, "bounced", suppress=False))

    assert stage.offline.suppressions.reason("email", ADA) is None


def test_a_copy_that_bounces_suppresses_its_address_and_leaves_the_delivery_alone(stage):
    book(stage, told(stage, "bounced", suppress=True, addresses=("cc@example.com",)))

    assert stage.deliveries[0].state == "sent"
    assert stage.offline.suppressions.reason("email", "cc@example.com") == "bounced"


def test_feedback_finds_its_delivery_by_the_message_where_it_carries_no_key(stage):
    assert book(stage, told(stage, "delivered", delivery="")).state == "delivered"


def test_feedback_about_a_message_that_is_not_ours_changes_nothing_but_the_suppressions(stage):
    foreign = told(stage, "bounced", delivery="", message_id="other", addresses=("x@example.com",), suppress=True)

    assert book(stage, foreign) is None
    assert stage.deliveries[0].state == "sent"
    assert stage.offline.suppressions.reason("email", "x@example.com") == "bounced"


@pytest.mark.parametrize("before", ["sending", "unknown"])
def test_what_was_unknown_becomes_known_with_its_message_id(stage, before):
    (delivery,) = stage.deliveries
    stage.offline.deliveries.update(replace(delivery, state=before, message_id=""), forward_only=False)

    settled = book(stage, told(stage, "sent", message_id="ses-1"))

    assert (settled.state, settled.message_id) == ("sent", "ses-1")
