"""Writes: what the steps of a definition do to records, as far as the definition says so by itself.

One write is one change that a step makes: of the run's own record, of a record that it refers to, or of a new one. For
each field it says which values it can get. Of a computed value no more is known than whether there will be one.

What a step knows of its record beforehand is known of the write as well, and is what makes many loops impossible: its
own `only_if` and `unless_changed` are looked at in the very moment of the write. Of a workflow that waits for nothing
the same is said of what let the record in, as long as no other definition writes these fields; that a person or another
system changes them within the same milliseconds is not reckoned with.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from stagebell.domain.conditions import both
from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import Field, Value, canonical
from stagebell.domain.objects import Schema
from stagebell.domain.paths import resolve
from stagebell.domain.possible import ANYTHING, NOTHING, SOMETHING, Knowledge, Possible, facts_of
from stagebell.domain.scenarios import Scenario, Step

type Whose = Literal["own", "related", "new"]
type Allowed = Mapping[str, Mapping[str, Sequence[str]]]
"""What each customer function may set: its name → object → fields."""


@dataclass(frozen=True, slots=True)
class Write:
    """One change. `related` is the way to the record where it is another one; `start`: no change, but the definition
    of that name is started."""

    step: Step
    object: str
    whose: Whose
    known: Knowledge
    related: str = ""
    start: str = ""

    @property
    def fields(self) -> Mapping[str, Possible]:
        return self.known.written


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What other definitions do to one: the fields of its object that they write, and whether they start it by name,
    so that its trigger says nothing."""

    written: Container[str] = ()
    started: bool = False


ALONE = Surroundings()


def touched(scenario: Scenario, schema: Schema, allowed: Allowed) -> set[tuple[str, str]]:
    """Every object and field that a definition may write."""
    readers = (_Reader(scenario, step, schema, allowed, {}) for step in scenario.steps)
    writes = (write for reader in readers if (write := reader.write()) is not None)
    return {(write.object, field) for write in writes for field in write.fields}


def writes_of(scenario: Scenario, schema: Schema, allowed: Allowed, surroundings: Surroundings = ALONE) -> list[Write]:
    """Everything that a definition's steps write or start, in their order."""
    found: list[Write] = []
    for step in scenario.steps:
        earlier = {name for write in found if write.object == scenario.object for name in write.fields}
        facts = _facts(scenario, step, surroundings)
        loose = {n: f for n, f in _entry_facts(scenario, schema, surroundings).items() if n not in earlier}
        write = _Reader(scenario, step, schema, allowed, {**loose, **facts}).write()
        if write is not None and (write.fields or write.start):
            found.append(write)
    return found


def _facts(scenario: Scenario, step: Step, surroundings: Surroundings) -> dict[str, Possible]:
    """What a record's fields hold whenever the step acts."""
    trigger, facts = scenario.trigger, facts_of(step.only_if)
    if trigger.on == "stage" and step.unless_changed and not surroundings.started:
        facts.setdefault(trigger.fields[0], Possible(trigger.values))
    return facts


def _entry_facts(scenario: Scenario, schema: Schema, surroundings: Surroundings) -> dict[str, Possible]:
    """What they held when the record was let in, where that was a moment ago."""
    if not scenario.at_once and not _on_one_date(scenario):
        return {}
    facts = facts_of(both(scenario.only_if, scenario.due_if))
    if not surroundings.started:
        facts = facts | _trigger_facts(scenario, schema)
    return {name: fact for name, fact in facts.items() if name not in surroundings.written}


def _trigger_facts(scenario: Scenario, schema: Schema) -> dict[str, Possible]:
    """What the stage field held; of a stage that was left, any other one."""
    trigger = scenario.trigger
    if trigger.on == "stage":
        return {trigger.fields[0]: Possible(trigger.values)}
    options = schema[scenario.object].fields[trigger.fields[0]].options if trigger.on == "left" else ()
    others = (None, *(option for option in options if option not in trigger.values))
    return {trigger.fields[0]: Possible(others)} if options else {}


