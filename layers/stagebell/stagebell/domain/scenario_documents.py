"""Scenarios and workflows as written: a structurally valid document becomes a compiled scenario, or problems of meaning
under their paths.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time as TimeOfDay
from types import MappingProxyType
from typing import Any

from stagebell.domain.conditions import ALWAYS, Condition, compile_condition
from stagebell.domain.durations import Duration, parse_duration
from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.fields import Value, canonical
from stagebell.domain.local_time import parse_time_of_day
from stagebell.domain.objects import Schema
from stagebell.domain.paths import resolve, unknown_field
from stagebell.domain.quiet_hours import QuietHours, quiet_hours_from
from stagebell.domain.scenarios import NOW, At, Origin, Scenario, Step, Trigger


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
    on_date = reader.on_date
    only_if = reader.condition(document, "only_if")
    return Scenario(
        name=document["name"],
        version=version,
        object=name,
        trigger=reader.trigger(),
        steps=tuple(reader.step(step, f"{key}[{i}]") for i, step in enumerate(document[key])),
        # A date that a record has says nothing yet: what must hold, must hold when the date is reached.
        only_if=ALWAYS if on_date else only_if,
        due_if=only_if if on_date else ALWAYS,
        cancel_if=reader.optional_condition(document, "cancel_if"),
        reentry=document.get("reentry") or "every_entry",
        past_due=document.get("past_due") or "run",
        on_unknown=document.get("on_unknown") or "leave",
        timezone=document.get("timezone") or "",
        calendar=document.get("calendar") or "",
        kind=document.get("kind") or "scenario",
        at_once=key == "actions" and not on_date and not any(_waits(step) for step in document[key]),
        survives_deletion=bool(document.get("survives_deletion")),
    )


def steps_key(document: Mapping[str, Any]) -> str:
    """Where a definition lists its steps: a workflow calls them actions."""
    return "actions" if document.get("kind") == "workflow" else "steps"


def _waits(step: Mapping[str, Any]) -> bool:
    return bool(step.get("at") or step.get("quiet_hours"))


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
                self._add(f"trigger.fields[{i}]", "known_field", unknown_field(self.schema[self.object], name))
        return Trigger(spec["on"], tuple(spec.get("fields") or ()))

    def _date(self, name: str) -> Trigger:
        self._on_trigger()
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
        """An action that does not say when is due at once: when its run starts, or on the date of its trigger. That is
        also what a time counts from that names no origin."""
        if spec is None:
            return self._on_trigger() if self.on_date else NOW
        if spec.get("date"):
            return self._on_date(spec, at, "date")
        origin: Origin = spec.get("from") or "stage_entered"
        if origin == "stage_left" and not self._has_stage:
            self._add(f"{at}.from", "needs_stage", "from: stage_left needs a scenario with a stage")
        after = self._duration(spec.get("after"), f"{at}.after")
        if after is not None and after.is_negative:
            self._add(f"{at}.after", "not_negative", "a step cannot be due before its origin")
        if self.on_date and origin == "stage_entered":
            return replace(self._on_trigger(), after=after)
        return At(after=after, origin=origin)

    @property
    def on_date(self) -> bool:
        return (self.document.get("trigger") or {}).get("on") == "date"

    def _on_trigger(self) -> At:
        return self._on_date(self.document["trigger"], "trigger", "field")

    def _on_date(self, spec: Mapping[str, Any], at: str, key: str) -> At:
        path = resolve(spec[key], self.object, self.schema)
        offset, time = self._duration(spec.get("offset"), f"{at}.offset"), self._time(spec, at)
        if isinstance(path, str) or path.field.type not in ("date", "datetime"):
            message = path if isinstance(path, str) else f"{path} is a {path.field.type} field, not a date or datetime"
            self._add(f"{at}.{key}", "date_field", message)
            return At()
        return At(date=path, offset=offset, time=time)

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
