"""Scenarios: what lets a record in, the steps that follow at their times, and what ends it early.

A workflow is a scenario whose steps are due at once: one vocabulary, one engine. Where one of its actions says `at`,
or waits for quiet hours, it is timed like any scenario."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time as TimeOfDay
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal

from stagebell.domain.conditions import ALWAYS, All, Condition, clauses, compile_condition, paths
from stagebell.domain.durations import Duration, parse_duration
from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.fields import Value, canonical
from stagebell.domain.local_time import parse_time_of_day
from stagebell.domain.objects import Schema
from stagebell.domain.paths import Path, resolve
from stagebell.domain.quiet_hours import QuietHours, quiet_hours_from
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
    """When a step is due: `after` an origin, or on the `date` a field holds (with offset and time of day)."""

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
        exact = self.at.after is not None and self.at.after.is_exact
        return not exact or self.quiet_hours is not None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario or workflow definition at one version, compiled; what every change asks of it is worked out once.

    `at_once`: a workflow that waits for nothing: every match is a run of its own, over in a moment, and ended by
    nothing but its own steps.

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
    cancel_if: Condition | None = None
    reentry: Reentry = "every_entry"
    past_due: PastDue = "run"
    on_unknown: OnUnknown = "leave"
    timezone: str = ""
    calendar: str = ""
    kind: Kind = "scenario"
    at_once: bool = False
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
        conditions = (self.only_if, *self.cancels, *(step.only_if for step in self.steps))
        return any(clause.operand.duration is not None for clause in chain.from_iterable(map(clauses, conditions)))

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def act_paths(self, step: "Step") -> tuple[Path, ...]:
        """What is read when a step's time has come."""
        return (*self.watch_paths, *paths(step.only_if))


def read_scenario(
    document: Mapping[str, Any], version: int, schema: Schema, problems: list[Problem], path: str = ""
) -> Scenario | None:
    """The scenario a structurally valid document describes; problems of meaning are collected under their paths.

    Returns None where the object itself is not known."""
    name = document["object"]
    if name not in schema:
        problems.append(Problem("object", "known_object", f"object {name} is not known"))
        return None
    reader = _Reader(document, name, schema, problems)
    key = steps_key(document)
    on_date = (document.get("trigger") or {}).get("on") == "date"
    only_if = reader.condition(document, "only_if")
    read = tuple(reader.step(step, f"{key}[{i}]") for i, step in enumerate(document[key]))
    # A date that a record has says nothing yet: what must hold, must hold when the date is reached.
    steps = tuple(replace(s, only_if=_both(only_if, s.only_if)) for s in read) if on_date else read
    return Scenario(
        name=document["name"],
        version=version,
        object=name,
        trigger=reader.trigger(),
        steps=steps,
        only_if=ALWAYS if on_date else only_if,
        cancel_if=reader.optional_condition(document, "cancel_if"),
        reentry=document.get("reentry") or "every_entry",
        past_due=document.get("past_due") or "run",
        on_unknown=document.get("on_unknown") or "leave",
        timezone=document.get("timezone") or "",
        calendar=document.get("calendar") or "",
        kind=document.get("kind") or "scenario",
        at_once=key == "actions" and not on_date and not any(_waits(step) for step in document[key]),
    )


def steps_key(document: Mapping[str, Any]) -> str:
    """Where a definition lists its steps: a workflow calls them actions."""
    return "actions" if document.get("kind") == "workflow" else "steps"


def _waits(step: Mapping[str, Any]) -> bool:
    return bool(step.get("at") or step.get("quiet_hours"))


