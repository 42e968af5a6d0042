"""Values as written: what a field is set to."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.conditions import VALUE_LIMIT, literal
from stagebell.contracts.definitions.templates import Text
from stagebell.contracts.model import DurationText, FieldPath, Model, written
from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import decimal_text, describe

# --- literals


def _present(value: Any) -> Any:
    """Emptying a field is said in words, so that a slip of the pen empties nothing."""
    if value is None or value == "":
        raise PydanticCustomError("present", "an empty value says nothing; to empty a field, write {clear: true}")
    return literal(value)


def _number(value: Any) -> int | str:
    """A number in plain notation: an integer, or decimal text."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("number", "expected a number, got {got}", {"got": describe(value)})
    try:
        text = decimal_text(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    except InvalidValue as error:
        raise PydanticCustomError("number", "{message}", {"message": error.message}) from error
    return text if "." in text else int(text)


def _not_zero(value: Any) -> Any:
    if value == 0 or (isinstance(value, str) and not value.strip("-0.")):
        raise PydanticCustomError("not_zero", "nothing can be divided by zero")
    return value


type Literally = Annotated[
    Any,
    BeforeValidator(_present),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "number"}, {"type": "boolean"}]}),
]
type Word = Annotated[str, StringConstraints(min_length=1, max_length=500)]
type Words = Annotated[list[Word], Field(min_length=1, max_length=VALUE_LIMIT)]
type Number = Annotated[Any, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
type Decimals = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,38}(\.[0-9]{1,38})?$")]  # a number, once stored


class FromField(Model):
    """The value of another field, of this record or a related one."""

    field: FieldPath


class FromTemplate(Model):
    """What a template comes to. It shows dates in words, references by their titles, money with its sign."""

    template: Text


# --- arithmetic


def _operand(value: Any) -> str:
    if isinstance(value, Mapping | Model):
        return "<field>"
    return "<text>" if isinstance(value, str) else "<words>" if isinstance(value, list) else "<number>"


def _amount(value: Any) -> str:
    return "<number>" if isinstance(value, list) else _operand(value)


type Summand = Annotated[
    Annotated[FromField, Tag("<field>")]
    | Annotated[Words, Tag("<words>")]
    | Annotated[DurationText, Tag("<text>")]
    | Annotated[Number, Tag("<number>")],
    Discriminator(_operand),
]
type Subtrahend = Annotated[
    Annotated[FromField, Tag("<field>")] | Annotated[DurationText, Tag("<text>")] | Annotated[Number, Tag("<number>")],
    Discriminator(_amount),
]
type Factor = Annotated[
    Annotated[FromField, Tag("<field>")] | Annotated[Decimals, Tag("<text>")] | Annotated[Number, Tag("<number>")],
    Discriminator(_amount),
]
type Divisor = Annotated[Factor, AfterValidator(_not_zero), Field(json_schema_extra={"not": {"const": 0}})]


class Add(Model):
    """The old value and more: a number, a duration such as 3 days, {field: …}, or a list of options."""

    add: Summand


class Subtract(Model):
    """The old value and less: a number, a duration such as 3 days, or {field: …}."""

    subtract: Subtrahend


class Multiply(Model):
    """The old value times a number, or {field: …}."""

    multiply: Factor


class Divide(Model):
    """The old value divided by a number that is not 0, or by {field: …}."""

    divide: Divisor


class Remove(Model):
    """A multi_select without these options."""

    remove: Words


class Now(Model):
    """The moment at which the step acts, or its day."""

    now: Literal[True]


class Clear(Model):
    """No value any more."""

    clear: Literal[True]


FORMS: Mapping[str, type[Model]] = {
    "field": FromField,
    "template": FromTemplate,
    "add": Add,
    "subtract": Subtract,
    "multiply": Multiply,
    "divide": Divide,
    "remove": Remove,
    "now": Now,
    "clear": Clear,
}
"""The forms of a value that is no literal, by their key."""


def _form(value: Any) -> str | None:
    if isinstance(value, Mapping | Model):
        return next((f"<{word}>" for word in FORMS if word in written(value)), None)
    return "<words>" if isinstance(value, list) else "<literal>"


type Value = Annotated[
    Annotated[Literally, Tag("<literal>")]
    | Annotated[Words, Tag("<words>")]
    | Annotated[FromField, Tag("<field>")]
    | Annotated[FromTemplate, Tag("<template>")]
    | Annotated[Add, Tag("<add>")]
    | Annotated[Subtract, Tag("<subtract>")]
    | Annotated[Multiply, Tag("<multiply>")]
    | Annotated[Divide, Tag("<divide>")]
    | Annotated[Remove, Tag("<remove>")]
    | Annotated[Now, Tag("<now>")]
    | Annotated[Clear, Tag("<clear>")],
    Discriminator(
        _form,
        custom_error_type="value_form",
        custom_error_message=f"a value is a literal, a list, or a mapping with one of {', '.join(FORMS)}",
    ),
]
