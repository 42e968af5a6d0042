"""Runs, and the machines in which they sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from stagebell.domain.changes import RecordKey
    from stagebell.domain.orders import Halt, Wake
    from stagebell.domain.runs import Enrolment, Run
    from stagebell.ports.pages import Page


class Runs(Protocol):
    def get(self, run: str) -> Run | None: ...

    def save(self, run: Run, enrolment: Enrolment | None) -> bool:
        """Store a run whose revision was raised by one, and `open` and `due_at` of its record's enrolment if that still
        is this run's (its `starts` stay as stored).

        False where the run has moved meanwhile."""

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Run]:
        """Newest first."""

    def of_definition(self, definition: str, cursor: str | None = None) -> Page[Run]:
        """Newest first."""

    def open_of(self, definition: str, cursor: str | None = None) -> Page[str]:
        """Ids of the open runs of a scenario."""


class Scheduler(Protocol):
    """Runs sleep here. Starting or stopping twice is harmless."""

    def start(self, wake: Wake) -> None: ...

    def stop(self, halt: Halt) -> None: ...
