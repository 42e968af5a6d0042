"""Definitions in DynamoDB: all versions, where each definition stands, and what is active, by shelf.

pk = head#<kind>             sk = <name>
pk = version#<kind>#<name>   sk = <version, ten digits>
pk = active#<shelf>          sk = <name>       the document is repeated here, so that one query reads a shelf
pk = counter                 sk = counter      raised by every activation and deactivation
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stagebell.adapters.dynamodb_items import Item, packed, values_of
from stagebell.adapters.dynamodb_tables import PAGE_SIZE, Client, Expression, Listing, Table, Write, transact
from stagebell.domain.errors import Conflict, StagebellError
from stagebell.domain.fields import instant_text
from stagebell.ports.definitions import ACTIVE_LIMIT, Definition, Head
from stagebell.ports.pages import Page

_COUNTER = {"pk": "counter", "sk": "counter"}


class DynamoDefinitions:
    def __init__(
        self, client: Client, definitions: str, *, page_size: int = PAGE_SIZE, limit: int = ACTIVE_LIMIT
    ) -> None:
        self._table = Table(client, definitions)
        self._page_size = page_size
        self._limit = limit

    def revision(self) -> int:
        stored = self._table.get(_COUNTER)
        return int(stored["revision"]["N"]) if stored is not None else 0

    def active(self, shelf: str) -> Sequence[Definition]:
        return [_definition(stored) for stored in self._table.every(Expression("#pk = :pk", pk=f"active#{shelf}"))]

    def version(self, kind: str, name: str, version: int) -> Definition | None:
        stored = self._table.get(_version_key(kind, name, version))
        return _definition(stored) if stored is not None else None

    def versions(self, kind: str, name: str, cursor: str | None = None) -> Page[Definition]:
        listing = _under(f"version#{kind}#{name}", f"versions of {kind} {name}", newest_first=True)
        page = self._table.page(listing, cursor, self._page_size)
        return Page(tuple(map(_definition, page.items)), page.cursor)

    def head(self, kind: str, name: str) -> Head | None:
        stored = self._table.get(_head_key(kind, name))
        return _head(stored) if stored is not None else None

    def heads(self, kind: str, cursor: str | None = None) -> Page[Head]:
        page = self._table.page(_under(f"head#{kind}", f"heads of {kind}"), cursor, self._page_size)
        return Page(tuple(map(_head, page.items)), page.cursor)

    def save(self, definition: Definition, expected_latest: int) -> None:
        kind, name, version = definition.kind, definition.name, definition.version
        key = _version_key(kind, name, version)
        stands = Expression("#latest = :expected", expected=expected_latest)
        head = Expression(
            "SET #latest = :latest, #kind = :kind, #name = :name, #active = if_not_exists(#active, :none)",
            latest=version,
            kind=kind,
            name=name,
            none=0,
        )
        new = Expression("attribute_not_exists(#pk)")
        self._all_or_nothing(
            definition,
            [
                self._table.putting(_values(key, definition), new),
                self._table.updating(_head_key(kind, name), head, stands if expected_latest else new),
            ],
        )

    def point(self, head: Head, expected: Head, definition: Definition | None) -> None:
        stands = Expression("#active = :active AND #latest = :latest", active=expected.active, latest=expected.latest)
        more = (definition is not None) - bool(expected.active)
        counted = Expression("ADD #revision :one, #count :more", one=1, more=more)
        room = Expression("attribute_not_exists(#count) OR #count < :limit", limit=self._limit) if more > 0 else None
        self._all_or_nothing(
            head,
            [
                self._table.updating(_COUNTER, counted, room),
                self._table.putting(_head_values(head), stands),
                *self._filing(head, expected, definition),
            ],
            full=f"{self._limit:,} definitions are active, which is the limit: deactivate one first",
        )

    def _filing(self, head: Head, expected: Head, definition: Definition | None) -> list[Write]:
        new_place = _active_key(head.shelf, head.name) if definition is not None else None
        old_place = _active_key(expected.shelf, head.name)
        writes = []
        if definition is not None and new_place is not None:
            writes.append(self._table.putting(_values(new_place, definition)))
        if old_place != new_place:
            writes.append(self._table.deleting(old_place))
        return writes

    def _all_or_nothing(self, what: Definition | Head, writes: Sequence[Write], full: str = "") -> None:
        """`full` is what it means when the first condition alone does not hold."""
        reasons = transact(self._table.client, writes)
        if full and reasons and reasons[0] == "refused" and not any(reasons[1:]):
            raise Conflict(full)
        if {"refused", "conflict"} & set(reasons):
            raise Conflict(f"{what.kind} {what.name} was changed by someone else meanwhile: read it again")
        if reasons:
            raise StagebellError(f"{what.kind} {what.name} could not be stored: {', '.join(filter(None, reasons))}")


def _under(pk: str, name: str, *, newest_first: bool = False) -> Listing:
    return Listing(Expression("#pk = :pk", pk=pk), key=("pk", "sk"), newest_first=newest_first, name=name)


def _head_key(kind: str, name: str) -> dict[str, str]:
    return {"pk": f"head#{kind}", "sk": name}


def _version_key(kind: str, name: str, version: int) -> dict[str, str]:
    return {"pk": f"version#{kind}#{name}", "sk": f"{version:010}"}


def _active_key(shelf: str, name: str) -> dict[str, str]:
    return {"pk": f"active#{shelf}", "sk": name}


def _values(key: Mapping[str, str], definition: Definition) -> Mapping[str, Any]:
    values = {
        "kind": definition.kind,
        "name": definition.name,
        "version": definition.version,
        "document": dict(definition.document),
        "saved_at": instant_text(definition.saved_at),
        "saved_by": definition.saved_by,
    }
    return packed({**key, **values}, big=("document",))


def _definition(stored: Item) -> Definition:
    values = values_of(stored, ("document",))
    return Definition(
        kind=values["kind"],
        name=values["name"],
        version=values["version"],
        document=values.get("document", {}),
        saved_at=datetime.fromisoformat(values["saved_at"]),
        saved_by=values.get("saved_by", ""),
    )


def _head_values(head: Head) -> Mapping[str, Any]:
    return _head_key(head.kind, head.name) | {
        "kind": head.kind,
        "name": head.name,
        "latest": head.latest,
        "active": head.active,
        "halted": head.halted,
        "shelf": head.shelf,
        "changed_at": instant_text(head.changed_at) if head.changed_at else None,
        "changed_by": head.changed_by,
    }


def _head(stored: Item) -> Head:
    values = values_of(stored)
    changed = values.get("changed_at")
    return Head(
        kind=values["kind"],
        name=values["name"],
        latest=values["latest"],
        active=values.get("active", 0),
        halted=values.get("halted", ""),
        shelf=values.get("shelf", ""),
        changed_at=datetime.fromisoformat(changed) if changed else None,
        changed_by=values.get("changed_by", ""),
    )
