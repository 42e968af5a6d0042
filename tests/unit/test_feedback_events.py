"""SES events in every envelope they come in. The files in events/ses are released: they are read for ever."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stagebell.adapters.ses import DELIVERY_TAG as SENT_TAG
from stagebell.domain.errors import InvalidInput
from stagebell.domain.feedback import DELIVERY_TAG, Feedback, read_feedback

EVENTS = Path(__file__).parents[2] / "events" / "ses"
FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures" / "webhooks" / "ses"
KEY = "dlv_3f8a1c5e7b9d2046f8a1c5e7b9d2046f8a1c5e7b"
MESSAGE = "01020193-example-000000"


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def read_one(document: dict[str, Any]) -> Feedback:
    (feedback,) = read_feedback(document)
    return feedback


def changed(name: str, path: str, value: Any) -> dict[str, Any]:
    """An event with one value replaced; None removes it."""
    document = copy.deepcopy(event(name))
    *parents, last = path.split(".")
    target = document
    for parent in parents:
        target = target[parent]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return document


def test_a_hard_bounce_suppresses_its_address() -> None:
    assert read_one(event("bounce_permanent")) == Feedback(
        id=f"{MESSAGE}:bounced:01020193-feedback-000000",
        delivery=KEY,
        message_id=MESSAGE,
        kind="bounced",
        at=datetime(2026, 11, 20, 8, 15, 33, 669_000, UTC),
        addresses=("recipient@example.net",),
        permanent=True,
        suppress=True,
        detail="Permanent General: smtp; 550 5.1.1 user unknown",
    )


@pytest.mark.parametrize(
    ("name", "kind", "permanent", "suppress", "detail"),
    [
        (
            "bounce_on_account_suppression_list",
            "bounced",
            True,
            True,
            "Permanent OnAccountSuppressionList: Amazon SES did",
        ),
        ("bounce_transient", "bounced", False, False, "Transient MailboxFull: smtp; 452 4.2.2 mailbox full"),
        ("complaint", "complained", False, True, "abuse"),
        ("complaint_not_spam", "complained", False, False, "not-spam"),
        ("delivery", "delivered", False, False, "250 2.6.0 Message received"),
        ("delivery_delay", "delayed", False, False, "TransientCommunicationFailure: smtp; 421 4.4.1"),
        ("reject", "rejected", False, False, "Bad content"),
        ("rendering_failure", "rendering_failed", False, False, "Attribute 'name' is not present"),
        ("send", "sent", False, False, ""),
        ("sns_bounce_permanent", "bounced", True, True, "Permanent General: smtp; 550 5.1.1 user unknown"),
    ],
)
def test_each_kind_of_event_is_understood(name: str, kind: str, permanent: bool, suppress: bool, detail: str) -> None:
    feedback = read_one(event(name))

    assert (feedback.kind, feedback.permanent, feedback.suppress) == (kind, permanent, suppress)
    assert feedback.detail.startswith(detail)
    assert (feedback.delivery, feedback.message_id) == (KEY, MESSAGE)
    assert feedback.addresses == ("recipient@example.net",)
    assert feedback.at.date().isoformat() == "2026-11-20"


def test_all_envelopes_say_the_same() -> None:
    enveloped = event("bounce_permanent")

    plain = read_one(enveloped["detail"])

    assert plain == read_one(enveloped) == read_one(event("sns_bounce_permanent"))


def test_every_record_of_an_sns_event_is_read() -> None:
    document = event("sns_bounce_permanent")
    document["Records"] = document["Records"] * 2

    assert len(read_feedback(document)) == 2


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the collection of foreign webhook samples is not beside the project")
def test_the_collected_samples_are_all_read() -> None:
    for path in FIXTURES.glob("*.json"):
        feedback = read_one(json.loads(path.read_text()))

        assert (feedback.delivery, feedback.message_id) == ("", MESSAGE), path.name


def test_notifications_of_an_identity_have_no_tags_and_go_by_message_id() -> None:
    document = changed("bounce_permanent", "detail.mail.tags", None)["detail"]
    document["notificationType"] = document.pop("eventType")

    feedback = read_one(document)

    assert (feedback.kind, feedback.delivery, feedback.message_id) == ("bounced", "", MESSAGE)


def test_the_tag_is_the_one_that_was_sent() -> None:
    assert DELIVERY_TAG == SENT_TAG


@pytest.mark.parametrize("kind", ["Open", "Click", "Subscription", "Something new"])
def test_events_that_concern_no_delivery_give_nothing(kind: str) -> None:
    assert read_feedback(changed("delivery", "detail.eventType", kind)) == []


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            {"Records": [{"Sns": {"Message": "Successfully validated SNS topic for Amazon SES event publishing."}}]},
            id="the first message to a topic",
        ),
        pytest.param({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "…"}, id="its identity form"),
    ],
)
def test_announcements_of_ses_give_nothing(document: dict[str, Any]) -> None:
    assert read_feedback(document) == []


@pytest.mark.parametrize("kind", ["auth-failure", "fraud", "other", "virus", None])
def test_every_complaint_but_not_spam_suppresses(kind: str | None) -> None:
    assert read_one(changed("complaint", "detail.complaint.complaintFeedbackType", kind)).suppress


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_only_hard_bounces_suppress(kind: str) -> None:
    feedback = read_one(changed("bounce_permanent", "detail.bounce.bounceType", kind))

    assert not feedback.permanent
    assert not feedback.suppress


def test_all_addresses_of_a_bounce_are_named_and_no_other() -> None:
    recipients = [
        {"emailAddress": "a@example.net", "diagnosticCode": "550"},
        {"emailAddress": "b@example.net", "diagnosticCode": "550"},
        {"emailAddress": "c@example.net"},
    ]

    feedback = read_one(changed("bounce_permanent", "detail.bounce.bouncedRecipients", recipients))

    assert feedback.addresses == ("a@example.net", "b@example.net", "c@example.net")
    assert feedback.detail == "Permanent General: 550"


@pytest.mark.parametrize(
    ("name", "path"),
    [("bounce_permanent", "detail.bounce.bouncedRecipients"), ("complaint", "detail.complaint.complainedRecipients")],
)
def test_an_event_that_names_nobody_suppresses_nobody(name: str, path: str) -> None:
    assert read_one(changed(name, path, [])).addresses == ()


def test_the_detail_is_cut() -> None:
    feedback = read_one(changed("delivery", "detail.delivery.smtpResponse", "x" * 2_000))

    assert len(feedback.detail) == 500


def test_an_event_has_the_same_id_each_time_and_others_have_another() -> None:
    names = sorted(path.stem for path in EVENTS.glob("*.json") if not path.stem.startswith("sns_"))

    first = [read_one(event(name)).id for name in names]

    assert first == [read_one(event(name)).id for name in names]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        pytest.param({}, "eventType", id="nothing"),
        pytest.param({"detail": "text"}, "detail", id="no detail"),
        pytest.param({"detail": {"eventType": 7}}, "detail.eventType", id="a number for a type"),
        pytest.param({"detail": {"eventType": "Bounce"}}, "detail.mail", id="no mail"),
        pytest.param(changed("bounce_permanent", "detail.bounce", None), "detail.bounce", id="no bounce"),
        pytest.param(changed("bounce_permanent", "detail.mail.messageId", None), "detail.mail.messageId", id="no id"),
        pytest.param(
            changed("bounce_permanent", "detail.bounce.bounceType", None), "detail.bounce.bounceType", id="no type"
        ),
        pytest.param(
            changed("bounce_permanent", "detail.bounce.bouncedRecipients", [{}]),
            "detail.bounce.bouncedRecipients[0].emailAddress",
            id="no address",
        ),
        pytest.param(
            changed("bounce_permanent", "detail.bounce.bouncedRecipients", "all"),
            "detail.bounce.bouncedRecipients",
            id="text for a list",
        ),
        pytest.param(
            changed("delivery", "detail.delivery.timestamp", "soon"), "detail.delivery.timestamp", id="no time"
        ),
        pytest.param(
            changed("send", "detail.mail.timestamp", "2026-11-20T08:15:30"), "detail.mail.timestamp", id="no zone"
        ),
        pytest.param(changed("delivery", "detail.mail.tags", ["x"]), "detail.mail.tags", id="tags of another shape"),
        pytest.param({"Records": [{"Sns": {"Message": "{"}}]}, "Records[0].Sns.Message", id="half a message"),
        pytest.param({"Records": [{"Sns": {"Message": "[]"}}]}, "Records[0].Sns.Message", id="a list for a message"),
        pytest.param({"Records": [{"s3": {}}]}, "Records[0].Sns", id="records of another service"),
    ],
)
def test_a_malformed_event_is_told_by_its_path(document: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_feedback(document)

    assert caught.value.problems[0].path == path
