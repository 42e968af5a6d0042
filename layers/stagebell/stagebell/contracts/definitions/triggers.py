"""What lets a record in, as written: a stage, or a trigger."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.conditions import SCALARS, literal
from stagebell.contracts.model import ClockTime, DurationText, FieldName, Model, together, written

CHANGES = ("created", "updated", "saved", "deleted", "manual")
TRIGGERS = (*CHANGES, "stage_entered", "stage_left", "date")
LATER = ("stage_", "task_", "pipeline_")


def _stage_words(value: Any) -> Any:
    return [literal(word) for word in value] if isinstance(value, list) else literal(value)


class Stage(Model):
    """Entering: the field takes one of these values, coming from outside them."""

    field: Annotated[FieldName, Field(description="The field that holds the stage")]
    is_: Annotated[
        Any,
        Field(alias="is"),
        BeforeValidator(_stage_words),
        WithJsonSchema(
            {
                "description": "The stage, or a list of stages that count as one",
                "anyOf": [*SCALARS, {"type": "array", "items": {"anyOf": SCALARS}, "minItems": 1}],
            }
        ),
    ]

    @field_validator("is_")
    @classmethod
    def _some(cls, value: Any) -> Any:
        if value == []:
            raise PydanticCustomError("count", "name at least one stage")
        return value


def _event(on: Any) -> Any:
    if on in TRIGGERS or not isinstance(on, str):
        return on
    if on.startswith(LATER):
        raise PydanticCustomError("available", "pipeline events are not available in this version")
    raise PydanticCustomError("one_of", "use one of {words}", {"words": ", ".join(TRIGGERS)})


class OnChange(Model):
    """A change of the record lets it in."""

    on: Annotated[
        str,
        BeforeValidator(_event),
        Field(
            description="created, updated (something differs), saved (every change, also without a difference), "
            "deleted, or manual",
            json_schema_extra={"enum": [*CHANGES]},
        ),
    ]
    fields: Annotated[
        list[FieldName] | None, Field(min_length=1, max_length=100, description="Only changes of these fields")
    ] = None

    @together
    def _fields_of_an_update(self) -> Iterator[PydanticCustomError]:
        if self.fields is not None and self.on != "updated":
            yield PydanticCustomError("trigger_fields", "fields go with on: updated; use only_if here")


class OnStage(Stage):
    """Entering a stage, or leaving it, lets the record in."""

    on: Annotated[Literal["stage_entered", "stage_left"], BeforeValidator(_event)]


class OnDay(Model):
    """A date lets the record in; only_if is looked at when that date is reached."""

    on: Annotated[Literal["date"], BeforeValidator(_event)]
    field: Annotated[FieldName, Field(description="A date or datetime field of the record")]
    offset: Annotated[DurationText | None, Field(description="Earlier or later, for example -3 days")] = None
    time: ClockTime | None = None


def _by_event(value: Any) -> str:
    """Where the event is none, the other keys tell what is meant."""
    keys = written(value)
    on, stage, day = keys.get("on"), keys.get("is") is not None, keys.get("field") is not None
    if on in TRIGGERS:
        stage, day = on in ("stage_entered", "stage_left"), on == "date"
    return "<stage>" if stage else "<date>" if day else "<change>"


type Trigger = Annotated[
    Annotated[OnChange, Tag("<change>")] | Annotated[OnStage, Tag("<stage>")] | Annotated[OnDay, Tag("<date>")],
    Discriminator(_by_event),
]
