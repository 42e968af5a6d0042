"""What lets a record in, as written: a stage, or a trigger."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.conditions import SCALARS, literal
from stagebell.contracts.model import ClockTime, DurationText, FieldName, Model, written

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


class OnChange(Model):
    """A change of the record lets it in."""

    on: Annotated[
        str,
        Field(
            description="created, updated (something differs), saved (every change, also without a difference), "
            "deleted, or manual",
            json_schema_extra={"enum": [*CHANGES]},
        ),
    ]
    fields: Annotated[
        list[FieldName] | None, Field(min_length=1, max_length=100, description="Only changes of these fields")
    ] = None

    @field_validator("on")
    @classmethod
    def _known(cls, on: str) -> str:
        if on.startswith(LATER):
            raise PydanticCustomError("available", "pipeline events are not available in this version")
        if on not in CHANGES:
            raise PydanticCustomError("one_of", "use one of {words}", {"words": ", ".join(TRIGGERS)})
        return on

    @model_validator(mode="after")
    def _fields_of_an_update(self) -> Self:
        if self.fields is not None and self.on != "updated":
            raise PydanticCustomError("trigger_fields", "fields go with on: updated; use only_if here")
        return self


class OnStage(Stage):
    """Entering a stage, or leaving it, lets the record in."""

    on: Literal["stage_entered", "stage_left"]


class OnDay(Model):
    """A date lets the record in; only_if is looked at when that date is reached."""

    on: Literal["date"]
    field: Annotated[FieldName, Field(description="A date or datetime field of the record")]
    offset: Annotated[DurationText | None, Field(description="Earlier or later, for example -3 days")] = None
    time: ClockTime | None = None


def _by_event(value: Any) -> str:
    on = written(value).get("on")
    return "<stage>" if on in ("stage_entered", "stage_left") else "<date>" if on == "date" else "<change>"


type Trigger = Annotated[
    Annotated[OnChange, Tag("<change>")] | Annotated[OnStage, Tag("<stage>")] | Annotated[OnDay, Tag("<date>")],
    Discriminator(_by_event),
]
