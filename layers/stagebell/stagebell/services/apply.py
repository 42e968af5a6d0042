"""Applying: one change to one record's mirror, and everything that follows from it, in one transaction.

The only writer of mirrors. A crash anywhere is repaired by the redelivery: the change exists then, so its plan is read
back and dispatched again; execution names are run ids, so dispatching twice is harmless. What a step does to a record
is stored together with the step's end, so that neither is without the other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stagebell.domain import echoes, follow_ups
from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.conditions import View
from stagebell.domain.echoes import Echo
from stagebell.domain.errors import Conflict, DefinitionBroken, InvalidValue, NotFound, RecordBusy, RecordLocked
from stagebell.domain.paths import Path
from stagebell.domain.planning import Evaluation, Halt, Order, Plan, Planner, Tell, Wake, affected, enrolment_of
from stagebell.domain.records import Comparison, Record, compare, too_large
from stagebell.domain.rotations import Rotation
from stagebell.domain.runs import Enrolment, Run
from stagebell.domain.scenarios import Scenario
from stagebell.ports import (
    Applied,
    Clock,
    Commit,
    Filing,
    Records,
    RunMoved,
    Runs,
    Scheduler,
    Settling,
    Stored,
    Teller,
)
from stagebell.services.catalog import Catalog
from stagebell.services.look import Lookout, needs_zone

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Watch:
    """An open run's scenario (at its pinned version) and what the record remembers of it."""

    scenario: Scenario
    enrolment: Enrolment


@dataclass(frozen=True, slots=True)
class Deed:
    """What a step does to a record. `starts` are scenarios that are looked at beside those the change lets in;
    `by_hand`: the record stays as it is, and they are all there is to it. `seen` is the version of the record from
    which the change was worked out: one that has moved since is looked at again."""

    change: Change
    starts: tuple[Scenario, ...] = ()
    by_hand: bool = False
    rotation: Rotation | None = None
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """The run whose step does a deed, as that step leaves it; `version` is that of its record when the step looked."""

    run: Run
    version: int


@dataclass(frozen=True, slots=True)
class Done:
    """A deed as stored, and the run that did it."""

    applied: Applied
    run: Run


