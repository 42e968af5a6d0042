"""Shelves: the active definitions as stored, read once and reused while the definitions' revision stands still."""

from collections.abc import Mapping
from typing import Any

from stagebell.domain.objects import Schema, read_object, with_built_ins
from stagebell.ports.definitions import Definition, Definitions

RUNNING = ("scenario", "workflow")
"""The kinds of definition that have runs. Their names are unique among them: a run names its definition by name."""


class Shelves:
    """Objects and documents. `refresh` costs one small read; everything else is read when it is first asked for."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._revision = -1
        self._schema: Schema | None = None
        self._shelves: dict[str, Mapping[str, Definition]] = {}

    def refresh(self) -> bool:
        """Look whether definitions changed; if so, forget what was read and say True."""
        revision = self._definitions.revision()
        changed = revision != self._revision
        if changed:
            self._revision = revision
            self._forget()
        return changed

    def _forget(self) -> None:
        self._schema = None
        self._shelves = {}

    @property
    def schema(self) -> Schema:
        """All objects, built-in ones included."""
        if self._schema is None:
            objects = self.shelf("object").values()
            self._schema = with_built_ins({d.name: read_object(d.document, d.version) for d in objects})
        return self._schema

    def document(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The active document of a source, template, calendar or function."""
        definition = self.shelf(kind).get(name)
        return definition.document if definition else None

    def shelf(self, shelf: str) -> Mapping[str, Definition]:
        if shelf not in self._shelves:
            self._shelves[shelf] = {d.name: d for d in self._definitions.active(shelf)}
        return self._shelves[shelf]


def shelf_of(document: Mapping[str, Any]) -> str:
    """Where an active definition is filed: scenarios and workflows under their object, all else under its kind."""
    kind = str(document["kind"])
    return scenarios_of(document["object"]) if kind in RUNNING else kind


def scenarios_of(object_name: str) -> str:
    """The shelf of an object's scenarios and workflows."""
    return f"scenario:{object_name}"
