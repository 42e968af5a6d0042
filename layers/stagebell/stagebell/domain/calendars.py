"""Working calendars: working hours per weekday, holidays and make-up working days, and counting on them.

Which days are working days, first answer wins: the calendar's own `working_dates`, its own `dates` (closed), the
country's make-up working days, the country's holidays, the weekday's hours.
All counting is done in the calendar's own zone; answers are in UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from stagebell.domain.errors import InvalidValue
from stagebell.domain.local_time import (
    MINUTES_PER_DAY,
    WEEKDAYS,
    boundary,
    clock_text,
    parse_minute_of_day,
    parse_weekday,
    resolve_zone,
    shift_day,
    to_local,
    to_utc,
    utc,
)

MAX_IDLE_DAYS = 400  # no working day for longer than this: the calendar is wrong
MAX_WALK_DAYS = 50 * 366


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """A country's days off in one year, and the days it works although their weekday is free."""

    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()


class HolidayLookup(Protocol):
    """Finds a country's holidays; InvalidValue for a country or subdivision it does not know."""

    def __call__(self, country: str, subdivision: str | None, year: int, /) -> HolidayYear: ...


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """The public holidays a calendar follows, looked up when they are needed."""

    country: str
    subdivision: str | None
    lookup: HolidayLookup

    def is_working_day(self, day: date) -> bool | None:
        """True on a make-up working day, False on a holiday, None on any other day."""
        year = self.lookup(self.country, self.subdivision, day.year)
        if day in year.working_days:
            return True
        return False if day in year.holidays else None


@dataclass(frozen=True, slots=True, order=True)
class WorkingInterval:
    """Working time from `start` to `end`, in minutes since local midnight; `end` may be 1440, the end of the day."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= MINUTES_PER_DAY:
            raise InvalidValue(
                f"{self} does not end after it starts; divide a night shift at midnight: 22:00-24:00, 00:00-06:00"
            )

    def __str__(self) -> str:
        return f"{clock_text(self.start)}-{clock_text(self.end)}"


type DayHours = tuple[WorkingInterval, ...]

OFFICE_HOURS: tuple[DayHours, ...] = ((WorkingInterval(9 * 60, 17 * 60),),) * 5 + ((),) * 2


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """`hours` has one tuple of intervals per weekday, Monday first, in order and without overlap.

    A make-up working day whose weekday has no hours has those of the first weekday that has some."""

    name: str
    zone: ZoneInfo
    hours: tuple[DayHours, ...] = OFFICE_HOURS
    closed_dates: frozenset[date] = frozenset()
    working_dates: frozenset[date] = frozenset()
    public: PublicHolidays | None = None

    def __post_init__(self) -> None:
        if len(self.hours) != len(WEEKDAYS) or not any(self.hours):
            raise InvalidValue(f"calendar {self.name} has no working hours on any day of the week")
        for weekday, intervals in zip(WEEKDAYS, self.hours, strict=True):
            _refuse_overlap(weekday, intervals)
        if both := self.closed_dates & self.working_dates:
            raise InvalidValue(f"calendar {self.name} lists {min(both)} both as closed and as a working date")

    def is_working_day(self, day: date) -> bool:
        if day in self.working_dates:
            return True
        if day in self.closed_dates:
            return False
        public = self.public.is_working_day(day) if self.public else None
        return bool(self.hours[day.weekday()]) if public is None else public

    def intervals_on(self, day: date) -> DayHours:
        if not self.is_working_day(day):
            return ()
        return self.hours[day.weekday()] or next(filter(None, self.hours))


def _refuse_overlap(weekday: str, intervals: DayHours) -> None:
    for first, second in pairwise(intervals):
        if second.start < first.end:
            raise InvalidValue(f"{weekday}: {first} and {second} overlap or are out of order")


@lru_cache(maxsize=256)
def default_calendar(zone: ZoneInfo) -> WorkingCalendar:
    """Monday to Friday, 09:00 to 17:00, no holidays: what business units mean where no calendar is named."""
    return WorkingCalendar(name="default", zone=zone)


def shift_business_days(day: date, count: int, calendar: WorkingCalendar) -> date:
    """The working day `count` working days away (earlier when negative).

    A day that is no working day counts as the next working day, whatever the direction: Saturday + 0 is Monday,
    Saturday + 1 is Tuesday, Saturday - 1 is Friday."""
    start = _nth(_working_days(day, 1, calendar), 0, calendar)
    return _nth(_working_days(start, -1 if count < 0 else 1, calendar), abs(count), calendar)


def add_business_days(moment: datetime, count: int, calendar: WorkingCalendar) -> datetime:
    """The same local time of day, `count` working days away; see `shift_business_days`."""
    local = to_local(moment, calendar.zone)
    day = shift_business_days(local.date(), count, calendar)
    return to_utc(datetime.combine(day, local.time()), calendar.zone)


def add_working_time(moment: datetime, seconds: int, calendar: WorkingCalendar) -> datetime:
    """The instant by which `seconds` of working time have passed; for a negative number, after which they still come.

    The end of an interval is reached before the start of the next: 8 hours from Monday 09:00 is Monday 17:00.
    Zero leaves a moment in working time alone and moves any other to the next opening."""
    moment, left = utc(moment), timedelta(seconds=abs(seconds))
    return _back_by(moment, left, calendar) if seconds < 0 else _on_by(moment, left, calendar)


def _on_by(moment: datetime, left: timedelta, calendar: WorkingCalendar) -> datetime:
    # From the day before: clocks that go back over midnight can put a moment on the later local date.
    first_day = shift_day(to_local(moment, calendar.zone).date(), -1)
    for day in _working_days(first_day, 1, calendar):
        for opening, closing in _spans(day, calendar):
            start = max(opening, moment)
            if start < closing:
                if start + left <= closing:
                    return start + left
                left -= closing - start
    raise _too_far(calendar)


def _back_by(moment: datetime, left: timedelta, calendar: WorkingCalendar) -> datetime:
    last_day = shift_day(to_local(moment, calendar.zone).date(), 1)
    for day in _working_days(last_day, -1, calendar):
        for opening, closing in reversed(_spans(day, calendar)):
            end = min(closing, moment)
            if opening < end:
                if opening <= end - left:
                    return end - left
                left -= end - opening
    raise _too_far(calendar)


def _spans(day: date, calendar: WorkingCalendar) -> list[tuple[datetime, datetime]]:
    """The day's working intervals as instants."""
    zone = calendar.zone
    return [(boundary(day, i.start, zone), boundary(day, i.end, zone)) for i in calendar.intervals_on(day)]


