"""Assignments: which fields an action sets, and to what, as written in a definition.

A value is written as a literal, or as one of

  {field: path} · {template: text} · {now: true} · {clear: true}
  {add | subtract | multiply | divide: number or {field: path}}   of a number
  {add | subtract: duration}                                      of a date or time
  {add | remove: [words]}                                         of a multi_select

Fields read are those of the record that the step sees; the old value is that of the record that is updated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stagebell.domain.arithmetic import OPERATIONS
from stagebell.domain.durations import parse_duration
from stagebell.domain.errors import InvalidInput, InvalidValue, Problem, RenderFailed, TemplateError
from stagebell.domain.expressions import (
    DATES,
    NUMBERS,
    Cleared,
    Copied,
    Expression,
    Fixed,
    Joined,
    Now,
    Reckoned,
    Rendered,
    Shifted,
    Sight,
    exact,
)
from stagebell.domain.fields import Field, Value, canonical, describe
from stagebell.domain.objects import Schema
from stagebell.domain.paths import resolve

VERBS = ("field", "template", "add", "subtract", "multiply", "divide", "remove", "now", "clear")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One field, and what it is set to."""

    field: Field
    expression: Expression


def read_assignments(
    written: Mapping[str, Any], target: str, seen: str, schema: Schema, problems: list[Problem], at: str = "set"
) -> tuple[Assignment, ...]:
    """What is set in a record of object `target`, by a step that sees one of object `seen`.

    What is wrong is added to `problems`, under `<at>.<field>`."""
    reader = _Reader(target, seen, schema, problems)
    read = [reader.assignment(name, value, f"{at}.{name}") for name, value in written.items()]
    return tuple(assignment for assignment in read if assignment is not None)


def assigned(
    assignments: Sequence[Assignment], before: Mapping[str, Value], sight: Sight, at: str = "set"
) -> dict[str, Value]:
    """The canonical values for a record that has `before`: all of them, or InvalidInput with every problem."""
    problems: list[Problem] = []
    values = {a.field.name: _worked_out(a, before.get(a.field.name), sight, problems, at) for a in assignments}
    if problems:
        raise InvalidInput(problems)
    return values


def _worked_out(assignment: Assignment, old: Value, sight: Sight, problems: list[Problem], at: str) -> Value:
    field, expression = assignment.field, assignment.expression
    where, rule = f"{at}.{field.name}", expression.rule
    try:
        raw = expression.value(field, old, sight)
        rule = field.type
        value = canonical(field, raw)
    except (InvalidValue, RenderFailed, TemplateError) as error:
        problems.append(Problem(where, rule, error.message))
        return None
    if value is None and field.required:
        problems.append(Problem(where, "required", f"{field.name} is required: it may not be emptied"))
    return value


@dataclass(frozen=True, slots=True)
class _Reader:
    target: str
    seen: str
    schema: Schema
    problems: list[Problem]

    def assignment(self, name: str, written: object, at: str) -> Assignment | None:
        field = self.schema[self.target].fields.get(name) if self.target in self.schema else None
        if field is None:
            self.problems.append(Problem(at, "known_field", f"{self.target} has no field {name}"))
            return None
        found = self._expression(field, written)
        if isinstance(found, Problem):
            self.problems.append(Problem(at + found.path, found.rule, found.message))
            return None
        return Assignment(field, found)

    def _expression(self, field: Field, written: object) -> Expression | Problem:
        if not isinstance(written, Mapping):
            return _literal(field, written)
        if len(written) != 1 or (verb := next(iter(written))) not in VERBS:
            return Problem("", "value", f"write a literal, or exactly one of {', '.join(VERBS)}")
        argument = written[verb]
        match verb:
            case "field":
                return self._copied(argument)
            case "template":
                return Rendered(str(argument))
            case "clear":
                return _emptied(field)
            case "now":
                return Now() if field.type in DATES else _unfit(verb, field)
        return self._changed(verb, argument, field)

    def _changed(self, verb: str, argument: Any, field: Field) -> Expression | Problem:
        """The old value, changed."""
        if field.type in NUMBERS and verb in OPERATIONS:
            return self._reckoned(verb, argument)
        if field.type in DATES and verb in ("add", "subtract"):
            return _shifted(verb, argument)
        if field.type == "multi_select" and verb in ("add", "remove"):
            return _joined(verb, argument, field)
        return _unfit(verb, field)

    def _copied(self, text: object) -> Expression | Problem:
        path = resolve(str(text), self.seen, self.schema)
        return Problem(".field", "known_field", path) if isinstance(path, str) else Copied(path)

    def _reckoned(self, verb: Any, argument: Any) -> Expression | Problem:
        if isinstance(argument, Mapping):
            path = resolve(str(argument.get("field")), self.seen, self.schema)
            if isinstance(path, str):
                return Problem(f".{verb}.field", "known_field", path)
            if path.field.type not in NUMBERS:
                return Problem(f".{verb}.field", "number", f"{path} is a {path.field.type} field, not a number")
            return Reckoned(verb, path)
        try:
            number = canonical(Field(verb, "decimal"), exact(argument))
        except InvalidValue as error:
            return Problem(f".{verb}", "number", error.message)
        if not isinstance(number, str):
            return Problem(f".{verb}", "number", f"expected a number, got {describe(argument)}")
        if verb == "divide" and not Decimal(number):
            return Problem(f".{verb}", "arithmetic", "nothing can be divided by zero")
        return Reckoned(verb, Decimal(number))


def _literal(field: Field, written: object) -> Expression | Problem:
    try:
        empty = canonical(field, exact(written)) is None
    except InvalidValue as error:
        return Problem("", field.type, error.message)
    return _emptied(field) if empty else Fixed(written)


def _emptied(field: Field) -> Expression | Problem:
    return Problem("", "required", f"{field.name} is required: it may not be emptied") if field.required else Cleared()


def _shifted(verb: str, argument: object) -> Expression | Problem:
    try:
        duration = parse_duration(str(argument))
    except InvalidValue as error:
        return Problem(f".{verb}", "duration", error.message)
    return Shifted(duration if verb == "add" else duration.negated())


def _joined(verb: Any, argument: Any, field: Field) -> Expression | Problem:
    words = argument if isinstance(argument, list | tuple) else [argument]
    try:
        canonical(field, list(words))
    except InvalidValue as error:
        return Problem(f".{verb}", field.type, error.message)
    return Joined(verb, tuple(words))


def _unfit(verb: str, field: Field) -> Problem:
    return Problem("", "operation_type", f"{verb} does not apply to a {field.type} field")
