"""Backtesting: what definitions would have done over a history of changes, by the very services that run them.

Time is virtual: between two changes every sleeping step that is due before the second one acts; a change and a step
due at the same instant: the change counts first (rule 5). After the last change time runs on until nothing sleeps.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from stagebell.domain import planning
from stagebell.domain.changes import Change
from stagebell.domain.executions import Task
from stagebell.domain.orders import Wake
from stagebell.domain.runs import Run
from stagebell.ports.clock import Clock
from stagebell.ports.records import Applied
from stagebell.ports.runs import Runs, Scheduler
from stagebell.services.act import Actor
from stagebell.services.action import Action, Look, Outcome
from stagebell.services.apply import Applier


class VirtualClock(Clock, Protocol):
    def advance(self, moment: datetime) -> None:
        """Set the time; never back."""


class Sleepers(Scheduler, Protocol):
    def due(self, until: datetime | None = None, *, inclusive: bool = True) -> Iterator[Wake]: ...

    def sleep(self, wake: Wake) -> None: ...


@dataclass(frozen=True, slots=True, order=True)
class Firing:
    """One step that acted. Sorts by scenario, step position and the order in which runs were triggered."""

    scenario: str
    position: int
    change: str
    step: str
    record: str
    triggered_at: datetime
    fires_at: datetime


@dataclass(slots=True)
class ScenarioReport:
    """What one scenario would have done. `steps` counts per step the outcomes as `acted`, `skipped: condition` …"""

    entered: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    turned_away: Counter[str] = field(default_factory=Counter)
    steps: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    hours: Counter[int] = field(default_factory=Counter)  # local hour at which steps acted
    days: Counter[date] = field(default_factory=Counter)

    @property
    def open(self) -> int:
        return self.entered - self.ended.total()

    def document(self) -> dict[str, Any]:
        return {
            "entered": self.entered,
            "open": self.open,
            "ended": dict(self.ended),
            "turned_away": dict(self.turned_away),
            "steps": {step: dict(outcomes) for step, outcomes in self.steps.items()},
            "hours": {f"{hour:02d}": count for hour, count in sorted(self.hours.items())},
            "days": {str(day): count for day, count in sorted(self.days.items())},
        }


@dataclass(slots=True)
class Report:
    """The whole backtest."""

    zone: ZoneInfo
    changes: int = 0
    stale: int = 0
    records: int = 0
    first: datetime | None = None
    last: datetime | None = None
    scenarios: dict[str, ScenarioReport] = field(default_factory=lambda: defaultdict(ScenarioReport))
    firings: list[Firing] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {
            "timezone": self.zone.key,
            "changes": self.changes,
            "stale": self.stale,
            "records": self.records,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "scenarios": {name: scenario.document() for name, scenario in sorted(self.scenarios.items())},
        }

    def applied(self, applied: Applied) -> None:
        self.changes += 1
        self.stale += applied.event == "stale"
        self.first = self.first or applied.change.occurred_at
        self.last = applied.change.occurred_at

    def noted(self, applied: Applied) -> None:
        """What definitions said to a change, whether it was fed or made by an action."""
        for evaluation in applied.evaluations:
            self._evaluated(evaluation["definition"], evaluation["outcome"])

    def _evaluated(self, scenario: str, outcome: str) -> None:
        report = self.scenarios[scenario]
        if outcome == "started":
            report.entered += 1
        else:
            report.turned_away[outcome] += 1

    def ended(self, run: Run) -> None:
        """Note a run that is over: its end, and what became of each step."""
        report = self.scenarios[run.definition]
        report.ended[f"{run.status}: {run.reason}" if run.reason else run.status] += 1
        for position, step in enumerate(run.steps):
            report.steps[step.name][f"{step.status}: {step.reason}" if step.reason else step.status] += 1
            if step.status == "acted" and step.settled_at is not None:
                self._fired(report, run, position, step.name, step.settled_at)

    def _fired(self, report: ScenarioReport, run: Run, position: int, step: str, at: datetime) -> None:
        local = at.astimezone(self.zone)
        report.hours[local.hour] += 1
        report.days[local.date()] += 1
        self.firings.append(Firing(run.definition, position, run.change, step, run.key.id, run.triggered_at, at))


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """An action in a backtest: a step that would have acted counts as acted, also where the history holds none of the
    people it writes to; why nobody was reached stays as the reason."""

    action: Action

    def act(self, look: Look) -> Outcome:
        outcome = self.action.act(look)
        return replace(outcome, status="acted") if outcome.status == "skipped" else outcome

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.action.give_up(run, step, reason)


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """What the scenario machine does, on a virtual clock: wake what is due, and let it sleep until its next step."""

    actor: Actor
    actions: Mapping[str, Action]
    sleepers: Sleepers
    runs: Runs
    clock: VirtualClock

    def run_until(self, moment: datetime | None, *, inclusive: bool = True) -> None:
        """Let everything act that is due by then (None: everything there is), in order of time."""
        for due in self.sleepers.due(moment, inclusive=inclusive):
            self._fire(due)
        if moment is not None:
            self.clock.advance(moment)

    def _fire(self, due: Wake) -> None:
        self.clock.advance(due.at)
        answer = self.actor.act(Task(due.run, due.step, due.execution, born=due.at), self.actions[due.kind])
        if answer["next"] == "done":
            return
        run = self.runs.get(due.run)
        again = planning.wake(run) if run is not None else None
        if again is not None:
            self.sleepers.sleep(again)


@dataclass(frozen=True, slots=True)
class Backtest:
    """Feeds changes in order of time; the runs that end tell the report."""

    applier: Applier
    machine: VirtualMachine
    report: Report

    def feed(self, change: Change) -> None:
        self.machine.run_until(change.occurred_at, inclusive=False)
        self.report.applied(self.applier.apply(change))

    def finish(self) -> Report:
        self.machine.run_until(None)
        self.report.firings.sort()
        return self.report
