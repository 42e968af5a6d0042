"""The base of every definition model, and the kinds of text they are made of."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from stagebell.domain.errors import Problem

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
FIELD_NAME = r"^[a-z][a-z0-9_]{0,62}$"


class Model(BaseModel):
    """Closed and strict: an unknown key or a value of another type is a mistake, never a guess.

    Built when it is first used: a function that reads no definitions does not wait for their forms."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


PARTS: Final = object()
"""The context of a validation that looks at each part by itself, and not at what parts say together."""


def together[M: Model](rule: Callable[[M], Iterator[PydanticCustomError]]) -> Any:
    """A rule between the parts of a model, each of which is right by itself: every mistake that it finds is told."""

    def check(model: M, info: ValidationInfo) -> M:
        found = [] if info.context is PARTS else [*rule(model)]
        if found:
            lines: Any = [{"type": mistake, "input": None} for mistake in found]
            raise ValidationError.from_exception_data(type(model).__name__, lines)
        return model

    return model_validator(mode="after")(check)


class DefinitionModel(Model):
    """A whole definition."""

    @classmethod
    def across(cls, document: Mapping[str, Any]) -> Iterator[Problem]:
        """What is wrong between the parts of a raw document; told also where a part by itself is wrong."""
        yield from ()


type Name = Annotated[str, StringConstraints(pattern=NAME)]
type FieldName = Annotated[str, StringConstraints(pattern=FIELD_NAME)]
type FieldPath = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62}){0,5}$"),
    Field(description="A field, or a path through references such as account.owner.email", examples=["account.owner"]),
]
type Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
type Description = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
type Zone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Field(description="A time zone of the IANA database", examples=["Europe/Berlin"]),
]
type ClockTime = Annotated[
    str,
    StringConstraints(min_length=1, max_length=8),
    Field(description="A local time of day, in quotes", examples=["09:00"]),
]
type DurationText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    Field(description="How long: 5 minutes, 2 hours, 3 business days, or ISO 8601 such as PT2H", examples=["2 hours"]),
]


def written(value: Any) -> Mapping[str, Any]:
    """The keys and values of a mapping or of a model made from one, as a discriminator meets both; else nothing."""
    if isinstance(value, Model):
        fields = type(value).model_fields
        return {field.alias or name: getattr(value, name) for name, field in fields.items()}
    return value if isinstance(value, Mapping) else {}
