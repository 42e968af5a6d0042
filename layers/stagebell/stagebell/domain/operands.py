"""Operands: what a clause compares with, read from a definition and checked against the field's type."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stagebell.domain import durations
from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.fields import Field, Value, canonical
from stagebell.domain.objects import Schema
from stagebell.domain.operators import LISTS, NUMBER, OPERATORS, TEXT, Needs, Operator, key_of
from stagebell.domain.paths import Path, resolve


@dataclass(frozen=True, slots=True)
class Operand:
    """What a clause compares with: literals as comparison keys, another path, or a duration."""

    keys: tuple[Any, ...] = ()
    path: Path | None = None
    duration: durations.Duration | None = None
    literals: tuple[Value, ...] = ()  # canonical, for the matching index
    shown: str = ""


def read_operand(document: Mapping[str, Any], path: Path, object_name: str, schema: Schema) -> Operand | Problem:
    """The operand of a clause document, or what is wrong with it (path relative to the clause)."""
    op = document["op"]
    if unknown := unknown_operator(op):
        return unknown
    operator = OPERATORS[op]
    if path.field.type not in operator.types:
        fits = ", ".join(sorted(operator.types))
        return Problem("op", "operator_type", f"{op} does not apply to a {path.field.type} field; it applies to {fits}")
    if operator.own_field and path.hops:
        return Problem("field", "own_field", f"{op} looks at a change of this record; {path} belongs to another one")
    value = document.get("value")
    if operator.needs == "nothing":
        return Operand() if value is None else Problem("value", "no_value", f"{op} takes no value")
    if value is None:
        return Problem("value", "required", f"{op} needs a value")
    if isinstance(value, Mapping):
        return _path_operand(operator, value, path, object_name, schema)
    if operator.needs == "duration":
        return _duration_operand(value)
    return _literal_operand(op, operator.needs, value, path.field)


def unknown_operator(op: str) -> Problem | None:
    """Whether it is one can be told without the field as well."""
    if op in OPERATORS:
        return None
    return Problem("op", "known_operator", f"there is no operator {op}; use one of {', '.join(OPERATORS)}")


def _path_operand(
    operator: Operator, value: Mapping[str, Any], path: Path, object_name: str, schema: Schema
) -> Operand | Problem:
    if operator.needs not in ("value", "text"):
        return Problem("value", "literal", "this operator takes literal values only")
    other = resolve(str(value.get("field")), object_name, schema)
    if isinstance(other, str):
        return Problem("value.field", "known_field", other)
    mine, theirs = _family(path.field.type), _family(other.field.type)
    if mine != theirs and not (mine == "multi_select" and theirs == "text" and operator.needs == "text"):
        return Problem(
            "value.field", "same_type", f"{path} is {path.field.type} and {other} is {other.field.type}: not comparable"
        )
    return Operand(path=other, shown=f" {other}")


def _duration_operand(value: Any) -> Operand | Problem:
    try:
        duration = durations.parse_duration(value)
    except InvalidValue as error:
        return Problem("value", "duration", error.message)
    return Operand(duration=duration, shown=f" {durations.describe(duration)}")


def _literal_operand(op: str, needs: Needs, value: Any, field: Field) -> Operand | Problem:
    whole = field.type in LISTS and op in ("eq", "ne")
    several = isinstance(value, list) and not whole
    wrong = _shape_problem(op, needs, value, several)
    if wrong:
        return wrong
    literals = []
    for index, item in enumerate(value if several else [value]):
        literal = _literal(field, item, whole=whole, partial=needs == "text")
        if isinstance(literal, InvalidValue):
            return Problem(f"value[{index}]" if several else "value", field.type, literal.message)
        literals.append(literal)
    key = key_of(field)
    shown = f" {literals if several else literals[0]}"
    return Operand(tuple(key(literal) for literal in literals), literals=tuple(literals), shown=shown)


def _shape_problem(op: str, needs: Needs, value: Any, several: bool) -> Problem | None:
    if needs in ("value", "text") and several:
        return Problem("value", "one_value", f"{op} takes one value, not a list")
    if needs in ("list", "pair") and not several:
        return Problem("value", "list", f"{op} takes a list of values")
    if several and not value:
        return Problem("value", "list", f"{op} needs at least one value")
    if needs == "pair" and len(value) != 2:
        return Problem("value", "pair", f"{op} takes exactly two values, low and high")
    return None


def _literal(field: Field, item: Any, *, whole: bool, partial: bool) -> Value | InvalidValue:
    """A literal in canonical form: of a multi_select one option, of a text search any text."""
    if isinstance(item, float):
        item = Decimal(repr(item))
    if field.type in LISTS and not whole:
        field = Field(field.name, "select", options=field.options)
    elif field.type in TEXT and partial:
        field = Field(field.name, "text")
    try:
        return _present(canonical(field, item))
    except InvalidValue as error:
        return error


def _present(value: Value) -> Value:
    if value is None:
        raise InvalidValue("an empty value compares with nothing; use the operators empty and not_empty")
    return value


def _family(kind: str) -> str:
    return next((n for n, types in (("text", TEXT), ("number", NUMBER)) if kind in types), kind)
