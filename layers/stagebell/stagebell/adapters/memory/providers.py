"""Mail and text message providers in memory: they take everything and keep what they are asked to."""

from collections.abc import Callable
from itertools import count

from stagebell.ports.messages import Email, Sms


class MemoryMailer:
    """`sent` keeps the messages unless `keep` is False. `fault` may raise what a provider would."""

    def __init__(self, *, keep: bool = True, fault: Callable[[Email], None] | None = None) -> None:
        self.sent: list[Email] = []
        self._keep, self._fault = keep, fault
        self._numbers = count(1)

    def send(self, email: Email) -> str:
        if self._fault is not None:
            self._fault(email)
        if self._keep:
            self.sent.append(email)
        return f"email-{next(self._numbers)}"


class MemoryTexter:
    """As MemoryMailer."""

    def __init__(self, *, keep: bool = True, fault: Callable[[Sms], None] | None = None) -> None:
        self.sent: list[Sms] = []
        self._keep, self._fault = keep, fault
        self._numbers = count(1)

    def send(self, sms: Sms) -> str:
        if self._fault is not None:
            self._fault(sms)
        if self._keep:
            self.sent.append(sms)
        return f"sms-{next(self._numbers)}"
