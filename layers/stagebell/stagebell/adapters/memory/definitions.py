"""Definitions in memory."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from stagebell.adapters.memory.pages import PAGE_SIZE, page_of
from stagebell.domain.errors import Conflict
from stagebell.ports.definitions import ACTIVE_LIMIT, Definition, Head
from stagebell.ports.pages import Page


class MemoryDefinitions:
    def __init__(self, *, page_size: int = PAGE_SIZE, limit: int = ACTIVE_LIMIT) -> None:
        self._versions: dict[tuple[str, str], dict[int, Definition]] = defaultdict(dict)
        self._heads: dict[tuple[str, str], Head] = {}
        self._active: dict[str, dict[str, Definition]] = defaultdict(dict)
        self._revision = 0
        self._page_size = page_size
        self._limit = limit

    def revision(self) -> int:
        return self._revision

    def active(self, shelf: str) -> Sequence[Definition]:
        return [definition for _, definition in sorted(self._active.get(shelf, {}).items())]

    def version(self, kind: str, name: str, version: int) -> Definition | None:
        return self._versions.get((kind, name), {}).get(version)

    def versions(self, kind: str, name: str, cursor: str | None = None) -> Page[Definition]:
        found = self._versions.get((kind, name), {}).values()
        return page_of(found, _position, f"versions of {kind} {name}", cursor, size=self._page_size)

    def head(self, kind: str, name: str) -> Head | None:
        return self._heads.get((kind, name))

    def heads(self, kind: str, cursor: str | None = None) -> Page[Head]:
        found = (head for head in self._heads.values() if head.kind == kind)
        size = self._page_size
        return page_of(found, lambda h: (h.name,), f"heads of {kind}", cursor, size=size, newest_first=False)

    def save(self, definition: Definition, expected_latest: int) -> None:
        place = (definition.kind, definition.name)
        head = self._heads.get(place)
        if (head.latest if head else 0) != expected_latest or definition.version in self._versions[place]:
            raise Conflict(f"{definition.kind} {definition.name} was saved by someone else meanwhile: read it again")
        self._versions[place][definition.version] = definition
        self._heads[place] = replace(head or Head(*place, latest=0), latest=definition.version)

    def point(self, head: Head, expected: Head, definition: Definition | None) -> None:
        stored = self._heads.get((head.kind, head.name))
        if stored is None or (stored.active, stored.latest) != (expected.active, expected.latest):
            raise Conflict(f"{head.kind} {head.name} was changed by someone else meanwhile: read it again")
        if definition is not None and not expected.active and sum(map(len, self._active.values())) >= self._limit:
            raise Conflict(f"{self._limit:,} definitions are active, which is the limit: deactivate one first")
        self._heads[head.kind, head.name] = head
        self._active[expected.shelf].pop(head.name, None)
        if definition is not None:
            self._active[head.shelf][head.name] = definition
        self._revision += 1


def _position(definition: Definition) -> tuple[str, ...]:
    return (f"{definition.version:010}",)
