"""The changes queue: SQS FIFO, one message per change or command, in order per record."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.adapters.documents import change_document, change_from
from stagebell.domain.changes import Change
from stagebell.domain.errors import BodyTooLarge, InvalidInput, Problem, QueueUnavailable
from stagebell.ports.queues import Command

COMMAND_VERSION = 1
ENTRIES_PER_BATCH = 10
BYTES_PER_BATCH = 262_144
_VERBS = ("cancel", "pause", "resume")

type Entry = dict[str, str]


class SqsChangeQueue:
    """`client` is a botocore `sqs` client, `url` that of a FIFO queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, changes: Sequence[Change]) -> None:
        """Raises BodyTooLarge, before anything is queued, for a change over 256 KiB."""
        for batch in _batches([_change_entry(change) for change in changes]):
            self._send(batch)

    def command(self, command: Command) -> None:
        self._send([_command_entry(command)])

    def _send(self, entries: Sequence[Entry]) -> None:
        numbered = [{"Id": str(position), **entry} for position, entry in enumerate(entries)]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=numbered)
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable("the queue did not take the changes: send the same request again") from error
        if failed := answer.get("Failed"):
            raise QueueUnavailable(
                f"the queue did not take {len(failed)} of {len(entries)} messages: send the same request again"
            )


def read_message(body: str) -> Change | Command:
    """What a message's body says. Released bodies are read for ever; InvalidInput for what was never released."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise foreign("json", "a message is JSON") from error
    if isinstance(document, Mapping) and "command" in document:
        return _command_from(document)
    return change_from(document)


def _change_entry(change: Change) -> Entry:
    return entry(str(change.key), change.id, change_document(change))


def _command_entry(command: Command) -> Entry:
    document = {
        "version": COMMAND_VERSION,
        "command": command.verb,
        "definition": command.definition,
        "id": command.id,
        "cursor": command.cursor,
    }
    return entry(f"command\x00{command.definition}", f"{command.id}\x00{command.cursor or ''}", document)


def _command_from(document: Mapping[str, Any]) -> Command:
    if document.get("version") != COMMAND_VERSION or document["command"] not in _VERBS:
        raise foreign("command", "this command was not written by this version of Stagebell")
    try:
        return Command(document["command"], document["definition"], document["id"], document.get("cursor"))
    except KeyError as error:
        raise foreign("command", f"this command has no {error}") from error


def foreign(rule: str, message: str) -> InvalidInput:
    return InvalidInput([Problem("", rule, message)])


def entry(group: str, id: str, document: Mapping[str, Any]) -> Entry:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return {
        "MessageBody": body.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff"),  # which SQS refuses as such
        "MessageGroupId": _hash(group),
        "MessageDeduplicationId": _hash(id),
    }


def _hash(text: str) -> str:
    """Ids of SQS take 128 characters of ASCII; ours are longer and of any script."""
    return hashlib.sha256(text.encode()).hexdigest()


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    sizes = [len(entry["MessageBody"].encode()) for entry in entries]
    if sizes and max(sizes) > BYTES_PER_BATCH:
        position = sizes.index(max(sizes))
        raise BodyTooLarge(f"change {position} takes {sizes[position]:,} bytes, the limit is {BYTES_PER_BATCH:,}")
    batch: list[Entry] = []
    total = 0
    for entry, size in zip(entries, sizes, strict=True):
        if batch and (len(batch) == ENTRIES_PER_BATCH or total + size > BYTES_PER_BATCH):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += size
    if batch:
        yield batch
