"""Retention: when stored items expire. Times to live are real time, whatever the business clock says."""

from dataclasses import dataclass
from datetime import timedelta

from stagebell.ports.clock import Clock

ANSWERS = timedelta(hours=24)
IN_PROGRESS = timedelta(minutes=1)  # longer than any handler may run: whoever began is gone by then


def expiry(clock: Clock, kept: timedelta) -> int:
    """Unix seconds at which something kept from now on expires."""
    return int((clock.real_now() + kept).timestamp())


@dataclass(frozen=True, slots=True)
class Retention:
    """How long history is kept."""

    clock: Clock
    days: int

    def expires_at(self) -> int:
        return expiry(self.clock, timedelta(days=self.days))