def _working_days(first: date, step: int, calendar: WorkingCalendar) -> Iterator[date]:
    """Working days from `first` on, in the direction of `step`, for 50 years; InvalidValue after 400 idle days."""
    idle = 0
    for distance in range(MAX_WALK_DAYS):
        day = shift_day(first, step * distance)
        if calendar.is_working_day(day):
            idle = 0
            yield day
        elif (idle := idle + 1) >= MAX_IDLE_DAYS:
            raise InvalidValue(f"calendar {calendar.name} has no working hours in {MAX_IDLE_DAYS} days up to {day}")


def _nth(days: Iterator[date], index: int, calendar: WorkingCalendar) -> date:
    found = next(islice(days, index, None), None)
    if found is None:
        raise _too_far(calendar)
    return found


def _too_far(calendar: WorkingCalendar) -> InvalidValue:
    return InvalidValue(f"calendar {calendar.name} has too little working time: the date is more than 50 years away")


def calendar_from(
    document: Mapping[str, Any], holidays: HolidayLookup, default_zone: ZoneInfo | None = None
) -> WorkingCalendar:
    """The calendar a definition document declares; InvalidValue names the day and the rule.

    Keys: `name`, `timezone` (else `default_zone`), `working_hours` (else Monday to Friday 09:00-17:00), `holidays`
    (`country`, `subdivision`), `dates` (closed), `working_dates`. Holidays are not looked up here."""
    return WorkingCalendar(
        name=document["name"],
        zone=_zone(document, default_zone),
        hours=_hours(document["working_hours"]) if "working_hours" in document else OFFICE_HOURS,
        closed_dates=_dates(document.get("dates") or (), "dates"),
        working_dates=_dates(document.get("working_dates") or (), "working_dates"),
        public=_public(document.get("holidays"), holidays),
    )


def _zone(document: Mapping[str, Any], default: ZoneInfo | None) -> ZoneInfo:
    if name := document.get("timezone"):
        return resolve_zone(name)
    if default is None:
        raise InvalidValue(f"calendar {document['name']} needs a timezone, for example Europe/Berlin")
    return default


def _hours(document: Mapping[str, Any]) -> tuple[DayHours, ...]:
    by_day = {parse_weekday(name): _day_hours(name, texts) for name, texts in document.items()}
    return tuple(by_day.get(weekday, ()) for weekday in range(len(WEEKDAYS)))


def _day_hours(weekday: str, texts: Any) -> DayHours:
    if isinstance(texts, str):
        raise InvalidValue(f'{weekday}: write a list of intervals, for example ["{texts}"]')
    return tuple(sorted(_interval(weekday, text) for text in texts or ()))


def _interval(weekday: str, text: Any) -> WorkingInterval:
    start, dash, end = text.partition("-") if isinstance(text, str) else ("", "", "")
    if not dash:
        raise InvalidValue(f"{weekday}: '{text}' is not an interval; write it as 09:00-17:30")
    try:
        return WorkingInterval(parse_minute_of_day(start.strip()), parse_minute_of_day(end.strip()))
    except InvalidValue as error:
        raise InvalidValue(f"{weekday}: {error.message}") from error


def _dates(values: Any, key: str) -> frozenset[date]:
    return frozenset(_date(value, key) for value in values)


def _date(value: Any, key: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):  # YAML reads an unquoted date as one
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"{key}: '{value}' is not a date; write it as 2026-12-24") from error


def _public(document: Mapping[str, Any] | None, lookup: HolidayLookup) -> PublicHolidays | None:
    if not document:
        return None
    return PublicHolidays(document["country"], document.get("subdivision") or None, lookup)
