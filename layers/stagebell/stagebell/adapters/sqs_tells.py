"""The write-backs queue: SQS FIFO, one message whenever there is something to be told."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.adapters.sqs import entry, foreign
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy
from stagebell.domain.planning import Tell

TELL_VERSION = 1


class SqsTeller:
    """Nudges the consumer of write-backs: one message per record and source, in order within them. What is to be told
    is in the outbox already; a message only says that there is something."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def tell(self, tell: Tell) -> None:
        document = {"version": TELL_VERSION, "tell": tell.source, "record": str(tell.key), "told": tell.version}
        nudge = entry(f"{tell.source}\x00{tell.key}", f"{tell.source}\x00{tell.key}\x00{tell.version}", document)
        try:
            self._client.send_message(QueueUrl=self._url, **nudge)
        except (BotoCoreError, ClientError) as error:
            raise RecordBusy("the write-backs queue could not be reached: it is tried again") from error


def read_tell(body: str) -> Tell:
    """What a message of the write-backs queue says; InvalidInput for what was never released."""
    try:
        document = json.loads(body)
        if document["version"] == TELL_VERSION:
            return Tell(RecordKey.parse(document["record"]), document["tell"], document["told"])
    except (ValueError, KeyError, TypeError) as error:
        raise foreign("tell", "this is no message of the write-backs queue") from error
    raise foreign("tell", "this message was not written by this version of Stagebell")
