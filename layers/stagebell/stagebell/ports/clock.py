"""Clock: business time and real time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Business time (UTC). In AWS the real time; on one machine it may run faster."""

    def real(self, moment: datetime) -> datetime:
        """The real time at which business time reaches `moment`."""

    def real_now(self) -> datetime:
        """Real time (UTC): for signatures, time to live, and machines."""
