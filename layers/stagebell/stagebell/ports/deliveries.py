"""Deliveries: the ledger of what goes out, and the addresses to which nothing may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from stagebell.domain.changes import RecordKey
    from stagebell.domain.deliveries import Channel, Delivery, State
    from stagebell.ports.pages import Page


@dataclass(frozen=True, slots=True)
class Guard:
    """What must still be true at the instant an effect is recorded: the run is open, the record unmoved."""

    run: str
    key: RecordKey
    version: int


class RunMoved(Exception):
    """Between looking and recording the run or its record changed: look again."""


class Deliveries(Protocol):
    def reserve(self, delivery: Delivery, guard: Guard | None) -> Delivery | None:
        """Record a new delivery before it is made. None when it is ours to send; the stored one where the key exists.

        Raises RunMoved where the guard does not hold."""

    def update(self, delivery: Delivery, *, forward_only: bool = True) -> None:
        """Store a new state; with `forward_only` a state that may not follow the stored one changes nothing."""

    def retry(self, delivery: Delivery, attempts: int) -> bool:
        """Store that one is tried again, or waits for it, after so many attempts. False, and nothing is stored, where
        another attempt has been made since, or its outcome is known by now."""

    def complained(self, key: str, at: datetime, detail: str) -> None:
        """Note that the recipient complained, whatever the state is."""

    def get(self, key: str) -> Delivery | None: ...

    def by_message(self, message_id: str) -> Delivery | None: ...

    def of_run(self, run: str, cursor: str | None = None) -> Page[Delivery]: ...

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Delivery]: ...

    def in_state(
        self,
        state: State,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        *,
        channel: Channel | None = None,
    ) -> Page[Delivery]:
        """Newest first, planned in [since, until). Of one channel, a page may be short though another follows."""


class Suppressions(Protocol):
    """Addresses that must not be written to: they bounced for good, complained or unsubscribed. Also webhook
    addresses that answered 410 (channel `webhook`, reason `gone`)."""

    def reason(self, channel: str, address: str) -> str | None: ...

    def add(self, channel: str, address: str, reason: str, at: datetime) -> None: ...

    def remove(self, channel: str, address: str) -> None: ...
