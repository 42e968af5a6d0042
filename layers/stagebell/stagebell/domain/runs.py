"""Runs: one scenario for one record, step by step, and the times at which its steps are due.

All functions are pure: they take a run and return the next one. A run is open while it is `running` or `paused`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.conditions import View
from stagebell.domain.errors import InvalidValue
from stagebell.domain.quiet_hours import quiet_until
from stagebell.domain.scenarios import Origin, Scenario, Step
from stagebell.domain.timing import planned

type RunStatus = Literal["running", "paused", "completed", "failed", "cancelled", "superseded"]
type StepStatus = Literal["waiting", "acted", "skipped", "failed", "cancelled"]

type Origins = Mapping[Origin, datetime | None]

OPEN: tuple[RunStatus, ...] = ("running", "paused")


@dataclass(frozen=True, slots=True)
class StepState:
    """One step of a run. `due_at` is None while nothing says when (a date that is empty, a stage not left yet).

    `reason` is a stable word (`condition`, `stage_changed`, `quiet_hours` …); `why` the explained condition or error;
    `deliveries` the keys of the messages it made; `record` the record it changed, made or started something for, whose
    history has the change `change_of(run, step)`."""

    name: str
    kind: str
    status: StepStatus = "waiting"
    due_at: datetime | None = None
    settled_at: datetime | None = None
    reason: str = ""
    why: Mapping[str, Any] | None = None
    deliveries: tuple[str, ...] = ()
    record: RecordKey | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One instance of a scenario for one record, pinned to the version it started with.

    `execution` counts the machine executions of this run (a re-timed or very long run continues in a new one);
    `revision` counts its stored states, for conditional writes. `at_once`: it waits for nothing, so that its first
    execution is one of the workflow machine; the scenario machine carries on where that one would take too long."""

    id: str
    definition: str
    version: int
    key: RecordKey
    change: str
    triggered_at: datetime
    started_at: datetime
    steps: tuple[StepState, ...]
    status: RunStatus = "running"
    reason: str = ""
    ended_at: datetime | None = None
    left_at: datetime | None = None
    quiet: bool = False
    causes: tuple[str, ...] = ()
    execution: int = 1
    revision: int = 1
    at_once: bool = False

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def next(self) -> StepState | None:
        """The waiting step that is due first (at equal times the one written first)."""
        due = [step for step in self.steps if step.status == "waiting" and step.due_at is not None]
        return min(due, key=_due_at, default=None)

    def state(self, name: str) -> StepState:
        return next(step for step in self.steps if step.name == name)


