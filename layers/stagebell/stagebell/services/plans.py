"""Planning a change: which definitions it may concern, what they need to see, and what becomes of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from stagebell.domain.conditions import View
from stagebell.domain.errors import DefinitionBroken, NotFound
from stagebell.domain.limits import REACHED
from stagebell.domain.paths import Path
from stagebell.domain.planning import Plan, Planner, affected
from stagebell.domain.records import Comparison
from stagebell.domain.reminders import due_anew, is_of_reminders
from stagebell.domain.runs import Enrolment, Run
from stagebell.domain.scenarios import Scenario
from stagebell.ports.clock import Clock
from stagebell.ports.records import Records, Stored
from stagebell.ports.runs import Runs
from stagebell.services.catalog import Catalog
from stagebell.services.look import Lookout, needs_zone

NOT_STARTED: Mapping[str, str] = MappingProxyType(
    {
        "not_matched": "its only_if does not hold",
        "once_only": "it runs once for a record, and the record has had its run",
        "already_running": "a run of it for this record waits already",
        **REACHED,
    }
)
"""Why nothing was started, in words: by the limit that was reached, or by the outcome."""


@dataclass(frozen=True, slots=True)
class Watch:
    """An open run's scenario (at its pinned version) and what the record remembers of it."""

    scenario: Scenario
    enrolment: Enrolment


@dataclass(frozen=True, slots=True)
class Plans:
    """Makes the plan of one change; reads what that takes, and writes nothing."""

    catalog: Catalog
    records: Records
    runs: Runs
    clock: Clock

    def plan(
        self,
        stored: Stored,
        comparison: Comparison,
        starts: Sequence[Scenario] = (),
        *,
        alone: bool = False,
        acting: Run | None = None,
    ) -> Plan:
        """`starts` are considered beside the scenarios that the change lets in, or `alone`."""
        if comparison.event is None or comparison.change.key.object not in self.catalog.schema:
            return Planner(comparison, stored.enrolments, {}, self.clock.now(), acting).plan()
        watches = list(self._watches(stored))
        candidates = [*starts] if alone else [*self._candidates(stored, comparison), *starts]
        if not watches and not candidates and acting is None:
            return Plan()
        view = self._view(comparison, watches, candidates)
        views = Fitted(Lookout(self.catalog, self.records), view)
        touched = self._touched(watches, candidates, comparison, views, acting)
        planner = Planner(comparison, stored.enrolments, touched, self.clock.now(), acting)
        for watch in watches:
            if watch.enrolment.run in touched and affected(
                watch.scenario, watch.enrolment, comparison, views[watch.scenario]
            ):
                planner.follow(watch.scenario, touched[watch.enrolment.run], views[watch.scenario])
        for scenario in candidates:
            planner.consider(scenario, views[scenario])
        return planner.plan()

    def _watches(self, stored: Stored) -> Iterator[Watch]:
        for enrolment in stored.enrolments.values():
            if enrolment.open:
                yield from (Watch(scenario, enrolment) for scenario in self._known(enrolment))

    def _candidates(self, stored: Stored, comparison: Comparison) -> list[Scenario]:
        if comparison.change.mode == "record_only":
            return []
        found = self.catalog.index(comparison.change.key.object).candidates(comparison)
        return [*found, *self._reminders(stored)] if due_anew(comparison) else found

    def _reminders(self, stored: Stored) -> Iterator[Scenario]:
        """Those of a task that have ended."""
        for enrolment in stored.enrolments.values():
            if is_of_reminders(enrolment.definition) and not enrolment.open:
                yield from self._known(enrolment)

    def _known(self, enrolment: Enrolment) -> Iterator[Scenario]:
        """The scenario of an enrolment, at its pinned version. Where it cannot be read the change counts all the same;
        a run of it fails, and says why, when its step is due."""
        try:
            yield self.catalog.scenario(enrolment.definition, enrolment.version)
        except (DefinitionBroken, NotFound):
            return

    def _view(self, comparison: Comparison, watches: list[Watch], candidates: list[Scenario]) -> View:
        paths: list[Path] = [path for watch in watches for path in watch.scenario.watch_paths]
        paths += [path for scenario in candidates for path in scenario.entry_paths]
        scenarios = [*candidates, *(watch.scenario for watch in watches)]
        after = comparison.known if comparison.event == "deleted" else comparison.after.current
        lookout = Lookout(self.catalog, self.records)
        zoned = needs_zone(scenarios, self.catalog.schema)
        change = comparison.change
        return lookout.view(change.key.object, comparison.known, after, change.occurred_at, paths, zoned)

    def _touched(
        self,
        watches: list[Watch],
        candidates: list[Scenario],
        comparison: Comparison,
        views: "Fitted",
        acting: Run | None,
    ) -> Mapping[str, Run]:
        """The open runs this change may end, shorten or re-time; only these are read."""
        entering = {scenario.name for scenario in candidates}
        found = {}
        for watch in watches:
            known = watch.scenario.name in entering and not watch.scenario.at_once
            if known or affected(watch.scenario, watch.enrolment, comparison, views[watch.scenario]):
                ours = acting is not None and acting.id == watch.enrolment.run
                run = acting if ours else self.runs.get(watch.enrolment.run)
                if run is not None and run.open:
                    found[run.id] = run
        return found


class Fitted:
    """The change's view, fitted to each scenario's zone and calendar once."""

    def __init__(self, lookout: Lookout, view: View) -> None:
        self._lookout = lookout
        self._view = view
        self._fitted: dict[tuple[str, int], View] = {}

    def __getitem__(self, scenario: Scenario) -> View:
        key = (scenario.name, scenario.version)
        if key not in self._fitted:
            self._fitted[key] = self._lookout.fitted(self._view, scenario)
        return self._fitted[key]
