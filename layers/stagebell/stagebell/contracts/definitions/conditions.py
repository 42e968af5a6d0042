"""Conditions as written: `all`, `any`, `not` around `{field, op, value}`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from stagebell.contracts.model import FieldPath, Model, written
from stagebell.domain.operators import OPERATORS

VALUE_LIMIT = 1_000

type Scalar = str | int | bool


def literal(value: Any) -> Scalar:
    """A literal that survives JSON exactly: a whole number stays one, any other becomes decimal text."""
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, str | int):
        return value
    raise PydanticCustomError("literal", "expected text, a number, true or false")


def _number(value: Decimal) -> Scalar:
    if not value.is_finite():
        raise PydanticCustomError("literal", "expected a finite number")
    return int(value) if value == value.to_integral_value() and value.adjusted() < 40 else str(value)


def _operand(value: Any) -> Any:
    """A literal, a list of literals, or `{field: path}`."""
    match value:
        case {"field": str()} if len(value) == 1:
            return value
        case Mapping():
            raise PydanticCustomError("field_value", "a value is a literal, a list, or {field: other_field}")
        case list() if len(value) > VALUE_LIMIT:
            raise PydanticCustomError("count", "a list of values is limited to {limit}", {"limit": VALUE_LIMIT})
        case list():
            return [literal(item) for item in value]
        case _:
            return literal(value)


SCALARS: list[dict[str, Any]] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
type Operand = Annotated[
    Any,
    BeforeValidator(_operand),
    WithJsonSchema(
        {
            "description": "What the field is compared with: a literal, a list, or another field",
            "anyOf": [
                *SCALARS,
                {"type": "array", "items": {"anyOf": SCALARS}, "maxItems": VALUE_LIMIT},
                {
                    "type": "object",
                    "properties": {"field": {"type": "string"}},
                    "required": ["field"],
                    "additionalProperties": False,
                },
            ],
        }
    ),
]


_OPERATORS = "; ".join(f"{name}: {operator.meaning}" for name, operator in OPERATORS.items())


class Clause(Model):
    """Compares one field."""

    field: FieldPath
    op: Annotated[
        str,
        StringConstraints(min_length=1, max_length=40),
        Field(description=_OPERATORS, json_schema_extra={"enum": [*OPERATORS]}),
    ]
    value: Operand = None


class AllOf(Model):
    """Holds when every part holds."""

    all: Annotated[list["Condition"], Field(min_length=1, max_length=100)]


class AnyOf(Model):
    """Holds when at least one part holds."""

    any: Annotated[list["Condition"], Field(min_length=1, max_length=100)]


class Negation(Model):
    """Holds when its part does not."""

    not_: Annotated["Condition", Field(alias="not")]


def _shape(value: Any) -> str:
    """Which of the four a condition is, told by its key. The tags stand in angle brackets: no key looks like that."""
    keys = written(value)
    return next((f"<{word}>" for word in ("all", "any", "not") if word in keys), "<clause>")


type Condition = Annotated[
    Annotated[Clause, Tag("<clause>")]
    | Annotated[AllOf, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[Negation, Tag("<not>")],
    Discriminator(_shape),
]

for _model in (AllOf, AnyOf, Negation):  # they were written down before the word Condition had its meaning
    _model.model_rebuild()
