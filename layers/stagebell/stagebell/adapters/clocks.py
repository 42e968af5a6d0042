"""Clocks: the real one, and one for a single machine on which business time runs faster than real time."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import parse_instant
from stagebell.ports.clock import Clock

_LOGICAL = re.compile(r"(?P<start>[^@]+)@(?P<real>\d{1,11}(?:\.\d{1,6})?)x(?P<rate>\d{1,7}(?:\.\d{1,6})?)", re.ASCII)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class SystemClock:
    """Business time is real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def real(self, moment: datetime) -> datetime:
        return moment

    def real_now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class LogicalClock:
    """Business time starts at `start` when real time is `real_start`, and runs `rate` times as fast."""

    start: datetime
    real_start: datetime
    rate: float

    def now(self) -> datetime:
        return self.logical(self.real_now())

    def logical(self, moment: datetime) -> datetime:
        """The business time at a real time; the last one there is where the calendar ends before it."""
        return _later(self.start, (moment - self.real_start) / timedelta(seconds=1) * self.rate)

    def real(self, moment: datetime) -> datetime:
        return _later(self.real_start, (moment - self.start) / timedelta(seconds=1) / self.rate)

    def real_now(self) -> datetime:
        return datetime.now(UTC)


def clock_from(text: str) -> Clock:
    """The clock that LOGICAL_CLOCK describes: the real one where it is empty.

    Else `<logical start>@<real start, unix seconds>x<rate>`; raises InvalidValue for anything else."""
    if not text:
        return SystemClock()
    found = _LOGICAL.fullmatch(text)
    rate = float(found["rate"]) if found else 0.0
    if found is None or not rate:
        raise InvalidValue(
            "a logical clock is '<start>@<real start in unix seconds>x<rate>', such as "
            f"2026-11-20T08:00:00Z@1795160000x60, not '{text}'"
        )
    return LogicalClock(parse_instant(found["start"]), datetime.fromtimestamp(float(found["real"]), UTC), rate)


def _later(moment: datetime, seconds: float) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return _LAST if seconds > 0 else _FIRST
