"""Local time: zones, wall clocks and the instants they stand for.

An instant is an aware datetime, always answered in UTC. A local time is a naive datetime together with a zone.
A local time that does not exist (the clock jumps over it) moves forward by the jump; one that exists twice means the
first of the two, so it fires once.
"""

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from stagebell.domain.errors import InvalidValue

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60

_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
# Files of the tz database that are not zones people live in: `right` counts leap seconds, `localtime` is the host's.
_NOT_IANA = ("posix/", "right/", "localtime", "posixrules", "Factory")


@lru_cache(maxsize=256)
def resolve_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as `Europe/Berlin`; InvalidValue for anything else."""
    try:
        if name and not name.startswith(_NOT_IANA):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown name; a path or odd characters; a folder such as `America`
        pass
    raise InvalidValue(
        f"'{name}' is not a time zone; use a name of the IANA time zone database, for example Europe/Berlin or UTC"
    )


def utc(moment: datetime) -> datetime:
    """The same instant in UTC; InvalidValue for a datetime without a zone."""
    if moment.tzinfo is None:
        raise InvalidValue(f"{moment.isoformat()} has no time zone; a moment in time needs one")
    return moment.astimezone(UTC)


def to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock of the zone shows at an instant, as a naive datetime."""
    try:
        return utc(moment).astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError as error:
        raise _outside(moment) from error


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive local time; in a gap it is later by the gap, in a fold it is the first of the two."""
    try:
        # PEP 495: fold=0 reads a missing time with the offset before the jump, which is exactly "forward by the gap".
        return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    except OverflowError as error:
        raise _outside(local) from error


def at_local_time(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant at which the wall clock of the zone shows `at` on `day`."""
    return to_utc(datetime.combine(day, at), zone)


def boundary(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant at which the wall clock reaches `minute` of `day` (1440 and on: of the next): the edge of a span.

    In a gap this is the clock change itself, so that spans follow the wall clock, stay in order and never overlap."""
    try:
        local = datetime.combine(day, time.min) + timedelta(minutes=minute)
    except OverflowError as error:
        raise _outside(day) from error
    before = local.replace(tzinfo=zone, fold=0).utcoffset()
    after = local.replace(tzinfo=zone, fold=1).utcoffset()
    if before is None or after is None or before >= after:
        return to_utc(local, zone)
    return _clock_change(to_utc(local, zone) - (after - before), after - before, zone)


def _clock_change(start: datetime, gap: timedelta, zone: ZoneInfo) -> datetime:
    """The first second within `gap` after `start` that has the new offset."""
    after = (start + gap).astimezone(zone).utcoffset()
    seconds = range(int(gap.total_seconds()))
    return start + timedelta(
        seconds=bisect_left(
            seconds, True, key=lambda second: (start + timedelta(seconds=second)).astimezone(zone).utcoffset() == after
        )
    )


def shift_day(day: date, days: int) -> date:
    """The date so many days later (earlier when negative); InvalidValue outside the years 1 to 9999."""
    try:
        return day + timedelta(days=days)
    except OverflowError as error:
        raise _outside(day) from error


def parse_time_of_day(text: object) -> time:
    """`09:00` as a time; InvalidValue for anything but HH:MM from 00:00 to 23:59."""
    minute = parse_minute_of_day(text)
    if minute == MINUTES_PER_DAY:
        raise InvalidValue("'24:00' is not a time of day here; use 00:00 of the next day")
    return time(minute // 60, minute % 60)


def parse_minute_of_day(text: object) -> int:
    """`09:30` as minutes since midnight; `24:00`, the end of the day, is 1440."""
    if not isinstance(text, str):  # YAML 1.1 reads an unquoted 20:00 as the number 1200
        raise InvalidValue(f'{text!r} is not a time of day; write it in quotes as "HH:MM", for example "20:00"')
    found = _CLOCK.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else MINUTES_PER_DAY + 1
    if minute > MINUTES_PER_DAY:
        raise InvalidValue(f"'{text}' is not a time of day; write it as HH:MM, for example 09:00 or 17:30")
    return minute


def clock_text(minute: int) -> str:
    """Minutes since midnight as `HH:MM`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def parse_weekday(name: object) -> int:
    """`mon` to `sun` as 0 to 6."""
    if not isinstance(name, str) or name not in WEEKDAYS:
        raise InvalidValue(f"'{name}' is not a day of the week; use {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(name)


def _outside(moment: date) -> InvalidValue:
    return InvalidValue(f"{moment.isoformat()} leads outside the years 1 to 9999")
