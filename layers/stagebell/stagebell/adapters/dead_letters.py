"""Dead letters: messages that failed each time they came, put back into their queue once the cause is mended."""

import hashlib
from collections.abc import Mapping
from typing import Any

BATCH = 10
_KEPT_FROM_OTHERS = 60  # seconds in which nobody else takes what we are about to put back


def put_back(client: Any, dead_letters: str, queue: str) -> int:
    """How many messages were put back, each into its group, oldest first.

    Sent first and deleted then: who dies in between has a message twice, which does no harm (a change is applied once,
    and told of once).
    `client` is a botocore `sqs` client; the two are URLs."""
    moved = 0
    while messages := _taken(client, dead_letters):
        for message in messages:
            _send(client, queue, message)
            client.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def _taken(client: Any, url: str) -> list[Mapping[str, Any]]:
    found = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=_KEPT_FROM_OTHERS,
        MessageSystemAttributeNames=["MessageGroupId", "MessageDeduplicationId"],
    )
    return list(found.get("Messages", ()))


def _send(client: Any, url: str, message: Mapping[str, Any]) -> None:
    attributes = message["Attributes"]
    # the queue still knows the first id for five minutes and would take the message for a double
    again = f"{attributes['MessageDeduplicationId']}\x00{message['ReceiptHandle']}"
    client.send_message(
        QueueUrl=url,
        MessageBody=message["Body"],
        MessageGroupId=attributes["MessageGroupId"],
        MessageDeduplicationId=hashlib.sha256(again.encode()).hexdigest(),
    )
