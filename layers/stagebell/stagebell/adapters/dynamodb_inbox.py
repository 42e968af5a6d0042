"""The inbox in DynamoDB: all notices of a user in one partition of the people table.

pk = inbox#<user>   sk = all#<at>#<id>      the notice
                    sk = unread#<at>#<id>   the same, while it is unread: one query reads those
                    sk = id#<id>            when it came: a notice is put once, and is found by its id
                    sk = count              how many are unread

The count changes in the transaction that puts or marks a notice, so it is exact. For its sake an unread notice never
expires; one that was read is kept as long as history is.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from stagebell.adapters.documents import filled, instant_of, moment_text
from stagebell.adapters.dynamodb_items import Item, key_text, values_of
from stagebell.adapters.dynamodb_tables import PAGE_SIZE, Client, Expression, Listing, Table, Write, transact
from stagebell.adapters.retention import Retention
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy, StagebellError
from stagebell.domain.fields import instant_text
from stagebell.ports.inbox import Notice
from stagebell.ports.pages import Page

type _Shelf = Literal["all", "unread"]

ATTEMPTS = 4  # all notices of a user change one count, so two at once get into each other's way
BATCH = 33  # notices that are marked in one transaction: three items each, and the count
_NEW = Expression("attribute_not_exists(#pk)")
_UNREAD = Expression("attribute_exists(#pk) AND attribute_not_exists(#read_at)")


class DynamoInbox:
    def __init__(self, client: Client, people: str, retention: Retention, *, page_size: int = PAGE_SIZE) -> None:
        self._people = Table(client, people)
        self._retention = retention
        self._page_size = page_size

    def put(self, notice: Notice) -> None:
        values = _document(notice)
        self._written(
            notice.user,
            [
                self._people.putting(_id_key(notice.user, notice.id) | {"at": values["at"]}, _NEW),
                self._people.putting(_notice_key(notice, "all") | values),
                self._people.putting(_notice_key(notice, "unread") | values),
                self._counting(notice.user, 1),
            ],
        )

    def notices(self, user: str, cursor: str | None = None, *, unread: bool = False) -> Page[Notice]:
        return self._page(user, "unread" if unread else "all", cursor, self._page_size)

    def unread(self, user: str) -> int:
        stored = self._people.get(_count_key(user))
        return int(stored["unread"]["N"]) if stored is not None else 0

    def get(self, user: str, id: str) -> Notice | None:
        entry = self._people.get(_id_key(user, id))
        if entry is None:
            return None
        stored = self._people.get({"pk": _partition(user), "sk": f"all#{entry['at']['S']}#{id}"})
        return _notice(stored) if stored is not None else None

    def mark_read(self, user: str, id: str, at: datetime) -> Notice | None:
        notice = self.get(user, id)
        if notice is None or notice.read_at is not None:
            return notice
        return replace(notice, read_at=at) if self._mark(user, [notice], at) else self.get(user, id)

    def mark_all_read(self, user: str, at: datetime) -> int:
        """Newest first, batch by batch: what arrives meanwhile is before the first."""
        marked, page = 0, self._page(user, "unread", None, BATCH)
        while page.items:
            marked += self._mark_batch(user, page.items, at)
            page = self._page(user, "unread", page.cursor, BATCH) if page.cursor else Page[Notice](())
        return marked

    def _mark_batch(self, user: str, notices: Sequence[Notice], at: datetime) -> int:
        """Where somebody marks one of them at the same moment, the others are marked by themselves."""
        if self._mark(user, notices, at):
            return len(notices)
        return sum(self._mark(user, [notice], at) for notice in notices)

    def _mark(self, user: str, notices: Sequence[Notice], at: datetime) -> bool:
        """All of them, or none where one is not unread any more."""
        writes = [write for notice in notices for write in self._marking(notice, at)]
        return self._written(user, [*writes, self._counting(user, -len(notices))])

    def _marking(self, notice: Notice, at: datetime) -> list[Write]:
        expires_at = self._retention.expires_at()
        read = Expression(
            "SET #read_at = :read_at, #expires_at = :expires_at", read_at=instant_text(at), expires_at=expires_at
        )
        expiring = Expression("SET #expires_at = :expires_at", expires_at=expires_at)
        return [
            self._people.updating(_notice_key(notice, "all"), read, _UNREAD),
            self._people.updating(_id_key(notice.user, notice.id), expiring),
            self._people.deleting(_notice_key(notice, "unread")),
        ]

    def _counting(self, user: str, more: int) -> Write:
        return self._people.updating(_count_key(user), Expression("ADD #unread :more", more=more))

    def _written(self, user: str, writes: Sequence[Write]) -> bool:
        """False where a condition does not hold: somebody has done it already."""
        for _ in range(ATTEMPTS):
            reasons = set(transact(self._people.client, writes)) - {""}
            if not reasons:
                return True
            if "refused" in reasons:
                return False
            if reasons != {"conflict"}:
                raise StagebellError(f"the inbox of {user} could not be changed: {', '.join(sorted(reasons))}")
        raise RecordBusy(f"the inbox of {user} was changed by others {ATTEMPTS} times; trying again later is safe")

    def _page(self, user: str, shelf: _Shelf, cursor: str | None, size: int) -> Page[Notice]:
        condition = Expression(
            "#pk = :pk AND #sk BETWEEN :first AND :last",
            pk=_partition(user),
            first=f"{shelf}#",
            last=f"{shelf}$",  # `$` follows `#`
        )
        listing = Listing(condition, key=("pk", "sk"), newest_first=True, name=f"{shelf} notices of {user}")
        page = self._people.page(listing, cursor, size)
        return Page(tuple(map(_notice, page.items)), page.cursor)


def _partition(user: str) -> str:
    return f"inbox#{key_text(user)}"


def _notice_key(notice: Notice, shelf: _Shelf) -> dict[str, str]:
    return {"pk": _partition(notice.user), "sk": f"{shelf}#{instant_text(notice.at)}#{notice.id}"}


def _id_key(user: str, id: str) -> dict[str, str]:
    return {"pk": _partition(user), "sk": f"id#{id}"}


def _count_key(user: str) -> dict[str, str]:
    return {"pk": _partition(user), "sk": "count"}


def _document(notice: Notice) -> dict[str, Any]:
    return filled(
        {
            "id": notice.id,
            "user": notice.user,
            "at": instant_text(notice.at),
            "subject": notice.subject,
            "body": notice.body,
            "record": str(notice.record),
            "url": notice.url,
            "run": notice.run,
            "definition": notice.definition,
            "read_at": moment_text(notice.read_at),
        }
    )


def _notice(stored: Item) -> Notice:
    values = values_of(stored)
    return Notice(
        id=values["id"],
        user=values["user"],
        at=datetime.fromisoformat(values["at"]),
        subject=values.get("subject", ""),
        body=values.get("body", ""),
        record=RecordKey.parse(values["record"]),
        url=values.get("url", ""),
        run=values.get("run", ""),
        definition=values.get("definition", ""),
        read_at=instant_of(values, "read_at"),
    )
