"""Moments as written: when a step is due, a task is due, an event starts; and when nobody is disturbed."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from stagebell.contracts.model import ClockTime, DurationText, FieldPath, Model, Zone, written


class After(Model):
    """Due some time after an origin."""

    after: DurationText
    from_: Annotated[
        Literal["stage_entered", "previous_step", "stage_left"] | None,
        Field(alias="from", description="stage_entered where absent: when it was let in, or the trigger's date"),
    ] = None


class OnDate(Model):
    """Due on the date that a field holds."""

    date: Annotated[FieldPath, Field(description="A date or datetime field")]
    offset: Annotated[DurationText | None, Field(description="Earlier or later, for example -3 days")] = None
    time: ClockTime | None = None


def _has_date(value: Any) -> str | None:
    if not isinstance(value, Mapping | Model):
        return None
    return "<date>" if "date" in written(value) else "<after>"


type At = Annotated[
    Annotated[After, Tag("<after>")] | Annotated[OnDate, Tag("<date>")],
    Discriminator(
        _has_date,
        custom_error_type="moment",
        custom_error_message="write {after: 2 hours}, or {date: FIELD, offset: -3 days}",
    ),
]


def _is_text(value: Any) -> str | None:
    if isinstance(value, str):
        return "<text>"
    return "<date>" if {"date", "offset", "time"} & {*written(value)} else None


type Moment = Annotated[
    Annotated[DurationText, Tag("<text>")] | Annotated[OnDate, Tag("<date>")],
    Discriminator(
        _is_text,
        custom_error_type="moment",
        custom_error_message="write a duration, such as 2 days, or {date: FIELD, offset: -3 days}",
    ),
    Field(description="A duration from when the step acts, such as 2 days; or {date: …, offset: …, time: …}"),
]


class QuietHours(Model):
    """Times at which nobody is disturbed; a step due in them waits for their end."""

    from_: Annotated[ClockTime, Field(alias="from")]
    to: ClockTime
    days: Annotated[
        list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None,
        Field(min_length=1, max_length=7, description="The days on which quiet time starts; every day where absent"),
    ] = None
    timezone: Zone | None = None
