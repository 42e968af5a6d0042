"""A clock that stands still until it is told to move."""

from datetime import UTC, datetime

START = datetime(1900, 1, 1, tzinfo=UTC)


class VirtualClock:
    """Business time and real time are one; it never goes back."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def real(self, moment: datetime) -> datetime:
        return moment

    def real_now(self) -> datetime:
        return self._now

    def advance(self, moment: datetime) -> None:
        self._now = max(self._now, moment)
