"""Definitions as they are stored: versions, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from stagebell.ports.pages import Page


@dataclass(frozen=True, slots=True)
class Definition:
    """One stored version of a definition; `document` is its validated, normalised text."""

    kind: str
    name: str
    version: int
    document: Mapping[str, Any]
    saved_at: datetime
    saved_by: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a definition stands: its newest version and the active one (0: none).

    `halted` says what deactivation decided for live runs: continue, pause or cancel."""

    kind: str
    name: str
    latest: int
    active: int = 0
    halted: str = ""
    shelf: str = ""  # where the active version is filed: the object of a scenario or workflow, else the kind
    changed_at: datetime | None = None
    changed_by: str = ""


ACTIVE_LIMIT = 10_000


class Definitions(Protocol):
    def revision(self) -> int:
        """A number that every activation and deactivation raises: while it stands still, nothing changed."""

    def active(self, shelf: str) -> Sequence[Definition]:
        """The active definitions of a shelf: `object`, `source`, `template`, `calendar`, `function`, or
        `scenario:<object>`, which holds scenarios and workflows."""

    def version(self, kind: str, name: str, version: int) -> Definition | None: ...

    def versions(self, kind: str, name: str, cursor: str | None = None) -> Page[Definition]:
        """All versions, newest first."""

    def head(self, kind: str, name: str) -> Head | None: ...

    def heads(self, kind: str, cursor: str | None = None) -> Page[Head]:
        """All definitions of a kind by name."""

    def save(self, definition: Definition, expected_latest: int) -> None:
        """Store a new version; Conflict where someone else stored one meanwhile."""

    def point(self, head: Head, expected: Head, definition: Definition | None) -> None:
        """Move the active pointer (definition None: deactivate) and raise the revision; Conflict if it has moved, or if
        more than ACTIVE_LIMIT definitions would be active."""
