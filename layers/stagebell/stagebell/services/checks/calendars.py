"""Checking calendars: hours that make sense, dates that exist, holidays that are known."""

from collections.abc import Iterator

from stagebell.domain.calendars import WorkingCalendar, calendar_from
from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.local_time import resolve_zone
from stagebell.services.checks.world import Document, Tools

_PARTS = ("working_hours", "dates", "working_dates", "holidays")
_ANY_YEAR = 2026


def calendar_problems(document: Document, tools: Tools) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of a calendar definition, part by part and then as a whole."""
    problems = [*zone_problems(document, "timezone"), *_part_problems(document, tools)]
    yield from problems or _whole_problems(document, tools)


def zone_problems(document: Document, key: str, at: str = "") -> Iterator[Problem]:
    """Whether a time zone that is named is one."""
    try:
        if document.get(key):
            resolve_zone(document[key])
    except InvalidValue as error:
        yield Problem(f"{at}{key}", "timezone", error.message)


def _part_problems(document: Document, tools: Tools) -> Iterator[Problem]:
    for part in _PARTS:
        if part in document:
            try:
                _look_up(_calendar({"name": document["name"], part: document[part]}, tools))
            except InvalidValue as error:
                yield Problem(part, part, error.message)


def _whole_problems(document: Document, tools: Tools) -> Iterator[Problem]:
    try:
        _calendar(document, tools)
    except InvalidValue as error:
        yield Problem("", "calendar", error.message)


def _calendar(document: Document, tools: Tools) -> WorkingCalendar:
    return calendar_from(document, tools.holidays, tools.zone)


def _look_up(calendar: WorkingCalendar) -> None:
    if calendar.public:
        calendar.public.lookup(calendar.public.country, calendar.public.subdivision, _ANY_YEAR)
