"""The changes queue: order per record, all or nothing, and bodies that are read for ever."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from stagebell.adapters.sqs import SqsChangeQueue, read_message
from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.errors import BodyTooLarge, InvalidInput, QueueUnavailable
from stagebell.ports.queues import ChangeQueue, Command

CHANGE = Change(
    id="sales:msg_1:0",
    source="sales",
    key=RecordKey("deal", "deal-7"),
    type="updated",
    occurred_at=datetime(2026, 11, 20, 8, 15, tzinfo=UTC),
    fields={"stage": "won", "amount": "48000", "tags": ["a"], "closed": True, "seats": 3, "note": None},
    previous={"stage": "negotiation"},
    sequence=4,
    actor="user-17",
    mode="quiet",
    causes=("run_1",),
)
COMMAND = Command("cancel", "first-contact", "cmd_1", cursor="page-2")


class Recorder:
    """Stands for the SQS client: keeps the batches it is sent, and fails the entries it is told to."""

    def __init__(self, failing: int = 0) -> None:
        self.batches: list[list[dict[str, str]]] = []
        self._failing = failing

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.batches.append(Entries)
        failed = [
            {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in Entries[: self._failing]
        ]
        return {"Successful": [], "Failed": failed} if failed else {"Successful": Entries}


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def client(aws: None) -> Any:
    return botocore.session.get_session().create_client("sqs", region_name="eu-central-1")


@pytest.fixture
def url(client: Any) -> str:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
    return str(client.create_queue(QueueName="changes.fifo", Attributes=attributes)["QueueUrl"])


def changes(count: int, **changed: Any) -> list[Change]:
    return [replace(CHANGE, id=f"sales:msg_1:{number}", **changed) for number in range(count)]


def received(client: Any, url: str) -> list[dict[str, Any]]:
    answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    return list(answer.get("Messages", []))


def test_a_change_comes_back_as_it_was_sent(client: Any, url: str) -> None:
    queue: ChangeQueue = SqsChangeQueue(client, url)

    queue.send([CHANGE])

    (message,) = received(client, url)
    assert read_message(message["Body"]) == CHANGE


def test_a_command_comes_back_as_it_was_sent(client: Any, url: str) -> None:
    queue = SqsChangeQueue(client, url)

    queue.command(COMMAND)
    queue.command(replace(COMMAND, cursor=None, definition="other"))

    read = [read_message(message["Body"]) for message in received(client, url)]
    assert read == [COMMAND, replace(COMMAND, cursor=None, definition="other")]


def test_changes_of_one_record_keep_their_order(client: Any, url: str) -> None:
    SqsChangeQueue(client, url).send(changes(25))

    messages = [message for _ in range(3) for message in received(client, url)]
    assert [json.loads(message["Body"])["id"] for message in messages[:10]] == [f"sales:msg_1:{n}" for n in range(10)]
    assert len({message["Attributes"]["MessageGroupId"] for message in messages}) == 1


def test_a_change_sent_again_is_queued_once(client: Any, url: str) -> None:
    queue = SqsChangeQueue(client, url)

    queue.send([CHANGE])
    queue.send([CHANGE])

    assert len(received(client, url)) == 1


def test_groups_are_records_and_duplicates_are_change_ids() -> None:
    recorder = Recorder()
    long_id = replace(CHANGE, key=RecordKey("deal", "ü" * 256), id="客" * 256)

    SqsChangeQueue(recorder, "url").send([CHANGE, long_id])

    (first, second) = recorder.batches[0]
    assert first["MessageGroupId"] == hashlib.sha256(b"deal#deal-7").hexdigest()
    assert first["MessageDeduplicationId"] == hashlib.sha256(b"sales:msg_1:0").hexdigest()
    assert all(len(second[name]) == 64 for name in ("MessageGroupId", "MessageDeduplicationId"))


def test_pages_of_a_command_are_not_duplicates_of_each_other() -> None:
    recorder = Recorder()
    queue = SqsChangeQueue(recorder, "url")

    queue.command(COMMAND)
    queue.command(replace(COMMAND, cursor="page-3"))

    (first,), (second,) = recorder.batches
    assert first["MessageDeduplicationId"] != second["MessageDeduplicationId"]
    assert first["MessageGroupId"] == second["MessageGroupId"]


@pytest.mark.parametrize(
    ("count", "characters", "batches"),
    [
        pytest.param(0, 1, [], id="nothing"),
        pytest.param(10, 1, [10], id="as many as a call takes"),
        pytest.param(21, 1, [10, 10, 1], id="more"),
        pytest.param(4, 100_000, [2, 2], id="as many bytes as a call takes"),
        pytest.param(3, 200_000, [1, 1, 1], id="one at a time"),
    ],
)
def test_batches_keep_to_the_limits_of_a_call(count: int, characters: int, batches: list[int]) -> None:
    recorder = Recorder()

    SqsChangeQueue(recorder, "url").send(changes(count, fields={"note": "x" * characters}))

    assert [len(batch) for batch in recorder.batches] == batches
    assert all(sum(len(entry["MessageBody"].encode()) for entry in batch) <= 262_144 for batch in recorder.batches)
    assert all(len({entry["Id"] for entry in batch}) == len(batch) for batch in recorder.batches)


def test_a_change_too_large_for_the_queue_is_refused_before_any_is_sent() -> None:
    recorder = Recorder()
    large = replace(CHANGE, fields={"note": "客" * 90_000})

    with pytest.raises(BodyTooLarge, match="change 1 takes 270,"):
        SqsChangeQueue(recorder, "url").send([CHANGE, large])

    assert recorder.batches == []


@pytest.mark.parametrize("character", ["\ufffe", "\uffff", "\x01", "\x7f", "😀", "\u2028", '"', "\\"])
def test_every_character_passes_the_queue(client: Any, url: str, character: str) -> None:
    change = replace(CHANGE, fields={"note": f"a{character}b\\uffff"})

    SqsChangeQueue(client, url).send([change])

    (message,) = received(client, url)
    assert read_message(message["Body"]) == change
    assert not set(message["Body"]) & {"\ufffe", "\uffff", "\x01"}


def test_a_partly_failed_batch_asks_for_the_same_request_again() -> None:
    with pytest.raises(QueueUnavailable, match="did not take 2 of 3 messages: send the same request again"):
        SqsChangeQueue(Recorder(failing=2), "url").send(changes(3))


def test_a_queue_that_does_not_exist_is_unavailable(client: Any) -> None:
    with pytest.raises(QueueUnavailable, match="send the same request again"):
        SqsChangeQueue(client, "https://sqs.eu-central-1.amazonaws.com/123456789012/none.fifo").send([CHANGE])


def test_a_queue_that_cannot_be_reached_is_unavailable(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs")

    monkeypatch.setattr(client, "send_message_batch", fail)

    with pytest.raises(QueueUnavailable):
        SqsChangeQueue(client, "url").command(COMMAND)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"version": 1, "command": "cancel", "definition": "first", "id": "c1"}', id="first page"),
        pytest.param(
            '{"version": 1, "command": "cancel", "definition": "first", "id": "c1", "cursor": null}', id="null cursor"
        ),
    ],
)
def test_released_commands_are_read_for_ever(body: str) -> None:
    assert read_message(body) == Command("cancel", "first", "c1")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"version": 2, "command": "cancel", "definition": "first", "id": "c1"}', id="a newer command"),
        pytest.param('{"version": 1, "command": "cancel"}', id="half a command"),
        pytest.param('{"version": 1, "command": "explode", "definition": "first", "id": "c1"}', id="unknown verb"),
        pytest.param('{"version": 9}', id="a newer change"),
        pytest.param("[]", id="no object"),
        pytest.param("not json", id="no JSON"),
    ],
)
def test_what_was_never_released_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput):
        read_message(body)
