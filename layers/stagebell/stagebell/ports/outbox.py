"""The outbox: what sources are still to be told, and the queue that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from stagebell.domain.changes import RecordKey
    from stagebell.domain.echoes import Echo
    from stagebell.domain.orders import Tell


@dataclass(frozen=True, slots=True)
class Letter:
    """One change that a source is still to be told of; `version` is the record's after it."""

    key: RecordKey
    source: str
    version: int
    change: str


class Outbox(Protocol):
    """What sources are still to be told, per record and source in the order of the record's versions."""

    def waiting(self, key: RecordKey, source: str, limit: int) -> Sequence[Letter]:
        """Oldest first; everything committed by now is seen."""

    def done(self, letter: Letter) -> None:
        """Take it out: it was told, or given up. Taking it out twice is harmless."""

    def put_back(self, letter: Letter) -> None:
        """Queue again what was given up, in its old place."""

    def told_late(self, key: RecordKey, echo: Echo) -> None:
        """Remember, until it is past its time, what a source is told late, so that the record is loaded with it."""


class Teller(Protocol):
    """The queue of write-backs: in order per record and source, tried again for days."""

    def tell(self, tell: Tell, again: str = "") -> None:
        """Telling twice is harmless, and may count once; unless `again` names another occasion.

        Raises RecordBusy where the queue cannot be reached."""
