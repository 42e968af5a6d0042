"""Receiving: a signed webhook becomes queued changes, all of them or none."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from stagebell.domain import signatures
from stagebell.domain.changes import Change, read_changes
from stagebell.domain.errors import BodyTooLarge, InvalidInput, MalformedBody, NotFound, SignatureRejected
from stagebell.ports.clock import Clock
from stagebell.ports.queues import ChangeQueue
from stagebell.ports.secrets import Secrets
from stagebell.services.shelves import Shelves

BODY_LIMIT = 256 * 1024
DEPTH_LIMIT = 32
REFRESH = timedelta(seconds=30)
BRIEFLY = timedelta(seconds=1)


@dataclass(slots=True)
class Receiver:
    """Takes webhooks of the native format.

    Definitions are looked at again every 30 seconds, and at once before anything is refused because of them: so a
    webhook costs one call, and a new object is known as soon as it is used."""

    shelves: Shelves
    secrets: Secrets
    queue: ChangeQueue
    clock: Clock
    _looked_at: datetime | None = None

    def receive(self, source: str, headers: Mapping[str, str], body: bytes) -> Sequence[str]:
        """The ids of the changes now queued.

        Raises BodyTooLarge, NotFound (no such source), SignatureRejected, MalformedBody, InvalidInput (every problem),
        QueueUnavailable (send the same request again)."""
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge(
                f"the body is {len(body):,} bytes; the limit is {BODY_LIMIT:,}: send fewer changes at once"
            )
        self._look_again(REFRESH)
        self._expect_active(source)
        delivery = self._verified(source, headers, body)
        changes = self._read(parse_json(body), source, delivery)
        self.queue.send(changes)
        return [change.id for change in changes]

    def _look_again(self, older_than: timedelta) -> bool:
        """Whether definitions have changed since they were looked at, longer ago than that."""
        now = self.clock.real_now()
        if self._looked_at is not None and now - self._looked_at <= older_than:
            return False
        self._looked_at = now
        return self.shelves.refresh()

    def _expect_active(self, source: str) -> None:
        """Before any secret is read, so that made-up names cost nothing."""
        if self.shelves.document("source", source) is not None:
            return
        if not self._look_again(BRIEFLY) or self.shelves.document("source", source) is None:
            raise NotFound(f"there is no active source {source[:60]!a}: activate its definition, or check the address")

    def _verified(self, source: str, headers: Mapping[str, str], body: bytes) -> str:
        now = self.clock.real_now()
        try:
            return signatures.verify(headers, body, self.secrets.of_source(source), now)
        except SignatureRejected:
            # the secret may have been rotated since we read it
            return signatures.verify(headers, body, self.secrets.of_source(source, fresh=True), now)

    def _read(self, document: object, source: str, delivery: str) -> list[Change]:
        try:
            return self._against_schema(document, source, delivery)
        except InvalidInput:
            if not self._look_again(BRIEFLY):
                raise
        return self._against_schema(document, source, delivery)

    def _against_schema(self, document: object, source: str, delivery: str) -> list[Change]:
        now = self.clock.now()
        return read_changes(document, source=source, delivery=delivery, schema=self.shelves.schema, now=now)


def parse_json(body: bytes) -> Any:
    """JSON with exact numbers, with or without a byte order mark. Raises MalformedBody for anything that is not plain
    JSON in UTF-8."""
    try:
        document = _JSON.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise MalformedBody(f"the body is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise MalformedBody("the body nests too deeply") from error
    except (ValueError, ArithmeticError) as error:  # an integer of thousands of digits, an exponent of dozens
        raise MalformedBody("the body holds a number with too many digits") from error
    if _deeper_than(document, DEPTH_LIMIT):
        raise MalformedBody(f"the body nests deeper than {DEPTH_LIMIT} levels")
    return document


def _constant(word: str) -> Any:
    raise MalformedBody(f"the body is not JSON: {word} is not a JSON number")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise MalformedBody(f"the body has the key {doubled[:60]!a} twice in one object")
    return document


def _deeper_than(document: Any, levels: int) -> bool:
    layer = [document] if isinstance(document, (dict, list)) else []
    for _ in range(levels):
        inside = (node.values() if isinstance(node, dict) else node for node in layer)
        layer = [child for children in inside for child in children if isinstance(child, (dict, list))]
        if not layer:
            return False
    return True


_JSON = json.JSONDecoder(parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_pairs)
