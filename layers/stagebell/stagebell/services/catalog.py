"""The catalog: active definitions, compiled once and reused while the definitions' revision stands still."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain.calendars import HolidayLookup, WorkingCalendar, calendar_from
from stagebell.domain.errors import DefinitionBroken, NotFound, Problem
from stagebell.domain.local_time import resolve_zone
from stagebell.domain.matching import Index
from stagebell.domain.objects import Schema, read_object, with_built_ins
from stagebell.domain.scenarios import Scenario, read_scenario
from stagebell.ports import Definition, Definitions

PINNED_LIMIT = 2_000


@dataclass(slots=True)
class _Active:
    """What is compiled for one revision."""

    revision: int = -1
    schema: Schema | None = None
    indexes: dict[str, Index] = field(default_factory=dict)
    shelves: dict[str, Mapping[str, Definition]] = field(default_factory=dict)
    calendars: dict[str, WorkingCalendar] = field(default_factory=dict)


class Catalog:
    """Reads definitions through the port and keeps them compiled. `refresh` costs one small read.

    Scenarios that do not compile against today's objects are left out of the index and listed in `broken`."""

    def __init__(self, definitions: Definitions, holidays: HolidayLookup, zone: ZoneInfo) -> None:
        self.zone = zone
        self.broken: dict[str, Problem] = {}
        self._definitions = definitions
        self._holidays = holidays
        self._active = _Active()
        self._pinned: dict[tuple[str, int], Scenario] = {}

    def refresh(self) -> None:
        revision = self._definitions.revision()
        if revision != self._active.revision:
            self._active = _Active(revision)
            self._pinned.clear()
            self.broken.clear()

    @property
    def schema(self) -> Schema:
        if self._active.schema is None:
            objects = self._shelf("object").values()
            declared = {d.name: read_object(d.document, d.version) for d in objects}
            self._active.schema = with_built_ins(declared)
        return self._active.schema

    def index(self, object_name: str) -> Index:
        """The active scenarios of an object, filed for matching."""
        found = self._active.indexes.get(object_name)
        if found is None:
            compiled = [self._compile(d) for d in self._shelf(f"scenario:{object_name}").values()]
            found = self._active.indexes[object_name] = Index(s for s in compiled if s is not None)
        return found

    def scenario(self, name: str, version: int) -> Scenario:
        """The version a run is pinned to. Raises DefinitionBroken where it does not fit today's objects."""
        pinned = self._pinned.get((name, version))
        if pinned is None:
            definition = self._definitions.version("scenario", name, version)
            if definition is None:
                raise NotFound(f"scenario {name} has no version {version}")
            pinned = self._compile(definition)
        if pinned is None:
            problem = self.broken[f"{name}@{version}"]
            raise DefinitionBroken(f"scenario {name} version {version}, {problem.path}: {problem.message}")
        return pinned

    def document(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The active document of a source or template."""
        definition = self._shelf(kind).get(name)
        return definition.document if definition else None

    def calendar(self, name: str) -> WorkingCalendar | None:
        """The active calendar of that name; None for no name."""
        if not name:
            return None
        if name not in self._active.calendars:
            document = self.document("calendar", name)
            if document is None:
                raise DefinitionBroken(f"calendar {name} is not active: activate it, or take it out of the definition")
            self._active.calendars[name] = calendar_from(document, self._holidays, self.zone)
        return self._active.calendars[name]

    def zone_named(self, name: str) -> ZoneInfo:
        return resolve_zone(name) if name else self.zone

    def _shelf(self, shelf: str) -> Mapping[str, Definition]:
        if shelf not in self._active.shelves:
            self._active.shelves[shelf] = {d.name: d for d in self._definitions.active(shelf)}
        return self._active.shelves[shelf]

    def _compile(self, definition: Definition) -> Scenario | None:
        problems: list[Problem] = []
        scenario = read_scenario(definition.document, definition.version, self.schema, problems)
        if problems or scenario is None:
            self.broken[f"{definition.name}@{definition.version}"] = problems[0]
            return None
        if len(self._pinned) >= PINNED_LIMIT:
            self._pinned.clear()
        self._pinned[definition.name, definition.version] = scenario
        return scenario


def shelf_of(document: Mapping[str, Any]) -> str:
    """Where an active definition is filed: a scenario under its object, everything else under its kind."""
    kind = str(document["kind"])
    return f"{kind}:{document['object']}" if kind == "scenario" else kind
