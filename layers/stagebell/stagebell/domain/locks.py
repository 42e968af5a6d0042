"""Locks: while a record is locked no action and no edit changes its data; authoritative sources are still mirrored."""

from dataclasses import dataclass
from datetime import datetime

from stagebell.domain.fields import short_instant


@dataclass(frozen=True, slots=True)
class Lock:
    """Who locked a record, when and why. `by` is a run, or the id of an API key."""

    by: str
    at: datetime
    why: str = ""

    def __str__(self) -> str:
        return f"locked by {self.by} at {short_instant(self.at)}" + (f": {self.why}" if self.why else "")
