"""Looking: the view a condition or template sees: the record, the records it refers to, its zone and calendar."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from stagebell.domain.changes import RecordKey
from stagebell.domain.conditions import Related, View
from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import Value
from stagebell.domain.objects import Schema
from stagebell.domain.paths import Path, resolve
from stagebell.domain.scenarios import Scenario
from stagebell.ports.records import Records
from stagebell.services.catalog import Catalog

type Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Lookout:
    """Makes views. References are read level by level, only those that some condition follows."""

    catalog: Catalog
    records: Records

    def view(
        self, object_name: str, before: Fields, after: Fields, at: datetime, paths: Iterable[Path], zoned: bool
    ) -> View:
        """One view for several scenarios of a record; `fitted` gives each its own zone and calendar."""
        wanted = {path.hops for path in paths if path.hops}
        if zoned:
            wanted |= self._owner_hops(object_name)
        related = self._related(after, wanted) if wanted else _nobody
        return View(before, after, at, self.catalog.zone, related=related)

    def fitted(self, view: View, scenario: Scenario) -> View:
        """The view in the scenario's zone (rule 12: definition, else owner's, else the stack's) and calendar."""
        if not scenario.timezone and not scenario.calendar and not scenario.local:
            return view
        zone = self.zone(view, scenario)
        return replace(view, zone=zone, calendar=self.catalog.calendar(scenario.calendar))

    def zone(self, view: View, scenario: Scenario) -> ZoneInfo:
        name = scenario.timezone or self._owner_zone(view, scenario.object)
        try:
            return self.catalog.zone_named(name)
        except InvalidValue:  # an owner's own time zone may be anything the CRM holds
            return self.catalog.zone

    def _owner_zone(self, view: View, object_name: str) -> str:
        field = self.catalog.schema[object_name].owner_field
        path = resolve(f"{field}.timezone", object_name, self.catalog.schema) if field else ""
        name = "" if isinstance(path, str) else view.value(path)
        return name if isinstance(name, str) else ""

    def _owner_hops(self, object_name: str) -> set[tuple[tuple[str, str], ...]]:
        field = self.catalog.schema[object_name].owner_field
        return {((field, "user"),)} if field else set()

    def _related(self, fields: Fields, wanted: Iterable[tuple[tuple[str, str], ...]]) -> Related:
        found: dict[RecordKey, Fields] = {}
        reached: dict[tuple[tuple[str, str], ...], Fields] = {(): fields}
        for depth in range(1, max(map(len, wanted), default=0) + 1):
            chains = {hops[:depth] for hops in wanted if len(hops) >= depth}
            keys = {chain: key for chain in chains if (key := _next_key(reached, chain)) is not None}
            missing = set(keys.values()) - found.keys()
            if missing:
                found |= {key: record.current for key, record in self.records.many(missing).items()}
            reached |= {chain: found[key] for chain, key in keys.items() if key in found}
        return _reader(found)


def _next_key(
    reached: Mapping[tuple[tuple[str, str], ...], Fields], chain: tuple[tuple[str, str], ...]
) -> RecordKey | None:
    *_, (name, target) = chain
    reference = reached.get(chain[:-1], {}).get(name)
    return RecordKey(target, reference) if isinstance(reference, str) else None


def _reader(found: Mapping[RecordKey, Fields]) -> Callable[[str, str], Fields | None]:
    return lambda object_name, record: found.get(RecordKey(object_name, record))


def _nobody(_object: str, _id: str) -> None:
    return None


def needs_zone(scenarios: Iterable[Scenario], schema: Schema) -> bool:
    """Whether any of the scenarios reckons in local time without naming its zone: then the owner is read."""
    return any(s.local and not s.timezone and schema[s.object].owner_field for s in scenarios)
