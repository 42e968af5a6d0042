"""Applying: one change to one record's mirror, and everything that follows from it, in one transaction.

The only writer of mirrors. A crash anywhere is repaired by the redelivery: the change exists then, so its plan is read
back and dispatched again; execution names are run ids, so dispatching twice is harmless. What a step does to a record
is stored together with the step's end, so that neither is without the other.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.errors import Conflict, InvalidValue, NotFound, RecordBusy, RecordLocked
from stagebell.domain.evaluations import Evaluation
from stagebell.domain.orders import Halt, Order, Tell, Wake
from stagebell.domain.planning import Plan, enrolment_of
from stagebell.domain.records import Comparison, Record, compare, refusal
from stagebell.domain.rotations import Rotation
from stagebell.domain.runs import Run
from stagebell.domain.scenarios import Scenario
from stagebell.ports.clock import Clock
from stagebell.ports.deliveries import RunMoved
from stagebell.ports.outbox import Teller
from stagebell.ports.records import Applied, Commit, Records, Settling, Stored
from stagebell.ports.runs import Runs, Scheduler
from stagebell.services.catalog import Catalog
from stagebell.services.entries import Entries
from stagebell.services.plans import NOT_STARTED, Plans

ATTEMPTS = 5


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
    """The run whose step does a deed, as that step leaves it; `stored` is its record as the step saw it. That is not
    read again: what has moved since cannot be committed."""

    run: Run
    stored: Stored


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

    @property
    def plans(self) -> Plans:
        return Plans(self.catalog, self.records, self.runs, self.clock)

    @property
    def entries(self) -> Entries:
        return Entries(self.catalog, self.clock)

    def apply(self, change: Change, seen: int | None = None) -> Applied:
        """The history entry of the change, new or from the first time it was applied. `seen` is the version of the
        record from which it was worked out, where that matters: Conflict for one that has moved since.

        Raises RecordBusy where others change the same record all the time; the queue delivers the change again. Raises
        RecordLocked for an edit made here; a source's change of a locked record is refused in its history."""
        applied = self._retried(lambda: self._try(change, seen), change.key)
        self.note(applied)
        self.dispatch(applied.dispatch)
        return applied

    def _retried(self, attempt: Callable[[], Applied | None], key: RecordKey) -> Applied:
        for _ in range(ATTEMPTS):
            applied = attempt()
            if applied is not None:
                return applied
        raise RecordBusy(f"record {key.shown} was changed by others {ATTEMPTS} times while we tried: try again")

    def start(self, kind: str, scenario: str, key: RecordKey, change: str, by: str) -> Run:
        """Start a scenario or workflow with the trigger `manual` for a record; `change` names the occasion, once.

        Raises NotFound (no such scenario or record), Conflict (another trigger, or why the run was not started)."""
        found = self.catalog.index(key.object).scenarios.get(scenario)
        if found is None or found.kind != kind:
            raise NotFound(f"no {kind} {scenario} is active for {key.object}")
        if found.trigger.on != "manual":
            raise Conflict(
                f"{found.kind} {scenario} starts on {found.trigger.word}; by hand only with the trigger manual"
            )
        applied = self._retried(lambda: self._start(found, key, change, by), key)
        self.note(applied)
        told = applied.evaluations[0]
        run = self.runs.get(told["run"]) if "run" in told else None
        if run is None:
            why = NOT_STARTED.get(told.get("limit", told["outcome"]), "its run has been forgotten")
            raise Conflict(f"{found.kind} {scenario} was not started for {key.shown}: {why} ({told['outcome']})")
        self.dispatch(applied.dispatch)
        return run

    def _start(self, scenario: Scenario, key: RecordKey, change: str, by: str) -> Applied | None:
        stored = self.records.load(key)
        if not stored.record.exists:
            raise NotFound(f"there is no record {key.shown}")
        now, deleted = self.clock.now(), stored.record.deleted
        at = max(now, deleted.at) if deleted is not None else now  # whatever the clock of its source said
        occasion = Change(change, "manual", key, "updated", at, {}, actor=by)
        comparison = _by_hand(stored.record, occasion)
        return self._commit(stored, comparison, self.plans.plan(stored, comparison, (scenario,), alone=True))

    def weigh(self, scenario: Scenario, change: Change, acting: Acting) -> Evaluation:
        """What starting a scenario by hand for the record of a run would come to; starts nothing."""
        comparison = _by_hand(acting.stored.record, change)
        plan = self.plans.plan(acting.stored, comparison, (scenario,), alone=True, acting=acting.run)
        return plan.evaluations[0]

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

    def _try(self, change: Change, seen: int | None) -> Applied | None:
        stored = self.records.load(change.key)
        try:
            note = self._admitted(stored.record, change)
            if seen not in (None, stored.record.version):
                raise Conflict(f"{change.key.shown} was changed at the same moment: read it, then send a new request")
        except (RecordLocked, NotFound, Conflict):
            taken = self.records.applied(change.key, change.id)
            if taken is None:
                raise
            return taken  # whoever brought it first may have died before what it leads to was started
        comparison = compare(stored.record, change)
        if comparison.event == "echo":
            note = ""  # it says nothing that a lock could refuse
        if note == "record_locked":
            return self._written(self.entries.refused(comparison, note))
        if reason := refusal(comparison.after):
            return self._written(self.entries.refused(comparison, reason))
        return self._commit(stored, comparison, self.plans.plan(stored, comparison), note)

    def _admitted(self, record: Record, change: Change) -> str:
        """What a lock makes of a change. Raises RecordLocked where it was made here, and NotFound where it would bring
        a deleted record back: only a source may do that."""
        if change.is_own and not record.exists and change.type != "created":
            raise NotFound(f"there is no record {record.key.shown}")
        if record.lock is None or not record.exists or change.type in ("locked", "unlocked"):
            return ""
        if change.is_own:
            raise RecordLocked(f"record {record.key.shown} is {record.lock}; unlock it first")
        if change.occurred_at < record.lock.at:
            return ""  # it is only late: in time, it would have been there before the lock
        source = self.catalog.document("source", change.source)
        return "mirrored_while_locked" if source is not None and source.get("authoritative") else "record_locked"

    def _commit(self, stored: Stored, comparison: Comparison, plan: Plan, note: str = "") -> Applied | None:
        return self._written(self.entries.commit(stored, comparison, plan, note))

    def _try_deed(self, deed: Deed, acting: Acting) -> Done:
        run, key = acting.run, deed.change.key
        own = key == run.key
        stored = acting.stored if own else self.records.load(key)
        if deed.seen not in (None, stored.record.version):
            raise RunMoved(f"record {key} has changed since the step looked at it")
        comparison = _by_hand(stored.record, deed.change) if deed.by_hand else compare(stored.record, deed.change)
        if not deed.by_hand:
            self._admitted(stored.record, deed.change)
        if reason := refusal(comparison.after):
            raise InvalidValue(f"record {key.shown} cannot be stored so: {reason}")
        plan = self.plans.plan(stored, comparison, deed.starts, alone=deed.by_hand, acting=run if own else None)
        if deed.by_hand and any(evaluation.outcome != "started" for evaluation in plan.evaluations):
            raise RunMoved(f"what step {deed.change.id} starts was weighed before record {key} got another run")
        settling = None if own else _settling(acting)
        commit = replace(
            self.entries.commit(stored, comparison, plan), acting=run.id, settling=settling, rotation=deed.rotation
        )
        if self.records.commit(commit) != "committed":
            raise RunMoved(f"run {run.id} or record {key} has moved: look again")
        stored_run = settling.run if settling else next(updated for updated in plan.updated if updated.id == run.id)
        return Done(commit.applied, stored_run)

    def _written(self, commit: Commit) -> Applied | None:
        """What is in the history now; None where the record has moved."""
        change = commit.applied.change
        result = self.records.commit(commit)
        if result == "duplicate":
            return self.records.applied(change.key, change.id)
        return commit.applied if result == "committed" else None


def _settling(acting: Acting) -> Settling:
    run = replace(acting.run, revision=acting.run.revision + 1)
    enrolment = acting.stored.enrolments.get(run.definition)
    ours = enrolment is not None and enrolment.run == run.id
    return Settling(run, acting.stored.record.version, enrolment_of(run, ()) if ours else None)


def _by_hand(record: Record, occasion: Change) -> Comparison:
    """The record stays as it is. Its version does not: a change that is stored at the same moment must see the run."""
    after = replace(record, version=record.version + 1)
    return Comparison(record, after, occasion, "manual", frozenset(), (), record.current)
