"""Scenarios: what lets a record in, the steps that follow at their times, and what ends it early.

A workflow is a scenario whose steps are due at once: one vocabulary, one engine. Where one of its actions says `at`,
or waits for quiet hours, it is timed like any scenario."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time as TimeOfDay
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal

from stagebell.domain.conditions import ALWAYS, Condition, clauses, paths
from stagebell.domain.durations import Duration, parse_duration
from stagebell.domain.fields import Value
from stagebell.domain.paths import Path
from stagebell.domain.quiet_hours import QuietHours
from stagebell.domain.records import Comparison, Event

type Reentry = Literal["every_entry", "once", "restart"]
type PastDue = Literal["run", "skip", "fail"]
type OnFailure = Literal["continue", "stop"]
type OnUnknown = Literal["leave", "resend"]
type Origin = Literal["stage_entered", "previous_step", "stage_left"]
type TriggerOn = Literal["stage", "left", "date", "created", "updated", "saved", "deleted", "manual"]
type Kind = Literal["scenario", "workflow"]

STEP_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Trigger:
    """What lets a record in. For `stage` and `left`, `fields` is the stage field and `values` the stage: entering means
    coming from outside, leaving is the reverse. For `updated`, `fields` narrows it to changes of these fields. For
    `date`, `fields` is the date: a record is in from when it has one, and its steps wait for it."""

    on: TriggerOn
    fields: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """The events of a record that can fire it."""
        return _EVENTS[self.on]

    @property
    def word(self) -> str:
        """How definitions write it."""
        return {"stage": "stage_entered", "left": "stage_left"}.get(self.on, self.on)

    def fires(self, comparison: Comparison) -> bool:
        if comparison.event not in self.events:
            return False
        match self.on:
            case "stage":
                return self.entered(comparison)
            case "left":
                return comparison.known.get(self.fields[0]) in self.values and self.left(comparison)
            case "date":
                name = self.fields[0]
                return name in comparison.changed and comparison.after.current.get(name) is not None
        return not self.fields or not comparison.changed.isdisjoint(self.fields)

    def entered(self, comparison: Comparison) -> bool:
        """Whether the change brought the record into the stage from outside it."""
        name = self.fields[0]
        return comparison.after.current.get(name) in self.values and comparison.known.get(name) not in self.values

    def left(self, comparison: Comparison) -> bool:
        """Whether the record, which was in the stage, is not any more."""
        return comparison.after.current.get(self.fields[0]) not in self.values


_EVENTS: Mapping[str, tuple[Event, ...]] = MappingProxyType(
    {
        "stage": ("created", "updated"),
        "left": ("updated",),
        "date": ("created", "updated"),
        "created": ("created",),
        "updated": ("updated",),
        "saved": ("created", "updated", "saved"),
        "deleted": ("deleted",),
        "manual": ("manual",),
    }
)


@dataclass(frozen=True, slots=True)
class At:
    """When a step is due: `after` an origin, or on the `date` a field holds (with offset and time of day). With both,
    it is due that long after the date."""

    after: Duration | None = None
    origin: Origin = "stage_entered"
    date: Path | None = None
    offset: Duration | None = None
    time: TimeOfDay | None = None


NOW = At(after=parse_duration("0 minutes"))


@dataclass(frozen=True, slots=True)
class Step:
    """One timed action; `params` are the action kind's own parameters, as validated."""

    name: str
    kind: str
    at: At
    params: Mapping[str, Any]
    unless_changed: bool = False
    only_if: Condition = ALWAYS
    cancel_if: Condition | None = None
    quiet_hours: QuietHours | None = None
    on_failure: OnFailure = "continue"

    @property
    def local(self) -> bool:
        exact = self.at.date is None and self.at.after is not None and self.at.after.is_exact
        return not exact or self.quiet_hours is not None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario or workflow definition at one version, compiled; what every change asks of it is worked out once.

    `at_once`: a workflow that waits for nothing: every match is a run of its own, over in a moment, and ended by
    nothing but its own steps. `due_if`: what must hold when the date of a date trigger is reached; the record is let in
    before. `survives_deletion`: it acts though its record is deleted meanwhile, and sees the last values of it.

    `follows_stage` and `follows_dates`: whether a later change of the stage field, or of a date, matters to a waiting
    run; `cancels` are the conditions that end it or one of its steps. `local`: whether anything is reckoned in local
    time (days, dates, business time, quiet hours). `entry_paths` are read when a change arrives, `watch_paths` while a
    run waits."""

    name: str
    version: int
    object: str
    trigger: Trigger
    steps: tuple[Step, ...]
    only_if: Condition = ALWAYS
    due_if: Condition = ALWAYS
    cancel_if: Condition | None = None
    reentry: Reentry = "every_entry"
    past_due: PastDue = "run"
    on_unknown: OnUnknown = "leave"
    timezone: str = ""
    calendar: str = ""
    kind: Kind = "scenario"
    at_once: bool = False
    survives_deletion: bool = False
    follows_stage: bool = field(init=False, repr=False, compare=False)
    follows_dates: bool = field(init=False, repr=False, compare=False)
    cancels: tuple[Condition, ...] = field(init=False, repr=False, compare=False)
    local: bool = field(init=False, repr=False, compare=False)
    entry_paths: tuple[Path, ...] = field(init=False, repr=False, compare=False)
    watch_paths: tuple[Path, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        steps, cancels = self.steps, (self.cancel_if, *(step.cancel_if for step in self.steps))
        dates = tuple(step.at.date for step in steps if step.at.date is not None)
        by_stage = any(step.unless_changed or step.at.origin == "stage_left" for step in steps)
        object.__setattr__(self, "follows_stage", self.trigger.on == "stage" and by_stage)
        object.__setattr__(self, "follows_dates", bool(dates))
        object.__setattr__(self, "cancels", tuple(condition for condition in cancels if condition is not None))
        object.__setattr__(self, "local", any(step.local for step in steps) or self._has_durations())
        object.__setattr__(self, "entry_paths", (*paths(self.only_if), *dates))
        object.__setattr__(self, "watch_paths", (*dates, *chain.from_iterable(map(paths, self.cancels))))

    def _has_durations(self) -> bool:
        conditions = (self.only_if, self.due_if, *self.cancels, *(step.only_if for step in self.steps))
        return any(clause.operand.duration is not None for clause in chain.from_iterable(map(clauses, conditions)))

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def act_paths(self, step: "Step") -> tuple[Path, ...]:
        """What is read when a step's time has come."""
        return (*self.watch_paths, *paths(self.due_if), *paths(step.only_if))
