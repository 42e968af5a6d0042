"""The messages of write-backs: what they say, how they come back later, and what the function makes of a batch."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from functions.write_back.app import lambda_handler
from stagebell.adapters.memory.clock import VirtualClock
from stagebell.adapters.sqs_tells import LONGEST_PAUSE, SqsPauses, SqsTeller, read_tell
from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import Delivery, State
from stagebell.domain.errors import InvalidInput, RecordBusy
from stagebell.domain.orders import Tell
from stagebell.runtime import observability, wiring
from stagebell.runtime.fifo import NotYet, each_in_order
from tests.sources import ToldStage
from tests.stage import START, WON

SAMPLE = Path(__file__).parents[2] / "events/queue/v1/write_back.json"
TELL = Tell(RecordKey("deal", "deal-7"), "crm", 2)
NOW = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)


class Context:
    function_name = "stagebell-write-back"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:stagebell-write-back"
    aws_request_id = "7c1f4c3e-0000-4000-8000-000000000000"


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield botocore.session.get_session().create_client("sqs", region_name="eu-central-1")


@pytest.fixture
def url(sqs: Any) -> str:
    made: str = sqs.create_queue(QueueName="write-backs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    return made


def received(sqs: Any, url: str) -> list[dict[str, Any]]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    return list(found.get("Messages", []))


class Unreachable:
    """An SQS client without a network."""

    def __getattr__(self, name: str) -> Any:
        def call(**_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://sqs.eu-central-1.amazonaws.com")

        return call


def test_the_released_message_is_understood() -> None:
    (record,) = json.loads(SAMPLE.read_text())["Records"]

    assert read_tell(record["body"]) == TELL


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "no JSON"),
        ("[]", "no object"),
        ("{}", "no version"),
        ('{"version": 2, "tell": "crm", "record": "deal#7", "told": 1}', "a version that was never released"),
        ('{"version": 1, "tell": "crm", "record": 7, "told": 1}', "a record that is none"),
        ('{"version": 1, "tell": "crm"}', "half of it"),
    ],
)
def test_a_message_of_somebody_else_is_refused(body: str, why: str) -> None:
    with pytest.raises(InvalidInput):
        read_tell(body)


def test_messages_go_out_in_order_per_record_and_source(sqs: Any, url: str) -> None:
    teller = SqsTeller(sqs, url)
    others = [Tell(TELL.key, "erp", 2), Tell(RecordKey("deal", "deal-8"), "crm", 2)]

    for tell in (TELL, Tell(TELL.key, "crm", 3), *others):
        teller.tell(tell)

    messages = received(sqs, url)
    assert {read_tell(message["Body"]) for message in messages} >= {TELL, *others}
    groups = {message["Attributes"]["MessageGroupId"] for message in messages}
    assert len(groups) == 3


@pytest.mark.parametrize(
    ("agains", "expected", "why"),
    [
        (["", ""], 1, "the same occasion"),
        (["", "after 1"], 2, "another"),
        (["after 1", "after 1"], 1, "the same again"),
    ],
)
def test_a_second_message_about_the_same_change_needs_an_occasion(
    sqs: Any, url: str, agains: list[str], expected: int, why: str
) -> None:
    for again in agains:
        SqsTeller(sqs, url).tell(TELL, again)

    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert told["ApproximateNumberOfMessages"] == str(expected), why


def test_a_queue_that_cannot_be_reached_is_tried_again() -> None:
    with pytest.raises(RecordBusy):
        SqsTeller(Unreachable(), "https://sqs.example/q").tell(TELL)
    with pytest.raises(RecordBusy):
        SqsPauses(Unreachable(), "https://sqs.example/q", VirtualClock(NOW))("handle", NOW)


@pytest.mark.parametrize(
    ("until", "seconds", "why"),
    [
        (NOW + timedelta(seconds=5), 5, "as long as asked"),
        (NOW + timedelta(seconds=4.2), 5, "never too early"),
        (NOW - timedelta(seconds=5), 0, "at once"),
        (NOW + timedelta(hours=24), LONGEST_PAUSE, "the service allows twelve hours from the receipt"),
    ],
)
def test_a_message_comes_back_at_a_time(until: datetime, seconds: int, why: str) -> None:
    asked: list[dict[str, Any]] = []

    class Client:
        def change_message_visibility(self, **given: Any) -> None:
            asked.append(given)

    SqsPauses(Client(), "https://sqs.example/q", VirtualClock(NOW))("AQEB", until)

    assert asked == [{"QueueUrl": "https://sqs.example/q", "ReceiptHandle": "AQEB", "VisibilityTimeout": seconds}], why


def test_the_queue_takes_the_longest_pause(sqs: Any, url: str) -> None:
    SqsTeller(sqs, url).tell(TELL)
    (message,) = received(sqs, url)

    SqsPauses(sqs, url, VirtualClock(NOW))(message["ReceiptHandle"], NOW + timedelta(days=1))

    assert received(sqs, url) == []


# --- the function --------------------------------------------------------------------------------------------------


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> ToldStage:
    stage = ToldStage()
    stage.deed(stage=WON)
    monkeypatch.setattr(wiring, "write_back", lambda: stage.offline.write_back)
    return stage


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
    asked: list[tuple[str, datetime]] = []
    monkeypatch.setattr(wiring, "postpone", lambda: lambda handle, until: asked.append((handle, until)))
    return asked


def test_a_message_whose_source_took_everything_is_done_with(stage: ToldStage, pauses: list[Any]) -> None:
    answer = lambda_handler(json.loads(SAMPLE.read_text()), Context())

    assert answer == {"batchItemFailures": []}
    assert (len(stage.posts), pauses) == (1, [])


def test_a_message_whose_source_took_nothing_comes_back_in_time(stage: ToldStage, pauses: list[Any]) -> None:
    stage.answers(500)

    answer = lambda_handler(json.loads(SAMPLE.read_text()), Context())

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
        "2e1424d4-f796-459a-8184-9c92662be6da"
    ]
    assert pauses == [("AQEB", START + timedelta(seconds=5))]


def test_a_message_that_is_none_fails_without_a_pause_and_becomes_a_dead_letter(
    stage: ToldStage, pauses: list[Any]
) -> None:
    event = json.loads(SAMPLE.read_text())
    event["Records"][0]["body"] = "{}"

    answer = lambda_handler(event, Context())

    assert len(answer["batchItemFailures"]) == 1
    assert pauses == []


def test_what_waits_holds_up_its_group_and_no_other() -> None:
    def message(id: str, group: str) -> dict[str, Any]:
        return {"messageId": id, "receiptHandle": id, "body": id, "attributes": {"MessageGroupId": group}}

    carried_out, paused = [], []

    def carry_out(body: str) -> None:
        carried_out.append(body)
        if body == "a1":
            raise NotYet(NOW)

    batch = {"Records": [message("a1", "a"), message("a2", "a"), message("b1", "b")]}
    answer = each_in_order(batch, carry_out, lambda handle, _: paused.append(handle))

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["a1", "a2"]
    assert (carried_out, paused) == (["a1", "b1"], ["a1"])


def test_a_message_that_could_not_be_sent_back_to_wait_comes_back_by_itself(
    stage: ToldStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        wiring, "postpone", lambda: SqsPauses(Unreachable(), "https://sqs.example/q", VirtualClock(NOW))
    )
    stage.answers(500)

    answer = lambda_handler(json.loads(SAMPLE.read_text()), Context())

    assert len(answer["batchItemFailures"]) == 1


@pytest.mark.parametrize(
    ("state", "counted", "verb"),
    [
        ("failed", True, "write_back_failed"),
        ("planned", False, "write_back_waits"),
        ("suppressed", False, "write_back_suppressed"),
        ("sent", False, "write_back_sent"),
    ],
)
def test_what_was_given_up_is_counted_for_the_alarm(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    state: State,
    counted: bool,
    verb: str,
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)  # loggers of one name share their output stream
    observability.logger.cache_clear()
    delivery = Delivery(
        "dlv_1", "", "", "", TELL.key, "write_back", "crm", NOW, state, detail="https://crm.example.com"
    )

    observability.note_write_back(delivery)

    out = capsys.readouterr().out
    assert ("WriteBacksGivenUp" in out) is counted
    assert "WriteBacksLate" not in out
    assert f'"action":"{verb}"' in out.replace(" ", "")
    assert "crm.example.com" not in out


@pytest.mark.parametrize(
    ("minutes", "counted", "why"),
    [(5, False, "it is tried again within the hour"), (155, True, "a source that does not answer is seen on the day")],
)
def test_what_is_told_an_hour_late_is_counted_for_the_alarm(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    minutes: int,
    counted: bool,
    why: str,
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)
    observability.logger.cache_clear()
    due = NOW + timedelta(minutes=minutes)
    delivery = Delivery("dlv_1", "", "", "", TELL.key, "write_back", "crm", NOW, "planned", due_at=due)

    observability.note_write_back(delivery)

    assert ("WriteBacksLate" in capsys.readouterr().out) is counted, why
