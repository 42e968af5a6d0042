"""Applying: one change to one record's mirror, and everything that follows from it, in one transaction.

The only writer of mirrors. A crash anywhere is repaired by the redelivery: the change exists then, so its plan is read
back and dispatched again; execution names are run ids, so dispatching twice is harmless.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.conditions import View
from stagebell.domain.errors import Conflict, DefinitionBroken, NotFound, RecordBusy
from stagebell.domain.paths import Path
from stagebell.domain.planning import Halt, Plan, Planner, Wake, affected
from stagebell.domain.records import Comparison, compare, too_large
from stagebell.domain.runs import Enrolment, Run
from stagebell.domain.scenarios import Scenario
from stagebell.ports import Applied, Clock, Commit, Records, Runs, Scheduler, Stored
from stagebell.services.catalog import Catalog
from stagebell.services.look import Lookout, needs_zone

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Watch:
    """An open run's scenario (at its pinned version) and what the record remembers of it."""

    scenario: Scenario
    enrolment: Enrolment


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies changes. `catalog` is to be refreshed by the caller, once a batch."""

    catalog: Catalog
    records: Records
    runs: Runs
    scheduler: Scheduler
    clock: Clock

    def apply(self, change: Change) -> Applied:
        """The history entry of the change, new or from the first time it was applied.

        Raises RecordBusy where others change the same record all the time; the queue delivers the change again."""
        applied = self._retried(lambda: self._try(change), change.key)
        self.dispatch(applied.dispatch)
        return applied

    def _retried(self, attempt: Callable[[], Applied | None], key: RecordKey) -> Applied:
        for _ in range(ATTEMPTS):
            applied = attempt()
            if applied is not None:
                return applied
        raise RecordBusy(f"record {key} was changed by others {ATTEMPTS} times while we tried: try again")

    def start(self, scenario: str, key: RecordKey, change: str, by: str) -> Run:
        """Start a scenario with the trigger `manual` for a record; `change` names the occasion, once.

        Raises NotFound (no such scenario or record), Conflict (another trigger, or why the run was not started)."""
        found = self.catalog.index(key.object).scenarios.get(scenario)
        if found is None:
            raise NotFound(f"no scenario {scenario} is active for {key.object}")
        if found.trigger.on != "manual":
            raise Conflict(f"scenario {scenario} starts on {found.trigger.on}; by hand only with the trigger manual")
        applied = self._retried(lambda: self._start(found, key, change, by), key)
        outcome = applied.evaluations[0]
        run = self.runs.get(outcome.get("run", ""))
        if run is None:
            raise Conflict(f"scenario {scenario} was not started for {key}: {outcome['outcome']}")
        self.dispatch(applied.dispatch)
        return run

    def _start(self, scenario: Scenario, key: RecordKey, change: str, by: str) -> Applied | None:
        stored = self.records.load(key)
        if not stored.record.exists:
            raise NotFound(f"there is no record {key}")
        occasion = Change(change, "manual", key, "updated", self.clock.now(), {}, actor=by)
        fields = stored.record.current
        comparison = Comparison(stored.record, stored.record, occasion, "manual", frozenset(), (), fields)
        return self._commit(stored, comparison, self._plan(stored, comparison, only=scenario))

    def dispatch(self, orders: Iterable[Wake | Halt]) -> None:
        for order in orders:
            if isinstance(order, Halt):
                self.scheduler.stop(order)
            else:
                self.scheduler.start(order)

    def _try(self, change: Change) -> Applied | None:
        stored = self.records.load(change.key)
        comparison = compare(stored.record, change)
        if too_large(comparison.after):
            return self._refused(comparison)
        return self._commit(stored, comparison, self._plan(stored, comparison))

    def _refused(self, comparison: Comparison) -> Applied | None:
        """A change that would make the record too large to store: kept in its history, and nowhere else."""
        unmoved = replace(comparison, after=comparison.before, changed=frozenset())
        applied = replace(_entry(unmoved, Plan(), self.clock), event="refused")
        return self._written(Commit(unmoved.before, unmoved.after, applied))

    def _commit(self, stored: Stored, comparison: Comparison, plan: Plan) -> Applied | None:
        applied = _entry(comparison, plan, self.clock)
        commit = Commit(
            comparison.before, comparison.after, applied, plan.enrolments, plan.started, plan.updated, stored.enrolments
        )
        return self._written(commit)

    def _written(self, commit: Commit) -> Applied | None:
        """What is in the history now; None where the record has moved."""
        change = commit.applied.change
        result = self.records.commit(commit)
        if result == "duplicate":
            return self.records.applied(change.key, change.id)
        return commit.applied if result == "committed" else None

    def _plan(self, stored: Stored, comparison: Comparison, only: Scenario | None = None) -> Plan:
        if comparison.event is None or comparison.change.key.object not in self.catalog.schema:
            return Plan()
        watches = list(self._watches(stored))
        candidates = [only] if only else self._candidates(comparison)
        if not watches and not candidates:
            return Plan()
        view = self._view(comparison, watches, candidates)
        views = Fitted(Lookout(self.catalog, self.records), view)
        touched = self._touched(watches, candidates, comparison, views)
        planner = Planner(comparison, stored.enrolments, touched, self.clock.now())
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
                try:
                    yield Watch(self.catalog.scenario(enrolment.definition, enrolment.version), enrolment)
                except (DefinitionBroken, NotFound):
                    continue  # the change counts all the same; the run fails, and says why, when its step is due

    def _candidates(self, comparison: Comparison) -> list[Scenario]:
        if comparison.change.mode == "record_only":
            return []
        return self.catalog.index(comparison.change.key.object).candidates(comparison)

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
        self, watches: list[Watch], candidates: list[Scenario], comparison: Comparison, views: "Fitted"
    ) -> Mapping[str, Run]:
        """The open runs this change may end, shorten or re-time; only these are read."""
        entering = {scenario.name for scenario in candidates}
        found = {}
        for watch in watches:
            known = watch.scenario.name in entering
            if known or affected(watch.scenario, watch.enrolment, comparison, views[watch.scenario]):
                run = self.runs.get(watch.enrolment.run)
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


def _entry(comparison: Comparison, plan: Plan, clock: Clock) -> Applied:
    before: Mapping[str, Any] = {name: comparison.known.get(name) for name in sorted(comparison.changed)}
    return Applied(
        change=comparison.change,
        applied_at=clock.now(),
        event=comparison.event or "stale",
        before=before,
        after=comparison.after.current,
        outdated=comparison.outdated,
        evaluations=tuple(evaluation.document() for evaluation in plan.evaluations),
        dispatch=plan.dispatch,
    )
