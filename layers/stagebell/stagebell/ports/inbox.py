"""The inbox of a user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from stagebell.domain.changes import RecordKey
    from stagebell.ports.pages import Page


@dataclass(frozen=True, slots=True)
class Notice:
    """One entry of a user's inbox. `id` is the key of its delivery."""

    id: str
    user: str
    at: datetime
    subject: str
    body: str
    record: RecordKey
    url: str = ""
    run: str = ""
    definition: str = ""
    read_at: datetime | None = None


class Inbox(Protocol):
    def put(self, notice: Notice) -> None:
        """Putting the same notice twice is harmless, and counts once."""

    def notices(self, user: str, cursor: str | None = None, *, unread: bool = False) -> Page[Notice]:
        """Newest first."""

    def unread(self, user: str) -> int: ...

    def get(self, user: str, id: str) -> Notice | None: ...

    def mark_read(self, user: str, id: str, at: datetime) -> Notice | None:
        """The notice as it stands then, None where there is none. Marking twice keeps the first time."""

    def mark_all_read(self, user: str, at: datetime) -> int:
        """How many were unread; those that arrive meanwhile may stay unread."""
