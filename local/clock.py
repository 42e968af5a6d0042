"""The local stack's clock: an hour goes by every second, so that days of waiting can be watched.

It is kept with the state, so business time simply goes on, also while nothing runs."""

import math
import time
from datetime import UTC, datetime, timedelta

from local.deploy import reconfigure
from local.place import LocalStackError, Place
from local.stack import Stack
from stagebell.adapters.clocks import clock_from
from stagebell.ports.clock import Clock

RATE = 3600
LEADS = (10, 30, 90)  # seconds between setting the clock and the moment it shows `start`
LEFT = 5  # seconds of them that must be left once it is set


def parameters(place: Place) -> dict[str, str]:
    return {"LogicalClock": place.clock.read_text()} if place.clock.exists() else {}


def clock_of(place: Place) -> Clock:
    return clock_from(place.clock.read_text())


def set_clock(stack: Stack, start: datetime) -> Clock:
    """Gives the stack a clock that will show `start` in a moment, and answers it while it still shows less."""
    for lead in LEADS:
        shown_at = math.ceil(time.time()) + lead
        stack.place.clock.write_text(f"{start.isoformat()}@{shown_at}x{RATE}")
        reconfigure(stack, parameters(stack.place))
        clock = clock_of(stack.place)
        if clock.now() < start - timedelta(seconds=LEFT * RATE):
            return clock
    raise LocalStackError("This machine is too busy: the clock could not be set in time. Try again: make run")


def seconds_until(clock: Clock, moment: datetime) -> float:
    return (clock.real(moment) - datetime.now(UTC)).total_seconds()
