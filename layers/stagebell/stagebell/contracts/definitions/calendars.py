"""Calendars as written: working hours, holidays, and days that are an exception."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from stagebell.contracts.model import DefinitionModel, Description, Label, Model, Name, Zone

type Interval = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20),
    Field(description="From and to, in quotes", examples=["09:00-17:30"]),
]


def _as_text(value: Any) -> Any:
    return value.isoformat() if type(value) is date else value


type Day = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(min_length=1, max_length=10),
    Field(description="A date", examples=["2026-12-24"]),
]
type Days = Annotated[list[Day], Field(max_length=2_000)]
type Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Holidays(Model):
    """The public holidays of a country, or of a part of it."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(description="ISO 3166, such as DE")]
    subdivision: Annotated[
        str | None, StringConstraints(min_length=1, max_length=10), Field(description="Such as BY for Bavaria")
    ] = None


class Calendar(DefinitionModel):
    """When work is done."""

    kind: Literal["calendar"]
    name: Name
    label: Label | None = None
    description: Description | None = None
    timezone: Zone | None = None
    working_hours: Annotated[
        dict[Weekday, list[Interval]] | None,
        Field(min_length=1, description="Intervals by weekday; Monday to Friday 09:00-17:00 where absent"),
    ] = None
    holidays: Holidays | None = None
    dates: Annotated[Days | None, Field(description="Days that are closed")] = None
    working_dates: Annotated[Days | None, Field(description="Days that are worked although they are free")] = None