def _untold(_applied: Applied) -> None:
    return


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies changes. `catalog` is to be refreshed by the caller, once a batch; `note` is told what came of each."""

    catalog: Catalog
    records: Records
    runs: Runs
    scheduler: Scheduler
    teller: Teller
    clock: Clock
    note: Callable[[Applied], None] = _untold

    def apply(self, change: Change) -> Applied:
        """The history entry of the change, new or from the first time it was applied.

        Raises RecordBusy where others change the same record all the time; the queue delivers the change again. Raises
        RecordLocked for an edit made here; a source's change of a locked record is refused in its history."""
        applied = self._retried(lambda: self._try(change), change.key)
        self.note(applied)
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
            raise NotFound(f"no scenario or workflow {scenario} is active for {key.object}")
        if found.trigger.on != "manual":
            raise Conflict(
                f"{found.kind} {scenario} starts on {found.trigger.on}; by hand only with the trigger manual"
            )
        applied = self._retried(lambda: self._start(found, key, change, by), key)
        self.note(applied)
        outcome = applied.evaluations[0]
        run = self.runs.get(outcome.get("run", ""))
        if run is None:
            raise Conflict(f"{found.kind} {scenario} was not started for {key}: {outcome['outcome']}")
        self.dispatch(applied.dispatch)
        return run

    def _start(self, scenario: Scenario, key: RecordKey, change: str, by: str) -> Applied | None:
        stored = self.records.load(key)
        if not stored.record.exists:
            raise NotFound(f"there is no record {key}")
        occasion = Change(change, "manual", key, "updated", self.clock.now(), {}, actor=by)
        comparison = _by_hand(stored.record, occasion)
        return self._commit(stored, comparison, self._plan(stored, comparison, (scenario,), alone=True))

    def weigh(self, scenario: Scenario, change: Change, acting: Run) -> Evaluation:
        """What starting a scenario by hand for the record of a run would come to; starts nothing. `acting` is that run
        as its step will leave it."""
        stored = self.records.load(change.key)
        comparison = _by_hand(stored.record, change)
        return self._plan(stored, comparison, (scenario,), alone=True, acting=acting).evaluations[0]

    def do(self, deed: Deed, acting: Acting) -> Done:
        """Store what a step does to a record together with the step's end.

        Raises RunMoved where a record or run has changed since the step looked, RecordLocked, and InvalidValue where
        the record would be too large."""
        done = self._try_deed(deed, acting)
        self.note(done.applied)
        self.dispatch(done.applied.dispatch)
        return done

    def dispatch_again(self, key: RecordKey, change: str) -> None:
        """Carry on what a deed led to, where whoever stored it may have died before."""
        applied = self.records.applied(key, change)
        if applied is not None:
            self.dispatch(applied.dispatch)

    def dispatch(self, orders: Iterable[Order]) -> None:
        for order in orders:
            match order:
                case Halt():
                    self.scheduler.stop(order)
                case Wake():
                    self.scheduler.start(order)
                case Tell():
                    self.teller.tell(order)

    def _try(self, change: Change) -> Applied | None:
        stored = self.records.load(change.key)
        try:
            note = self._admitted(stored.record, change)
        except (RecordLocked, NotFound):
            taken = self.records.applied(change.key, change.id)
            if taken is None:
                raise
            return taken  # whoever brought it first may have died before what it leads to was started
        comparison = compare(stored.record, change)
        if comparison.event == "echo":
            note = ""  # it says nothing that a lock could refuse
        if note == "record_locked":
            return self._refused(comparison, note)
        if too_large(comparison.after):
            return self._refused(comparison, "record_too_large")
        return self._commit(stored, comparison, self._plan(stored, comparison), note)

    def _admitted(self, record: Record, change: Change) -> str:
        """What a lock makes of a change. Raises RecordLocked where it was made here, and NotFound where it would bring
        a deleted record back: only a source may do that."""
        if change.is_own and not record.exists and change.type != "created":
            raise NotFound(f"there is no record {record.key}")
        if record.lock is None or not record.exists or change.type in ("locked", "unlocked"):
            return ""
        if change.is_own:
            raise RecordLocked(f"record {record.key} is {record.lock}; unlock it first")
        source = self.catalog.document("source", change.source)
        return "mirrored_while_locked" if source is not None and source.get("authoritative") else "record_locked"

    def _refused(self, comparison: Comparison, note: str) -> Applied | None:
        """A change that cannot be stored: kept in the record's history, and nowhere else."""
        unmoved = replace(comparison, after=comparison.before, changed=frozenset())
        applied = replace(_entry(unmoved, Plan(), self.clock), event="refused", note=note)
        return self._written(Commit(unmoved.before, unmoved.after, applied))

    def _commit(self, stored: Stored, comparison: Comparison, plan: Plan, note: str = "") -> Applied | None:
        return self._written(self._made(stored, comparison, plan, note))

    def _made(self, stored: Stored, comparison: Comparison, plan: Plan, note: str = "") -> Commit:
        comparison, tells = self._telling(comparison)
        applied = _entry(comparison, plan, self.clock, tells, note or _overtaken(comparison))
        return Commit(
            comparison.before,
            comparison.after,
            applied,
            plan.enrolments,
            plan.started,
            plan.updated,
            stored.enrolments,
            filing=self._filing(comparison.after),
            outbox=tells,
        )

    def _try_deed(self, deed: Deed, acting: Acting) -> Done:
        run, key = acting.run, deed.change.key
        stored = self.records.load(key)
        own = key == run.key
        if (own and stored.record.version != acting.version) or deed.seen not in (None, stored.record.version):
            raise RunMoved(f"record {key} has changed since the step looked at it")
        comparison = _by_hand(stored.record, deed.change) if deed.by_hand else compare(stored.record, deed.change)
        if not deed.by_hand:
            self._admitted(stored.record, deed.change)
        if too_large(comparison.after):
            raise InvalidValue(f"record {key} would be larger than a record may be")
        plan = self._plan(stored, comparison, deed.starts, alone=deed.by_hand, acting=run if own else None)
        if deed.by_hand and any(evaluation.outcome != "started" for evaluation in plan.evaluations):
            raise RunMoved(f"what step {deed.change.id} starts was weighed before record {key} got another run")
        settling = None if own else self._settling(acting)
        commit = replace(self._made(stored, comparison, plan), acting=run.id, settling=settling, rotation=deed.rotation)
        if self.records.commit(commit) != "committed":
            raise RunMoved(f"run {run.id} or record {key} has moved: look again")
        stored_run = settling.run if settling else next(updated for updated in plan.updated if updated.id == run.id)
        return Done(commit.applied, stored_run)

    def _settling(self, acting: Acting) -> Settling:
        run = replace(acting.run, revision=acting.run.revision + 1)
        stored = self.records.load(run.key)
        if stored.record.version != acting.version:
            raise RunMoved(f"record {run.key} has changed since the step looked at it")
        enrolment = stored.enrolments.get(run.definition)
        ours = enrolment is not None and enrolment.run == run.id
        return Settling(run, acting.version, enrolment_of(run, ()) if ours else None)

    def _telling(self, comparison: Comparison) -> tuple[Comparison, tuple[Tell, ...]]:
        """Whom to tell of a change made here: the sources that reported the record and want to know. What they are told
        they may repeat, which is no news then."""
        change, after = comparison.change, comparison.after
        if not change.is_own or after.version == comparison.before.version or comparison.event == "saved":
            return comparison, ()
        sources = [source for source in after.sources if self._listens(source)]
        if not sources:
            return comparison, ()
        told = {name: after.fields.get(name) for name in comparison.changed}
        expected = [Echo(source, change.id, change.occurred_at, told, change.causes) for source in sources]
        listening = echoes.expect(after.echoes, expected, change.occurred_at)
        tells = tuple(Tell(after.key, source, after.version) for source in sources)
        return replace(comparison, after=replace(after, echoes=listening)), tells

    def _listens(self, source: str) -> bool:
        document = self.catalog.document("source", source)
        return document is not None and bool(document.get("write_back"))

    def _filing(self, record: Record) -> Filing:
        kind = self.catalog.schema.get(record.key.object)
        if kind is None or not record.exists:
            return Filing()
        about = follow_ups.about(record.key, record.fields)
        user = record.fields.get(kind.owner_field) if kind.owner_field else None
        if not isinstance(user, str) or self.catalog.is_closed(record, self.clock.now()):
            return Filing(about=about)
        return Filing(f"{kind.name}#{user}", follow_ups.order(record.key, record.fields), about)

    def _written(self, commit: Commit) -> Applied | None:
        """What is in the history now; None where the record has moved."""
        change = commit.applied.change
        result = self.records.commit(commit)
        if result == "duplicate":
            return self.records.applied(change.key, change.id)
        return commit.applied if result == "committed" else None

    def _plan(
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
        candidates = [*starts] if alone else [*self._candidates(comparison), *starts]
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


def _by_hand(record: Record, occasion: Change) -> Comparison:
    return Comparison(record, record, occasion, "manual", frozenset(), (), record.current)


def _overtaken(comparison: Comparison) -> str:
    """A source's newer value has replaced one that it is still being told: the newer one wins."""
    if comparison.change.is_own or not comparison.before.echoes:
        return ""
    replaced = {n for echo in comparison.before.echoes if echo.source == comparison.change.source for n in echo.fields}
    return "overtakes_write_back" if replaced & comparison.changed else ""


def _entry(comparison: Comparison, plan: Plan, clock: Clock, tells: Sequence[Tell] = (), note: str = "") -> Applied:
    before: Mapping[str, Any] = {name: comparison.known.get(name) for name in sorted(comparison.changed)}
    return Applied(
        change=comparison.change,
        applied_at=clock.now(),
        event=comparison.event or "stale",
        before=before,
        after=comparison.after.current,
        outdated=comparison.outdated,
        evaluations=tuple(evaluation.document() for evaluation in plan.evaluations),
        dispatch=(*plan.dispatch, *tells),
        note=note,
    )
