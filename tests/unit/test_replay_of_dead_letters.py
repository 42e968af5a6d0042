"""`stagebell replay`: dead letters go back into their queue, in order, and nothing is lost on the way."""

from typing import Any

import pytest
from botocore.session import Session
from moto import mock_aws

from stagebell.adapters.dead_letters import put_back
from stagebell.cli import keys
from stagebell.cli.main import main


@pytest.fixture
def sqs() -> Any:
    with mock_aws():
        yield Session().create_client("sqs")


def queue(sqs: Any, name: str) -> str:
    url: str = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    return url


def bury(sqs: Any, url: str, *bodies: str) -> None:
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0], MessageDeduplicationId=body)


def held(sqs: Any, url: str) -> list[tuple[str, str]]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])
    return [(message["Attributes"]["MessageGroupId"], message["Body"]) for message in found]


def test_every_dead_letter_goes_back_into_its_group_in_order(sqs: Any) -> None:
    dead, live = queue(sqs, "dead"), queue(sqs, "live")
    bury(sqs, dead, "a1", "a2", "b1")

    moved = put_back(sqs, dead, live)

    assert moved == 3
    assert sorted(held(sqs, live)) == [("a", "a1"), ("a", "a2"), ("b", "b1")]
    assert put_back(sqs, dead, live) == 0


def test_a_message_that_the_queue_saw_a_minute_ago_is_taken_again(sqs: Any) -> None:
    dead, live = queue(sqs, "dead"), queue(sqs, "live")
    bury(sqs, live, "a1")
    held(sqs, live)
    sqs.purge_queue(QueueUrl=live)
    bury(sqs, dead, "a1")

    put_back(sqs, dead, live)

    assert held(sqs, live) == [("a", "a1")]


def test_the_command_finds_the_queues_by_the_stack(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("ChangesDeadLetterQueue", "ChangesQueue", "WriteBacksDeadLetterQueue", "WriteBacksQueue")
    queues = {name: queue(sqs, name) for name in names}
    bury(sqs, queues["ChangesDeadLetterQueue"], "a1")
    bury(sqs, queues["WriteBacksDeadLetterQueue"], "b1")
    monkeypatch.setattr(keys, "resource", lambda _client, _stack, name: queues[name])

    codes = [main(["replay", "--stack", "stagebell"]) for _ in range(2)]

    assert codes == [0, 0]
    assert capsys.readouterr().out.splitlines() == ["2 put back", "There are no dead letters."]
    assert held(sqs, queues["WriteBacksQueue"]) == [("b", "b1")]


def test_a_stack_that_is_not_there_is_named(sqs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--stack", "nothing"]) == 2
    assert "the queues of stack nothing could not be reached" in capsys.readouterr().err