def _on_one_date(scenario: Scenario) -> bool:
    """Whether everything is done when the date of the trigger is reached."""
    first = scenario.steps[0].at
    on_date = scenario.trigger.on == "date" and first.date is not None
    return on_date and all(step.at == first and step.quiet_hours is None for step in scenario.steps)


@dataclass(frozen=True, slots=True)
class _Reader:
    scenario: Scenario
    step: Step
    schema: Schema
    allowed: Allowed
    facts: Mapping[str, Possible]

    def write(self) -> Write | None:
        params, own = self.step.params, self.schema[self.scenario.object]
        match self.step.kind:
            case "update_field" if params.get("related"):
                return self._related(str(params["related"]), params.get("set") or {})
            case "update_field":
                return self._own(self._values(own.name, params.get("set") or {}))
            case "set_stage":
                return self._own(self._values(own.name, {params.get("field"): params.get("to")}))
            case "assign_owner":
                return self._own({str(params.get("field") or own.owner_field): _person(params)})
            case "run_function":
                names = self.allowed.get(str(params.get("function")), {}).get(own.name, ())
                return self._own(dict.fromkeys(names, ANYTHING))
            case "start_process":
                return self._own({}, start=str(params.get("process")))
            case "create_task":
                return self._new("task", state="open")
            case "create_event":
                return self._new("calendar_event", state="confirmed", invite=params.get("invite") is not False)
            case "create_sales_record":
                return self._new("sales_record", kind=params.get("entry"))
            case _:
                return None

    def _own(self, fields: Mapping[str, Possible], start: str = "") -> Write:
        """What a step knows to be so already, it does not change."""
        same = {n for n, v in fields.items() if v.values is not None and len(v.values) == 1 and self.facts.get(n) == v}
        news = {name: value for name, value in fields.items() if name not in same}
        return Write(self.step, self.scenario.object, "own", Knowledge(news, self.facts), start=start)

    def _related(self, path: str, spec: Mapping[str, Any]) -> Write | None:
        found = resolve(path, self.scenario.object, self.schema)
        if isinstance(found, str) or found.field.object not in self.schema:
            return None
        target = found.field.object
        return Write(self.step, target, "related", Knowledge(self._values(target, spec), {}), related=path)

    def _new(self, name: str, **same: Value) -> Write:
        """A new follow-up; `same` is what every one that this step makes says."""
        fields = dict.fromkeys(_FILLED[name], ANYTHING) | dict.fromkeys(_ALWAYS_FILLED[name], SOMETHING)
        fields |= {"record_object": Possible((self.scenario.object,)), "record_id": SOMETHING}
        fields |= {field: Possible((value,)) for field, value in same.items()}
        return Write(self.step, name, "new", Knowledge(fields, {}, new=True))

    def _values(self, object_name: str, spec: Mapping[Any, Any]) -> dict[str, Possible]:
        fields = self.schema[object_name].fields
        return {name: _possible(fields[name], value) for name, value in spec.items() if name in fields}


_FILLED: Mapping[str, tuple[str, ...]] = {
    "task": ("description", "due_at"),
    "calendar_event": ("description", "location", "organizer", "attendees"),
    "sales_record": ("author",),
}
_ALWAYS_FILLED: Mapping[str, tuple[str, ...]] = {
    "task": ("title", "assignee"),
    "calendar_event": ("title", "starts_at", "ends_at"),
    "sales_record": ("text", "occurred_at"),
}


def _possible(field: Field, spec: object) -> Possible:
    """What a value as written can come to."""
    match spec:
        case {"clear": True}:
            return NOTHING
        case {"field": _} | {"template": _} | {"remove": _}:
            return ANYTHING
        case Mapping():
            return SOMETHING
    try:
        return Possible((canonical(field, spec),))
    except InvalidValue:
        return ANYTHING


def _person(params: Mapping[str, Any]) -> Possible:
    to = params.get("to")
    one = to[0] if isinstance(to, list) and len(to) == 1 else to
    return Possible((one["user"],)) if isinstance(one, Mapping) and one.get("user") else SOMETHING
