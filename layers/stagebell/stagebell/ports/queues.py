"""The queue of changes, and of commands on many runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from stagebell.domain.changes import Change


class ChangeQueue(Protocol):
    def send(self, changes: Sequence[Change]) -> None:
        """Queue changes in order per record; QueueUnavailable unless all of them were taken."""

    def command(self, command: Command) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """Work on many runs that is carried on by the queue: `cancel`, `pause` or `resume` the open runs of a scenario."""

    verb: Literal["cancel", "pause", "resume"]
    definition: str
    id: str
    cursor: str | None = None