def _both(first: Condition, second: Condition) -> Condition:
    if first is ALWAYS:
        return second
    return first if second is ALWAYS else All((first, second))


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Mapping[str, Any]
    object: str
    schema: Schema
    problems: list[Problem]

    def trigger(self) -> Trigger:
        if self.document.get("stage"):
            return self._stage(self.document["stage"])
        spec = self.document["trigger"]
        if spec["on"] in ("stage_entered", "stage_left"):
            trigger = self._stage(spec, "trigger")
            return trigger if spec["on"] == "stage_entered" else replace(trigger, on="left")
        if spec["on"] == "date":
            return self._date(spec["field"])
        for i, name in enumerate(spec.get("fields") or ()):
            if name not in self.schema[self.object].fields:
                self._add(f"trigger.fields[{i}]", "known_field", f"{self.object} has no field {name}")
        return Trigger(spec["on"], tuple(spec.get("fields") or ()))

    def _date(self, name: str) -> Trigger:
        self._on_date(self.document["trigger"], "trigger", "field")
        return Trigger("date", (name,))

    def _stage(self, spec: Mapping[str, Any], at: str = "stage") -> Trigger:
        field = self.schema[self.object].fields.get(spec["field"])
        wanted = spec["is"] if isinstance(spec["is"], list) else [spec["is"]]
        if field is None or field.type not in ("select", "text", "reference", "boolean", "integer"):
            reason = "is not a field of" if field is None else f"is a {field.type} field, no single choice, of"
            self._add(f"{at}.field", "stage_field", f"{spec['field']} {reason} {self.object}")
            return Trigger("stage", (spec["field"],), tuple(wanted))
        values: list[Value] = []
        for word in wanted:
            try:
                values.append(canonical(field, word))
            except InvalidValue as error:
                self._add(f"{at}.is", field.type, error.message)
        return Trigger("stage", (field.name,), tuple(values))

    def step(self, spec: Mapping[str, Any], at: str) -> Step:
        if spec.get("unless_changed") and not self._has_stage:
            self._add(f"{at}.unless_changed", "needs_stage", "unless_changed looks at the stage field: give a stage")
        return Step(
            name=spec["name"],
            kind=spec["type"],
            at=self._at(spec.get("at"), f"{at}.at"),
            params=MappingProxyType({k: v for k, v in spec.items() if k not in _STEP_KEYS and v is not None}),
            unless_changed=bool(spec.get("unless_changed")),
            only_if=self.condition(spec, "only_if", at),
            cancel_if=self.optional_condition(spec, "cancel_if", at),
            quiet_hours=self._quiet_hours(spec, at),
            on_failure=spec.get("on_failure") or "continue",
        )

    @property
    def _has_stage(self) -> bool:
        return bool(self.document.get("stage")) or (self.document.get("trigger") or {}).get("on") == "stage_entered"

    def _at(self, spec: Mapping[str, Any] | None, at: str) -> At:
        """An action that does not say when is due at once: when its run starts, or on the date of its trigger."""
        if spec is None:
            trigger = self.document.get("trigger") or {}
            return self._on_date(trigger, "trigger", "field") if trigger.get("on") == "date" else NOW
        if spec.get("date"):
            return self._on_date(spec, at, "date")
        origin: Origin = spec.get("from") or "stage_entered"
        if origin == "stage_left" and not self._has_stage:
            self._add(f"{at}.from", "needs_stage", "from: stage_left needs a scenario with a stage")
        after = self._duration(spec.get("after"), f"{at}.after")
        if after is not None and after.is_negative:
            self._add(f"{at}.after", "not_negative", "a step cannot be due before its origin")
        return At(after=after, origin=origin)

    def _on_date(self, spec: Mapping[str, Any], at: str, key: str) -> At:
        path = resolve(spec[key], self.object, self.schema)
        if isinstance(path, str) or path.field.type not in ("date", "datetime"):
            message = path if isinstance(path, str) else f"{path} is a {path.field.type} field, not a date or datetime"
            self._add(f"{at}.{key}", "date_field", message)
            return At()
        return At(date=path, offset=self._duration(spec.get("offset"), f"{at}.offset"), time=self._time(spec, at))

    def _time(self, spec: Mapping[str, Any], at: str) -> TimeOfDay | None:
        try:
            return parse_time_of_day(spec["time"]) if spec.get("time") else None
        except InvalidValue as error:
            self._add(f"{at}.time", "time_of_day", error.message)
            return None

    def _duration(self, text: str | None, at: str) -> Duration | None:
        try:
            return parse_duration(text) if text is not None else None
        except InvalidValue as error:
            self._add(at, "duration", error.message)
            return None

    def _quiet_hours(self, spec: Mapping[str, Any], at: str) -> QuietHours | None:
        try:
            return quiet_hours_from(spec["quiet_hours"]) if spec.get("quiet_hours") else None
        except InvalidValue as error:
            self._add(f"{at}.quiet_hours", "quiet_hours", error.message)
            return None

    def condition(self, spec: Mapping[str, Any], key: str, at: str = "") -> Condition:
        where = f"{at}.{key}" if at else key
        return compile_condition(spec.get(key), self.object, self.schema, self.problems, where)

    def optional_condition(self, spec: Mapping[str, Any], key: str, at: str = "") -> Condition | None:
        return self.condition(spec, key, at) if spec.get(key) is not None else None

    def _add(self, at: str, rule: str, message: str) -> None:
        self.problems.append(Problem(at, rule, message))


_STEP_KEYS = frozenset(
    {"name", "type", "at", "unless_changed", "only_if", "cancel_if", "quiet_hours", "on_failure", "label"}
)