def _due_at(step: StepState) -> datetime:
    assert step.due_at is not None
    return step.due_at


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a record remembers of one definition: its newest run, and whether it ever had one.

    `due_at` is when that run acts next; `starts` are the times of the runs that count for the loop limit."""

    definition: str
    version: int
    run: str
    open: bool
    due_at: datetime | None
    starts: tuple[datetime, ...] = ()

    def live_at(self, moment: datetime) -> bool:
        """Whether the run still waits at that moment. A step that was due before has no more than our own delay
        between it and its effect: the run counts as over. At the same instant the change counts first (rule 5)."""
        return self.open and (self.due_at is None or self.due_at >= moment)


def run_id(definition: str, change: Change) -> str:
    """The id of the run this change starts: the same however often the change is delivered."""
    text = f"{definition}\x00{change.key}\x00{change.id}"
    return "run_" + hashlib.sha256(text.encode()).hexdigest()[:32]


def change_of(run: str, step: str) -> str:
    """The id of the change that a step makes: the same at every attempt."""
    return f"{run}:{step}"


def begin(scenario: Scenario, change: Change, started_at: datetime, view: View) -> Run:
    """A new run with its steps timed from when it happened, not from when we heard of it (rule 4)."""
    untimed = tuple(StepState(step.name, step.kind) for step in scenario.steps)
    return Run(
        id=run_id(scenario.name, change),
        definition=scenario.name,
        version=scenario.version,
        key=change.key,
        change=change.id,
        triggered_at=change.occurred_at,
        started_at=started_at,
        steps=_timed(untimed, scenario, view, change.occurred_at, None),
        quiet=change.mode == "quiet",
        causes=change.causes,
        at_once=scenario.at_once,
    )


def schedule(run: Run, scenario: Scenario, view: View) -> Run:
    """The run with the due time of every waiting step as things stand."""
    steps = _timed(run.steps, scenario, view, run.triggered_at, run.left_at)
    return run if steps == run.steps else replace(run, steps=steps)


def _timed(
    states: Iterable[StepState], scenario: Scenario, view: View, entered: datetime, left: datetime | None
) -> tuple[StepState, ...]:
    timed: list[StepState] = []
    for state in states:
        if state.status == "waiting":
            step, settled = scenario.step(state.name), timed[-1].settled_at if timed else entered
            origins: Origins = {"stage_entered": entered, "previous_step": settled, "stage_left": left}
            at = state.due_at if _begun(state, timed, scenario) else due(step, origins[step.at.origin], view)
            state = state if at == state.due_at or _put_off(state, at) else replace(state, due_at=at, reason="")
        timed.append(state)
    return tuple(timed)


def _begun(state: StepState, earlier: Iterable[StepState], scenario: Scenario) -> bool:
    """Whether a step is one of several that are due on a date at the same moment, and the first of them are done: where
    those, or somebody just then, moved the date, the rest is not put off to the new one."""
    at = scenario.step(state.name).at
    return at.date is not None and any(
        other.settled_at is not None
        and other.due_at is not None
        and other.due_at <= other.settled_at
        and other.due_at == state.due_at
        and other.status != "cancelled"
        and scenario.step(other.name).at == at
        for other in earlier
    )


def _put_off(state: StepState, due: datetime | None) -> bool:
    """Whether a step that woke late waits for the end of quiet hours: its old time, or an earlier one, is no news."""
    until = state.due_at if state.reason == "quiet_hours" else None
    return until is not None and due is not None and due < until


def due(step: Step, origin: datetime | None, view: View) -> datetime | None:
    """None also for a time that cannot be: 9999-12-31, which CRMs write for "never", plus three days; or business days
    of a calendar that is closed for years. The change counts all the same."""
    try:
        at = planned(step.at, origin, view)
        if at is None or step.quiet_hours is None:
            return at
        return quiet_until(at, step.quiet_hours, view.zone) or at
    except InvalidValue:
        return None


def settle(run: Run, name: str, status: StepStatus, at: datetime, **told: Any) -> Run:
    """The run after one of its steps came to its end; `told` are `reason`, `why`, `deliveries` and `record`."""
    steps = tuple(
        replace(step, status=status, settled_at=at, **told) if step.name == name else step for step in run.steps
    )
    return replace(run, steps=steps)


def leave(run: Run, scenario: Scenario, at: datetime, *, outside: bool) -> Run:
    """The run after the stage field changed: steps that ask for an unchanged stage are over. Several stages may count
    as one; the record has left when it is `outside` all of them."""
    if run.left_at is None and outside:
        run = replace(run, left_at=at)
    for step in scenario.steps:
        if step.unless_changed and run.state(step.name).status == "waiting":
            run = settle(run, step.name, "skipped", at, reason="stage_changed")
    return run


def end(run: Run, status: RunStatus, at: datetime, reason: str = "") -> Run:
    """The run ended early; steps that still waited are cancelled with the same reason."""
    steps = tuple(
        replace(step, status="cancelled", settled_at=at, reason=reason) if step.status == "waiting" else step
        for step in run.steps
    )
    return replace(run, status=status, reason=reason, ended_at=at, steps=steps)


def supersede(run: Run, at: datetime, before: Run) -> Run:
    """The run when the record enters anew: what is due from then on is the new run's. A step that was due before is
    late only because of us; it is still carried out, and then the run is over. `before` is the run as it was before
    this change: what only the change has put into the past, by its date, was not due."""
    owed = {step.name for step in before.steps if step.due_at is not None and step.due_at < at}
    steps = tuple(
        replace(step, status="cancelled", settled_at=at, reason="new_entry")
        if step.status == "waiting" and (step.name not in owed or step.due_at is None or step.due_at >= at)
        else step
        for step in run.steps
    )
    if any(step.status == "waiting" for step in steps):
        return replace(run, steps=steps)
    return replace(run, steps=steps, status="superseded", reason="new_entry", ended_at=at)


def close(run: Run, at: datetime) -> Run:
    """The run when nothing waits any more: failed where a step failed, else completed."""
    if not run.open or any(step.status == "waiting" for step in run.steps):
        return run
    failed = any(step.status == "failed" for step in run.steps)
    return replace(run, status="failed" if failed else "completed", reason="step_failed" if failed else "", ended_at=at)
