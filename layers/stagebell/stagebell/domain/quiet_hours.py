"""Quiet hours: local times of day at which nobody is to be disturbed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain.errors import InvalidValue
from stagebell.domain.local_time import (
    MINUTES_PER_DAY,
    WEEKDAYS,
    boundary,
    parse_minute_of_day,
    parse_weekday,
    resolve_zone,
    shift_day,
    to_local,
    utc,
)

EVERY_DAY = frozenset(range(len(WEEKDAYS)))
MAX_CHAIN = 9  # windows: a week of whole days is refused, so at most eight touch


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A window from `start` to `end`, in minutes since local midnight (`end` may be 1440).

    An `end` that is not after `start` lies on the next day: 20:00 to 08:00 is twelve hours, 20:00 to 20:00 a whole day.
    `days` are the weekdays (Monday is 0) on which a window starts. `zone` goes before the zone of the definition."""

    start: int
    end: int
    days: frozenset[int] = EVERY_DAY
    zone: ZoneInfo | None = None

    def __post_init__(self) -> None:
        if not self.days:
            raise InvalidValue("quiet hours need at least one day of the week")
        if self.length == MINUTES_PER_DAY and self.days >= EVERY_DAY:
            raise InvalidValue("quiet hours cover the whole week, so nothing would ever be sent; leave some time free")

    @property
    def length(self) -> int:
        """Minutes on the wall clock, 1 to 1440."""
        return self.end - self.start + (MINUTES_PER_DAY if self.end <= self.start else 0)


def quiet_until(moment: datetime, quiet_hours: QuietHours, zone: ZoneInfo) -> datetime | None:
    """When quiet time ends (UTC) if the moment lies in it, else None.

    A window holds its start but not its end. Windows that touch count as one: two quiet days end after the second."""
    zone = quiet_hours.zone or zone
    instant, until = utc(moment), None
    for _ in range(MAX_CHAIN):
        end = _window_end(instant, quiet_hours, zone)
        if end is None:
            return until
        instant = until = end
    raise InvalidValue("quiet hours do not end within a week; leave some time free")


def _window_end(instant: datetime, quiet_hours: QuietHours, zone: ZoneInfo) -> datetime | None:
    today = to_local(instant, zone).date()
    # Tomorrow too: clocks that go back over midnight (St. John's, until 2011) put a moment on the earlier date again.
    for day in (shift_day(today, distance) for distance in (-1, 0, 1)):
        if day.weekday() in quiet_hours.days:
            start, end = _window(day, quiet_hours, zone)
            if start <= instant < end:
                return end
    return None


def _window(day: date, quiet_hours: QuietHours, zone: ZoneInfo) -> tuple[datetime, datetime]:
    # The end is a time on the wall clock of its own day, whatever the clocks do in the night.
    start = quiet_hours.start
    return boundary(day, start, zone), boundary(day, start + quiet_hours.length, zone)


def quiet_hours_from(document: Mapping[str, Any]) -> QuietHours:
    """The quiet hours a definition declares: `from`, `to`, and where wanted `days` and `timezone`."""
    days, zone = document.get("days"), document.get("timezone")
    start = parse_minute_of_day(document["from"])
    if start == MINUTES_PER_DAY:
        raise InvalidValue("quiet hours cannot begin at 24:00; use 00:00 and the next day")
    return QuietHours(
        start=start,
        end=parse_minute_of_day(document["to"]),
        days=EVERY_DAY if days is None else frozenset(parse_weekday(day) for day in days),
        zone=resolve_zone(zone) if zone else None,
    )
