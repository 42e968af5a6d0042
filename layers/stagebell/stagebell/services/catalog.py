"""The catalog: active definitions, compiled once and reused while the definitions' revision stands still."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain import invitations
from stagebell.domain.calendars import HolidayLookup, WorkingCalendar, calendar_from
from stagebell.domain.conditions import NEVER, Condition, View, compile_condition
from stagebell.domain.errors import DefinitionBroken, NotFound, Problem
from stagebell.domain.local_time import resolve_zone
from stagebell.domain.matching import Index
from stagebell.domain.records import Record
from stagebell.domain.reminders import SEPARATOR, is_of_reminders, reminders_of
from stagebell.domain.scenario_documents import read_scenario
from stagebell.domain.scenarios import Scenario
from stagebell.ports.definitions import Definition, Definitions
from stagebell.services.shelves import RUNNING, Shelves, scenarios_of

PINNED_LIMIT = 2_000


class Catalog(Shelves):
    """Compiled scenarios (workflows are such) and calendars.

    Scenarios that do not compile against today's objects are left out of the index and listed in `broken`."""

    def __init__(self, definitions: Definitions, holidays: HolidayLookup, zone: ZoneInfo) -> None:
        super().__init__(definitions)
        self.zone = zone
        self.broken: dict[str, Problem] = {}
        self._holidays = holidays
        self._indexes: dict[str, Index] = {}
        self._calendars: dict[str, WorkingCalendar] = {}
        self._pinned: dict[tuple[str, int], Scenario] = {}
        self._closed: dict[str, Condition] = {}

    def _forget(self) -> None:
        super()._forget()
        self.broken, self._indexes, self._calendars, self._pinned, self._closed = {}, {}, {}, {}, {}

    def index(self, object_name: str) -> Index:
        """The active scenarios and workflows of an object, filed for matching."""
        found = self._indexes.get(object_name)
        if found is None:
            definitions = (*self.shelf(scenarios_of(object_name)).values(), *_built_in(object_name))
            compiled = [self._compile(d) for d in definitions]
            found = self._indexes[object_name] = Index(s for s in compiled if s is not None)
        return found

    def scenario(self, name: str, version: int) -> Scenario:
        """The version a run is pinned to; `name` may be that of a step's reminders.

        Raises DefinitionBroken where it does not fit today's objects."""
        if is_of_reminders(name):
            return self._reminders(name, version)
        pinned = self._pinned.get((name, version))
        if pinned is None:
            pinned = self._compile(self._version(name, version))
        if pinned is None:
            problem = self.broken[f"{name}@{version}"]
            raise DefinitionBroken(f"{name} version {version}, {problem.path}: {problem.message}")
        return pinned

    def _version(self, name: str, version: int) -> Definition:
        if name in invitations.DOCUMENTS:
            return _shipped(invitations.DOCUMENTS[name])
        stored = (self._definitions.version(kind, name, version) for kind in RUNNING)
        definition = next((found for found in stored if found is not None), None)
        if definition is None:
            raise NotFound(f"no scenario or workflow {name} has a version {version}")
        return definition

    def _reminders(self, name: str, version: int) -> Scenario:
        parent, _, step = name.partition(SEPARATOR)
        scenario = self.scenario(parent, version)
        found = reminders_of(scenario, scenario.step(step), self.schema)
        if found is None:
            raise NotFound(f"step {step} of {parent} version {version} asks for no reminders")
        return found

    def is_closed(self, record: Record, now: datetime) -> bool:
        """Whether a record no longer counts as open work, as its object says."""
        kind = self.schema[record.key.object]
        if kind.closed_if is None:
            return False
        if kind.name not in self._closed:
            problems: list[Problem] = []
            compiled = compile_condition(kind.closed_if, kind.name, self.schema, problems, "closed_if")
            self._closed[kind.name] = compiled if not problems else NEVER
        return self._closed[kind.name].holds(View(record.current, record.current, now, self.zone))

    def calendar(self, name: str) -> WorkingCalendar | None:
        """The active calendar of that name; None for no name."""
        if not name:
            return None
        if name not in self._calendars:
            document = self.document("calendar", name)
            if document is None:
                raise DefinitionBroken(f"calendar {name} is not active: activate it, or take it out of the definition")
            self._calendars[name] = calendar_from(document, self._holidays, self.zone)
        return self._calendars[name]

    def zone_named(self, name: str) -> ZoneInfo:
        """A zone by its name; the stack's for no name."""
        return resolve_zone(name) if name else self.zone

    def _compile(self, definition: Definition) -> Scenario | None:
        problems: list[Problem] = []
        scenario = read_scenario(definition.document, definition.version, self.schema, problems)
        if scenario is not None and scenario.calendar and self.document("calendar", scenario.calendar) is None:
            problems.append(Problem("calendar", "known_calendar", f"calendar {scenario.calendar} is not active"))
        if problems or scenario is None:
            self.broken[f"{definition.name}@{definition.version}"] = problems[0]
            return None
        if len(self._pinned) >= PINNED_LIMIT:
            self._pinned.clear()
        self._pinned[definition.name, definition.version] = scenario
        return scenario


def _built_in(object_name: str) -> Iterator[Definition]:
    """The workflows of an object that are always active."""
    if object_name == invitations.OBJECT:
        yield from map(_shipped, invitations.DOCUMENTS.values())


def _shipped(document: Mapping[str, Any]) -> Definition:
    return Definition(document["kind"], document["name"], invitations.VERSION, document, _NEVER_SAVED)


_NEVER_SAVED = datetime.min.replace(tzinfo=UTC)
