"""The write-backs queue: SQS FIFO, one message whenever there is something to be told."""

import json
from datetime import datetime
from math import ceil
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.adapters.sqs import entry, foreign
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy
from stagebell.domain.orders import Tell
from stagebell.ports.clock import Clock

TELL_VERSION = 1
LONGEST_PAUSE = 11 * 3600  # seconds; the service allows twelve hours from when the message was received


class SqsTeller:
    """Nudges the consumer of write-backs: one message per record and source, in order within them. What is to be told
    is in the outbox already; a message only says that there is something."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def tell(self, tell: Tell, again: str = "") -> None:
        document = {"version": TELL_VERSION, "tell": tell.source, "record": str(tell.key), "told": tell.version}
        group = f"{tell.source}\x00{tell.key}"
        nudge = entry(group, f"{group}\x00{tell.version}\x00{again}", document)
        try:
            self._client.send_message(QueueUrl=self._url, **nudge)
        except (BotoCoreError, ClientError) as error:
            raise RecordBusy("the write-backs queue could not be reached: it is tried again") from error


class SqsPauses:
    """Lets a message of the queue come back at a time, instead of when its visibility ends."""

    def __init__(self, client: Any, url: str, clock: Clock) -> None:
        self._client = client
        self._url = url
        self._clock = clock

    def __call__(self, handle: str, until: datetime) -> None:
        """Where that is further away than the queue allows, it comes earlier, and has to be sent back to wait.

        Raises RecordBusy where the queue cannot be reached: the message comes back when its visibility ends."""
        seconds = ceil((self._clock.real(until) - self._clock.real_now()).total_seconds())
        pause = max(0, min(seconds, LONGEST_PAUSE))
        try:
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=pause)
        except (BotoCoreError, ClientError) as error:
            raise RecordBusy("the write-backs queue could not be reached: the message comes back by itself") from error


def read_tell(body: str) -> Tell:
    """What a message of the write-backs queue says; InvalidInput for what was never released."""
    try:
        document = json.loads(body)
        if document["version"] == TELL_VERSION:
            return Tell(RecordKey.parse(document["record"]), document["tell"], document["told"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise foreign("tell", "this is no message of the write-backs queue") from error
    raise foreign("tell", "this message was not written by this version of Stagebell")
