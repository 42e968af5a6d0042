"""Durations: how long a step waits, and adding that to a moment.

Three kinds of unit: days, weeks, months and years keep the wall clock of the zone (tomorrow at the same time, however
long the night was); hours, minutes and seconds are elapsed time; business units count on a working calendar.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from stagebell.domain.calendars import (
    WorkingCalendar,
    add_business_days,
    add_working_time,
    default_calendar,
    shift_business_days,
)
from stagebell.domain.errors import InvalidValue
from stagebell.domain.local_time import at_local_time, shift_day, to_local, to_utc, utc

DAY = 86_400
MONTH = 30 * DAY + 37_800  # the mean month, a twelfth of 365 days and 6 hours; only to measure against the limit
LIMIT = 60 * MONTH

type Amounts = dict[str, int]

_UNITS = MappingProxyType(
    {
        "second": ("seconds", 1),
        "minute": ("seconds", 60),
        "hour": ("seconds", 3600),
        "day": ("days", 1),
        "week": ("days", 7),
        "month": ("months", 1),
        "year": ("months", 12),
        "business second": ("business_seconds", 1),
        "business minute": ("business_seconds", 60),
        "business hour": ("business_seconds", 3600),
        "business day": ("business_days", 1),
    }
)
_ISO_UNITS = ("year", "month", "week", "day", "hour", "minute", "second")
_ISO = re.compile(
    r"P(?=.)(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?=.)(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?"
)
_PART = re.compile(r"([0-9]+) ?((?:business )?[^\W\d_]+)(?: |$)")
_TEXT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Duration:
    """All parts have the same sign. `None` business parts are absent; zero ones still ask for working time.

    InvalidValue for more than five years, for mixed signs, and for business units mixed with others."""

    months: int = 0
    days: int = 0
    seconds: int = 0
    business_days: int | None = None
    business_seconds: int | None = None
    elapsed: timedelta | None = field(init=False, repr=False, compare=False)  # set where that is all there is to add

    def __post_init__(self) -> None:
        _check(self)
        exact = not (self.months or self.days or self.is_business)
        object.__setattr__(self, "elapsed", timedelta(seconds=self.seconds) if exact else None)

    @property
    def is_business(self) -> bool:
        return self.business_days is not None or self.business_seconds is not None

    @property
    def is_exact(self) -> bool:
        """Whether it is elapsed time only, the same in every zone."""
        return self.elapsed is not None

    @property
    def is_negative(self) -> bool:
        parts = (self.months, self.days, self.seconds, self.business_days or 0, self.business_seconds or 0)
        return any(part < 0 for part in parts)

    def negated(self) -> "Duration":
        return Duration(
            -self.months, -self.days, -self.seconds, _minus(self.business_days), _minus(self.business_seconds)
        )


def _minus(part: int | None) -> int | None:
    return None if part is None else -part


def _check(duration: Duration) -> None:
    amounts = (duration.months, duration.days, duration.seconds)
    business = (duration.business_days or 0, duration.business_seconds or 0)
    if duration.is_business and any(amounts):
        raise InvalidValue("business units cannot be mixed with other units in one duration")
    if min(*amounts, *business) < 0 < max(*amounts, *business):
        raise InvalidValue("the parts of a duration must have the same sign")
    if abs(_rough_seconds(amounts, business)) > LIMIT:
        raise InvalidValue("durations are limited to 5 years")


def _rough_seconds(amounts: tuple[int, int, int], business: tuple[int, int]) -> int:
    """The length to hold against the limit; business units as in five days a week of eight hours."""
    months, days, seconds = amounts
    business_days, business_seconds = business
    return months * MONTH + days * DAY + seconds + (business_days * DAY + business_seconds * 3) * 7 // 5


def parse_duration(text: str) -> Duration:
    """`5 minutes`, `1 day 4 hours`, `3 business days`, `-3 days` or ISO 8601 (`PT2H`, `P1DT4H`, `-P3D`).

    A leading minus counts for all parts. InvalidValue says what is wrong and what can be written."""
    words = " ".join(text.split())
    if len(words) > _TEXT_LIMIT:
        raise InvalidValue(f"a duration is limited to {_TEXT_LIMIT} characters, got {len(words)}")
    sign, unsigned = (-1, words[1:].lstrip()) if words.startswith("-") else (1, words)
    amounts = _iso(unsigned) or _words(unsigned.lower(), words)
    try:
        return Duration(**{name: sign * amount for name, amount in amounts.items()})
    except InvalidValue as error:
        raise InvalidValue(f"'{words}': {error.message}") from error


def _iso(text: str) -> Amounts:
    """Empty where the text is not ISO 8601."""
    found = _ISO.fullmatch(text.upper())
    if found is None:
        return {}
    return _sum((unit, int(number)) for unit, number in zip(_ISO_UNITS, found.groups(), strict=True) if number)


def _words(text: str, shown: str) -> Amounts:
    parts = list(_PART.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        raise InvalidValue(
            f"'{shown}' is not a duration; write whole numbers with units, for example 5 minutes, 1 day 4 hours, "
            "3 business days, or ISO 8601 such as PT2H"
        )
    units = [_unit(part[2], shown) for part in parts]
    if len(set(units)) < len(units):
        raise InvalidValue(f"'{shown}': a unit is named twice")
    return _sum(zip(units, (int(part[1]) for part in parts), strict=True))


def _unit(word: str, shown: str) -> str:
    unit = word.removesuffix("s")
    if unit in _UNITS:
        return unit
    raise InvalidValue(
        f"'{shown}': unit {word} is not known; use seconds, minutes, hours, days, weeks, months, years, "
        "business seconds, business minutes, business hours or business days"
    )


def _sum(parts: Iterator[tuple[str, int]]) -> Amounts:
    amounts: Amounts = {}
    for unit, number in parts:
        name, factor = _UNITS[unit]
        amounts[name] = amounts.get(name, 0) + number * factor
    return amounts


def describe(duration: Duration) -> str:
    """The canonical text, which parses to the same duration: `-1 day 4 hours`, `0 seconds`, `3 business days`."""
    parts = [
        *_phrases(abs(duration.months), (("year", 12), ("month", 1))),
        *_phrases(abs(duration.days), (("day", 1),)),
        *_phrases(abs(duration.seconds), (("hour", 3600), ("minute", 60), ("second", 1))),
        *_business_phrases(duration),
    ]
    negative = min(duration.months, duration.days, duration.seconds, *_business(duration)) < 0
    return ("-" if negative else "") + (" ".join(parts) or "0 seconds")


def _business(duration: Duration) -> tuple[int, int]:
    return duration.business_days or 0, duration.business_seconds or 0


def _business_phrases(duration: Duration) -> Iterator[str]:
    if (days := duration.business_days) is not None:
        yield from _phrases(abs(days), (("business day", 1),)) or ["0 business days"]
    if (seconds := duration.business_seconds) is not None:
        units = (("business hour", 3600), ("business minute", 60), ("business second", 1))
        yield from _phrases(abs(seconds), units) or ["0 business hours"]


def _phrases(amount: int, units: tuple[tuple[str, int], ...]) -> list[str]:
    phrases = []
    for unit, factor in units:
        count, amount = divmod(amount, factor)
        if count:
            phrases.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return phrases


def add(moment: datetime, duration: Duration, zone: ZoneInfo, calendar: WorkingCalendar | None = None) -> datetime:
    """The instant (UTC) a duration after an aware moment.

    Months go first, then days, both on the wall clock of `zone`; 31 January + 1 month is the last day of February.
    Elapsed time follows. Business days, then business time, are counted in the zone of `calendar`, or where there is
    none on Monday to Friday, 09:00 to 17:00 in `zone`. InvalidValue outside the years 1 to 9999."""
    if duration.elapsed is not None:
        return _plus(moment if moment.tzinfo is UTC else utc(moment), duration.elapsed)
    if duration.is_business:
        return _add_business(moment, duration, calendar or default_calendar(zone))
    return _add_calendar_units(to_local(moment, zone), duration, zone)


def date_due(
    field_value: date,
    offset: Duration | None,
    at: time | None,
    zone: ZoneInfo,
    calendar: WorkingCalendar | None = None,
) -> datetime:
    """When `at: {date: FIELD, offset: …, time: …}` is due (UTC), for the value of a date or a datetime field.

    A date stands for its local day at `at` (00:00 where absent); the offset is added to that. A datetime is an instant;
    the offset is added, and where `at` is given it replaces the local time of the day reached. Business days of a date
    are counted from that date."""
    if isinstance(field_value, datetime):
        reached = add(field_value, offset, zone, calendar) if offset is not None else utc(field_value)
        return reached if at is None else at_local_time(to_local(reached, zone).date(), at, zone)
    local = datetime.combine(field_value, at or time.min)
    if offset is None:
        return to_utc(local, zone)
    if offset.is_business:
        return _add_business_to_date(local, offset, zone, calendar or default_calendar(zone))
    return _add_calendar_units(local, offset, zone)


def _add_calendar_units(local: datetime, duration: Duration, zone: ZoneInfo) -> datetime:
    day = shift_day(_shift_months(local.date(), duration.months), duration.days)
    return _plus(at_local_time(day, local.time(), zone), timedelta(seconds=duration.seconds))


def _add_business(moment: datetime, duration: Duration, calendar: WorkingCalendar) -> datetime:
    if duration.business_days is not None:
        moment = add_business_days(moment, duration.business_days, calendar)
    return _add_business_time(moment, duration, calendar)


def _add_business_to_date(local: datetime, duration: Duration, zone: ZoneInfo, calendar: WorkingCalendar) -> datetime:
    # A date has no zone, so its working days are counted as written, even where the calendar lives in another zone.
    day = local.date()
    if duration.business_days is not None:
        day = shift_business_days(day, duration.business_days, calendar)
    return _add_business_time(at_local_time(day, local.time(), zone), duration, calendar)


def _add_business_time(moment: datetime, duration: Duration, calendar: WorkingCalendar) -> datetime:
    if duration.business_seconds is None:
        return moment
    return add_working_time(moment, duration.business_seconds, calendar)


def _shift_months(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if not 1 <= year <= 9999:
        raise InvalidValue(f"{day.isoformat()} plus {months} months leads outside the years 1 to 9999")
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def _plus(moment: datetime, elapsed: timedelta) -> datetime:
    try:
        return moment + elapsed
    except OverflowError as error:
        raise InvalidValue(f"{moment.isoformat()} plus {elapsed} leads outside the years 1 to 9999") from error
