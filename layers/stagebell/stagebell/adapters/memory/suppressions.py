"""Suppressed addresses in memory."""

from datetime import datetime


class MemorySuppressions:
    """Addresses are compared without their case."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], str] = {}

    def reason(self, channel: str, address: str) -> str | None:
        return self._reasons.get((channel, address.lower()))

    def add(self, channel: str, address: str, reason: str, at: datetime) -> None:
        self._reasons[channel, address.lower()] = reason

    def remove(self, channel: str, address: str) -> None:
        self._reasons.pop((channel, address.lower()), None)
