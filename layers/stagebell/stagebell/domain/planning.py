"""Planning: what one change starts, ends and re-times. Pure; everything it needs has been read before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stagebell.domain import runs
from stagebell.domain.conditions import View
from stagebell.domain.evaluations import Evaluation, Outcome
from stagebell.domain.limits import (
    DEPTH_LIMIT,
    OPEN_RUNS_PER_RECORD,
    REFUSALS,
    RUNS_PER_HOUR,
    STARTS_PER_CHANGE,
    Limit,
)
from stagebell.domain.orders import Halt, Order, Wake
from stagebell.domain.records import Comparison
from stagebell.domain.runs import Enrolment, Run
from stagebell.domain.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one change leads to: runs to write, enrolments to write, then executions to start and stop."""

    started: tuple[Run, ...] = ()
    updated: tuple[Run, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    dispatch: tuple[Order, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()


def wake(run: Run) -> Wake | None:
    """How to wake a run for its next step, where there is a time for one."""
    step = run.next
    if step is None or step.due_at is None or run.status != "running":
        return None
    express = run.at_once and run.execution == 1
    return Wake(run.id, run.execution, step.name, step.kind, step.due_at, express)


def affected(scenario: Scenario, enrolment: Enrolment, comparison: Comparison, view: View) -> bool:
    """Whether a change touches a waiting run of this scenario at all; only then is the run read."""
    if not enrolment.open or scenario.at_once:
        return False
    if comparison.event == "deleted" and scenario.trigger.on != "deleted":
        return True
    if scenario.follows_stage and scenario.trigger.fields[0] in comparison.changed:
        return True
    return scenario.follows_dates or any(condition.holds(view) for condition in scenario.cancels)


def follow(run: Run, scenario: Scenario, comparison: Comparison, view: View) -> Run:
    """The run after a later change of its record: ended, some steps over, or re-timed. Ended at once, not when due."""
    at = comparison.change.occurred_at
    if comparison.event == "deleted" and scenario.trigger.on != "deleted":
        return runs.end(run, "cancelled", at, "record_deleted")
    if scenario.cancel_if is not None and scenario.cancel_if.holds(view):
        return runs.end(run, "cancelled", at, "cancel_condition")
    if scenario.trigger.on == "stage" and scenario.trigger.fields[0] in comparison.changed:
        run = runs.leave(run, scenario, at, outside=scenario.trigger.left(comparison))
    run = _cancel_steps(run, scenario, view, at)
    if all(step.status != "waiting" for step in run.steps):
        moved = any(step.reason == "stage_changed" for step in run.steps)
        return runs.end(run, "cancelled", at, "stage_changed" if moved else "cancel_condition")
    if scenario.trigger.on == "date" and comparison.change.mode == "run" and scenario.trigger.fires(comparison):
        run = replace(run, quiet=False)  # the date it waits for is not that of a quiet import any more
    return runs.schedule(run, scenario, view)


def _cancel_steps(run: Run, scenario: Scenario, view: View, at: datetime) -> Run:
    for step in scenario.steps:
        if step.cancel_if is not None and run.state(step.name).status == "waiting" and step.cancel_if.holds(view):
            run = runs.settle(run, step.name, "cancelled", at, reason="cancel_condition")
    return run


class Planner:
    """Collects the plan of one change.

    `enrolments` are those of the record by definition; `open_runs` the waiting runs that the change affects; `acting`
    the run of this record whose step makes the change, as that step leaves it: its own execution carries it on."""

    def __init__(
        self,
        comparison: Comparison,
        enrolments: Mapping[str, Enrolment],
        open_runs: Mapping[str, Run],
        now: datetime,
        acting: Run | None = None,
    ) -> None:
        self._comparison = comparison
        self._enrolments = dict(enrolments)
        self._runs = dict(open_runs)
        self._now = now
        self._started: dict[str, Run] = {}
        self._updated: dict[str, Run] = {}
        self._written: dict[str, Enrolment] = {}
        self._halts: list[Halt] = []
        self._retimed: set[str] = set()
        self._evaluations: list[Evaluation] = []
        self._acting = acting.id if acting is not None else ""
        if acting is not None:
            self._runs[acting.id] = acting
            self._write(replace(acting, revision=acting.revision + 1))

    def follow(self, scenario: Scenario, run: Run, view: View) -> None:
        """Let a waiting run see the change."""
        run = self._updated.get(run.id, run)
        after = follow(run, scenario, self._comparison, view) if run.open else run
        if after == run:
            return
        if run.id == self._acting:
            self._write(after)
            return
        before, coming = wake(run), wake(after)
        if before != coming:
            if before is not None:
                self._halts.append(Halt(run.id, run.execution, after.reason or "retimed"))
            after = replace(after, execution=run.execution + 1) if coming is not None else after
            self._retimed.add(run.id)
        self._write(replace(after, revision=run.revision + 1))

    def consider(self, scenario: Scenario, view: View) -> None:
        """Try a scenario whose trigger fires."""
        why = scenario.only_if.explain(view)
        outcome = self._outcome(scenario) if why.result else "not_matched"
        limit = self._limit(scenario) if outcome == "started" else None
        if limit is not None:
            outcome = REFUSALS[limit]
        run = self._start(scenario, view) if outcome == "started" else ""
        self._evaluations.append(Evaluation(scenario.name, scenario.version, outcome, why, run, limit))

    def _outcome(self, scenario: Scenario) -> Outcome:
        """What becomes of a match as the scenario itself wants it."""
        if scenario.reentry == "once" and scenario.name in self._enrolments:
            return "once_only"
        if scenario.reentry == "every_entry" and scenario.trigger.on != "stage" and self._waits(scenario):
            return "already_running"
        return "started"

    def _limit(self, scenario: Scenario) -> Limit | None:
        """The limit that keeps it from starting."""
        if len(self._comparison.change.causes) >= DEPTH_LIMIT:
            return "depth"
        if len(self._recent(self._enrolments.get(scenario.name))) >= RUNS_PER_HOUR:
            return "runs_per_hour"
        if len(self._started) >= STARTS_PER_CHANGE:
            return "starts_per_change"
        if not self._waits(scenario) and sum(e.open for e in self._enrolments.values()) >= OPEN_RUNS_PER_RECORD:
            return "open_runs_per_record"
        return None

    def _waits(self, scenario: Scenario) -> bool:
        """Whether a run of it waits already. Each match of a workflow is a run of its own."""
        enrolment = self._enrolments.get(scenario.name)
        return enrolment is not None and not scenario.at_once and self._live(enrolment)

    def _live(self, enrolment: Enrolment) -> bool:
        """Whether the run still waits; also one that this very change has put into the past, for its date: that it is
        due by now is no delay of ours."""
        return enrolment.live_at(self._moment(enrolment)) or (enrolment.open and enrolment.run in self._retimed)

    def _moment(self, enrolment: Enrolment) -> datetime:
        """When the change happened, as a run sees it: what one of its own steps did comes after that step, and so after
        the others that were due with it."""
        at = self._comparison.change.occurred_at
        return at + timedelta(microseconds=1) if enrolment.run == self._acting else at

    def _recent(self, enrolment: Enrolment | None) -> tuple[datetime, ...]:
        since = self._comparison.change.occurred_at - timedelta(hours=1)
        return tuple(moment for moment in enrolment.starts if moment > since) if enrolment else ()

    def _start(self, scenario: Scenario, view: View) -> str:
        change, enrolment = self._comparison.change, self._enrolments.get(scenario.name)
        restarted = enrolment is not None and self._set_back(scenario, enrolment)
        if enrolment is not None and enrolment.open and not scenario.at_once:
            self._supersede(enrolment)
        run = runs.close(runs.begin(scenario, change, self._now, view), change.occurred_at)
        self._started[run.id] = run
        remembered = (self._waiting(enrolment) if scenario.at_once else None) or run
        self._enrol(remembered, self._recent(enrolment) + (() if restarted else (change.occurred_at,)))
        return run.id

    def _set_back(self, scenario: Scenario, enrolment: Enrolment) -> bool:
        """Whether a start only sets the clock of a run back that still waits and has done nothing yet."""
        if scenario.reentry != "restart" or scenario.at_once or not self._live(enrolment):
            return False
        run = self._updated.get(enrolment.run) or self._runs.get(enrolment.run)
        return run is not None and not any(step.status in ("acted", "failed") for step in run.steps)

    def _waiting(self, enrolment: Enrolment | None) -> Run | None:
        """A run of a version that waits, before one that does not: the record has to remember it, to let it see what
        changes. It is written, so that a step of it that ends at this moment is not overlooked."""
        read = self._runs.get(enrolment.run) if enrolment is not None else None
        if read is None or read.at_once:
            return None
        run = self._updated.setdefault(read.id, replace(read, revision=read.revision + 1))
        return run if run.open else None

    def _supersede(self, enrolment: Enrolment) -> None:
        read = self._runs.get(enrolment.run)
        run = self._updated.get(enrolment.run, read)
        if run is None or not run.open:
            return
        after = runs.supersede(run, self._moment(enrolment), read or run)
        ended = wake(run) is not None and wake(after) is None and run.id != self._acting
        if ended and not any(halt.run == run.id for halt in self._halts):
            self._halts.append(Halt(run.id, run.execution, "superseded"))
        self._updated[run.id] = after if run.id in self._updated else replace(after, revision=run.revision + 1)

    def _write(self, run: Run) -> None:
        """The record remembers the newest run of a definition only: an older one is written alone."""
        self._updated[run.id] = run
        enrolment = self._enrolments.get(run.definition)
        if enrolment is not None and enrolment.run == run.id:
            self._enrol(run, enrolment.starts)

    def _enrol(self, run: Run, starts: tuple[datetime, ...]) -> None:
        enrolment = enrolment_of(run, starts)
        self._enrolments[run.definition] = self._written[run.definition] = enrolment

    def plan(self) -> Plan:
        wakes = [wake(run) for run in (*self._updated.values(), *self._started.values())]
        woken = [w for w in wakes if w is not None and (w.run in self._started or self._rewoken(w))]
        return Plan(
            started=tuple(self._started.values()),
            updated=tuple(self._updated.values()),
            enrolments=tuple(self._written.values()),
            dispatch=(*self._halts, *woken),
            evaluations=tuple(self._evaluations),
        )

    def _rewoken(self, coming: Wake) -> bool:
        return coming.execution != self._runs[coming.run].execution


def enrolment_of(run: Run, starts: Sequence[datetime]) -> Enrolment:
    """What the record remembers of a run as it stands."""
    step = run.next if run.open else None
    return Enrolment(run.definition, run.version, run.id, run.open, step.due_at if step else None, tuple(starts))
