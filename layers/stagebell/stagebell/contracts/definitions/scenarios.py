"""Scenarios as written: what lets a record in, and the steps that follow."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.actions import ACTION_MODELS, SendEmail, SendSms
from stagebell.contracts.definitions.conditions import SCALARS, Condition, literal
from stagebell.contracts.model import (
    ClockTime,
    DefinitionModel,
    Description,
    DurationText,
    FieldName,
    FieldPath,
    Label,
    Model,
    Name,
    Zone,
    written,
)
from stagebell.domain.errors import Problem
from stagebell.domain.scenarios import STEP_LIMIT


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


class Trigger(Model):
    """Lets a record in on a change of it, instead of a stage."""

    on: Annotated[
        str,
        Field(
            description="created, updated (something differs), saved (every change, also without a difference), "
            "deleted, or manual",
            json_schema_extra={"enum": ["created", "updated", "saved", "deleted", "manual"]},
        ),
    ]
    fields: Annotated[
        list[FieldName] | None, Field(min_length=1, max_length=100, description="Only changes of these fields")
    ] = None

    @field_validator("on")
    @classmethod
    def _known(cls, on: str) -> str:
        if on.startswith(("stage_", "task_", "pipeline_")):
            raise PydanticCustomError("available", "pipeline events are not available in this version")
        if on not in _TRIGGERS:
            raise PydanticCustomError("one_of", "use one of {words}", {"words": ", ".join(_TRIGGERS)})
        return on

    @model_validator(mode="after")
    def _fields_of_an_update(self) -> Self:
        if self.fields is not None and self.on != "updated":
            raise PydanticCustomError("trigger_fields", "fields go with on: updated; use only_if here")
        return self


_TRIGGERS = ("created", "updated", "saved", "deleted", "manual")


class After(Model):
    """Due some time after an origin."""

    after: DurationText
    from_: Annotated[
        Literal["stage_entered", "previous_step", "stage_left"] | None,
        Field(alias="from", description="What the time counts from; stage_entered where absent"),
    ] = None


class OnDate(Model):
    """Due on the date that a field holds."""

    date: Annotated[FieldPath, Field(description="A date or datetime field")]
    offset: Annotated[DurationText | None, Field(description="Earlier or later, for example -3 days")] = None
    time: ClockTime | None = None


def _has_date(value: Any) -> str:
    return "<date>" if "date" in written(value) else "<after>"


type At = Annotated[Annotated[After, Tag("<after>")] | Annotated[OnDate, Tag("<date>")], Discriminator(_has_date)]


class QuietHours(Model):
    """Times at which nobody is disturbed; a step due in them waits for their end."""

    from_: Annotated[ClockTime, Field(alias="from")]
    to: ClockTime
    days: Annotated[
        list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None,
        Field(min_length=1, max_length=7, description="The days on which quiet time starts; every day where absent"),
    ] = None
    timezone: Zone | None = None


class Timed(Model):
    """What a scenario adds to an action: its time, and what keeps it from acting."""

    at: At
    unless_changed: Annotated[bool, Field(description="Skip when the stage field has changed since entry")] = False
    cancel_if: Annotated[Condition | None, Field(description="A later change that takes this step out")] = None
    quiet_hours: QuietHours | None = None


class SendEmailStep(SendEmail, Timed):
    """An e-mail at its time."""


class SendSmsStep(SendSms, Timed):
    """An SMS at its time."""


def _action(value: Any) -> str | None:
    kind = written(value).get("type")
    return f"<{kind}>" if isinstance(kind, str) and kind in ACTION_MODELS else None


type Step = Annotated[
    Annotated[SendEmailStep, Tag("<send_email>")] | Annotated[SendSmsStep, Tag("<send_sms>")],
    Discriminator(
        _action,
        custom_error_type="action_type",
        custom_error_message=f"a step is a mapping with a type; the types are {', '.join(ACTION_MODELS)}",
    ),
]


class Scenario(DefinitionModel):
    """A record enters; each step acts at its own time, unless something ends the run before."""

    kind: Literal["scenario"]
    name: Name
    label: Label | None = None
    description: Description | None = None
    object: FieldName
    stage: Stage | None = None
    trigger: Trigger | None = None
    only_if: Annotated[Condition | None, Field(description="Must hold for a record to enter")] = None
    cancel_if: Annotated[Condition | None, Field(description="A later change that ends the run")] = None
    reentry: Annotated[
        Literal["every_entry", "once", "restart"],
        Field(description="once: per record, ever; restart: a new match replaces the waiting run"),
    ] = "every_entry"
    past_due: Annotated[
        Literal["run", "skip", "fail"], Field(description="A step whose time had passed before we heard of it")
    ] = "run"
    on_unknown: Annotated[
        Literal["resend", "leave"], Field(description="A message of which nobody knows whether it went out")
    ] = "leave"
    timezone: Zone | None = None
    calendar: Annotated[Name | None, Field(description="The calendar that business days and hours count on")] = None
    steps: Annotated[list[Step], Field(min_length=1, max_length=STEP_LIMIT)]

    @classmethod
    def across(cls, document: Mapping[str, Any]) -> Iterator[Problem]:
        if (document.get("stage") is None) == (document.get("trigger") is None):
            yield Problem("", "stage_or_trigger", "a scenario has either a stage or a trigger")
        steps = document.get("steps")
        names = [written(step).get("name") for step in steps] if isinstance(steps, list) else []
        for index, name in enumerate(names):
            if isinstance(name, str) and name in names[:index]:
                yield Problem(f"steps[{index}].name", "unique_name", f"an earlier step is called {name} too")
