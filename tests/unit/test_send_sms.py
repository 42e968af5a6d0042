"""`send_sms`: one text for each number; what is no number, too long or not allowed is told with its reason."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stage import START, UNASSIGNED, Stage, scenario


def text(**more: Any) -> dict[str, Any]:
    step = {"name": "sms", "type": "send_sms", "at": {"after": "5 minutes"}, "text": "{{ deal.name }} waits"}
    return scenario(steps=[{**step, "to": [{"phone": "+49 30 901820"}], **more}])


def sent(*definitions: Any, **fields: Any) -> Stage:
    stage = Stage(*definitions)
    stage.user("u1", name="Ada", phone="0171 2345678")
    stage.user("u2", name="Bob")
    stage.post(stage=UNASSIGNED, **{"name": "Acme", **fields})
    stage.advance(minutes=10)
    return stage


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+49 30", "too short"),
        ("12345", "no country code, and the stack names no country"),
        ("+1 555 0100", "no such number in its country"),
        ("0171 2345678", "a national number needs the stack's country"),
        ("+999 123456789", "no such country"),
    ],
)
def test_a_phone_number_that_is_none_is_suppressed_with_that_reason_and_nothing_is_sent(number, reason):
    stage = sent(text(to=[{"phone": number}]))

    (delivery,) = stage.deliveries
    (run,) = stage.runs()
    assert (delivery.state, delivery.reason, delivery.attempts) == ("suppressed", "not_a_phone_number", 0), reason
    assert (run.steps[0].status, run.steps[0].reason) == ("skipped", "not_a_phone_number")
    assert stage.offline.texter.sent == []


def test_numbers_go_out_in_e164_each_once():
    stage = sent(
        text(to=[{"phone": "+49 30 901820"}, {"phone": "+4930901820"}, {"field": "mobile"}]), mobile="+49-30-901820"
    )

    assert [message.phone for message in stage.offline.texter.sent] == ["+4930901820"]


def test_a_user_without_a_phone_is_nobody_to_send_to():
    stage = sent(text(to=[{"field": "owner"}]), owner="u2")

    (run,) = stage.runs()
    assert stage.deliveries == []
    assert (run.steps[0].status, run.steps[0].reason) == ("skipped", "no_phone")


@pytest.mark.parametrize(
    ("name", "parts", "reason"),
    [
        ("Acme", 1, "GSM-7, one part"),
        ("A" * 160, 2, "GSM-7, joined parts hold 153"),
        ("报价" * 40, 2, "any Han character makes it UCS-2: 67 a part"),
    ],
)
def test_parts_are_counted_as_they_are_billed(name, parts, reason):
    stage = sent(text(), name=name)

    assert [delivery.parts for delivery in stage.deliveries] == [parts], reason


def test_an_sms_of_more_than_ten_parts_fails_its_step_and_nothing_is_sent():
    stage = sent(text(text="{{ deal.name }}"), name="A" * 1_600)

    (run,) = stage.runs()
    assert (run.steps[0].status, run.steps[0].reason) == ("failed", "render_failed")
    assert "at most 10" in run.steps[0].why["error"]
    assert stage.offline.texter.sent == []


def test_sender_and_type_of_the_step_go_with_the_message():
    stage = sent(text(sender_id="STAGEBELL", transactional=False), text() | {"name": "plain"})

    told = {(message.sender_id, message.transactional) for message in stage.offline.texter.sent}
    assert told == {("STAGEBELL", False), ("", True)}


def test_a_suppressed_number_is_not_written_to():
    stage = Stage(text())
    stage.offline.suppressions.add("sms", "+4930901820", "opted_out", START)
    stage.post(stage=UNASSIGNED, name="Acme")
    stage.advance(minutes=10)

    assert [(d.state, d.reason) for d in stage.deliveries] == [("suppressed", "opted_out")]
    assert stage.now == START + timedelta(minutes=10)
