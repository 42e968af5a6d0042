"""The inbox in memory."""

from dataclasses import replace
from datetime import datetime

from stagebell.adapters.memory.pages import PAGE_SIZE, page_of
from stagebell.domain.fields import instant_text
from stagebell.ports.inbox import Notice
from stagebell.ports.pages import Page


class MemoryInbox:
    """With `keep=False` notices are taken and forgotten, so that memory stays bounded."""

    def __init__(self, *, keep: bool = True, page_size: int = PAGE_SIZE) -> None:
        self._keep = keep
        self._page_size = page_size
        self._notices: dict[tuple[str, str], Notice] = {}

    def put(self, notice: Notice) -> None:
        if self._keep:
            self._notices.setdefault((notice.user, notice.id), notice)

    def notices(self, user: str, cursor: str | None = None, *, unread: bool = False) -> Page[Notice]:
        found = self._unread(user) if unread else self._of(user)
        return page_of(found, _position, _query(user, unread), cursor, size=self._page_size)

    def unread(self, user: str) -> int:
        return len(self._unread(user))

    def get(self, user: str, id: str) -> Notice | None:
        return self._notices.get((user, id))

    def mark_read(self, user: str, id: str, at: datetime) -> Notice | None:
        notice = self.get(user, id)
        if notice is not None and notice.read_at is None:
            notice = self._notices[user, id] = replace(notice, read_at=at)
        return notice

    def mark_all_read(self, user: str, at: datetime) -> int:
        waiting = self._unread(user)
        for notice in waiting:
            self.mark_read(user, notice.id, at)
        return len(waiting)

    def _of(self, user: str) -> list[Notice]:
        return [notice for (owner, _), notice in self._notices.items() if owner == user]

    def _unread(self, user: str) -> list[Notice]:
        return [notice for notice in self._of(user) if notice.read_at is None]


def _position(notice: Notice) -> tuple[str, ...]:
    return (instant_text(notice.at), notice.id)


def _query(user: str, unread: bool) -> str:
    return f"{'unread ' if unread else ''}notices of {user}"
