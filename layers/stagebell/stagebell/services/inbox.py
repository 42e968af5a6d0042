"""The inbox as its user's application reads it."""

from datetime import datetime

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import NotFound
from stagebell.ports.inbox import Inbox, Notice
from stagebell.ports.pages import Page
from stagebell.ports.records import Records


def notices(
    inbox: Inbox, records: Records, user: str, cursor: str | None = None, *, unread: bool = False
) -> Page[Notice]:
    """Newest first. Raises NotFound where there is no such user: whoever has notices is known."""
    page = inbox.notices(user, cursor, unread=unread)
    if not page.items:
        _demand(records, user)
    return page


def unread(inbox: Inbox, records: Records, user: str) -> int:
    """How many there are. Raises NotFound as `notices`."""
    count = inbox.unread(user)
    if not count:
        _demand(records, user)
    return count


def mark_read(inbox: Inbox, user: str, id: str, at: datetime) -> Notice:
    marked = inbox.mark_read(user, id, at)
    if marked is None:
        raise NotFound(f"user {user} has no notice {id}")
    return marked


def mark_all_read(inbox: Inbox, records: Records, user: str, at: datetime) -> int:
    """How many there were. Raises NotFound as `notices`."""
    marked = inbox.mark_all_read(user, at)
    if not marked:
        _demand(records, user)
    return marked


def _demand(records: Records, user: str) -> None:
    if not records.load(RecordKey("user", user)).record.version:
        raise NotFound(f"there is no user {user}: no change of such a record has arrived yet")
