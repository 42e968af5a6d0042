"""The delivery ledger in memory."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from stagebell.adapters.memory.pages import PAGE_SIZE, page_of
from stagebell.adapters.memory.store import MemoryStore
from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import Channel, Delivery, State, may_follow
from stagebell.domain.fields import instant_text
from stagebell.ports.deliveries import Guard, RunMoved
from stagebell.ports.pages import Page


class MemoryDeliveries:
    """With `keep_known=False` a delivery is forgotten once its outcome is known, so that memory stays bounded."""

    def __init__(self, store: MemoryStore, *, keep_known: bool = True, page_size: int = PAGE_SIZE) -> None:
        self._store = store
        self._keep_known = keep_known
        self._page_size = page_size
        self._deliveries: dict[str, Delivery] = {}
        self._messages: dict[str, str] = {}

    def reserve(self, delivery: Delivery, guard: Guard | None) -> Delivery | None:
        stored = self._deliveries.get(delivery.key)
        if stored is not None:
            return stored
        if guard is not None and not self._store.holds(guard):
            raise RunMoved(f"run {guard.run} or its record has moved: look again")
        self._put(replace(delivery, state="sending") if delivery.state == "planned" else delivery)
        return None

    def update(self, delivery: Delivery, *, forward_only: bool = True) -> None:
        stored = self._deliveries.get(delivery.key)
        if not forward_only or stored is None or may_follow(delivery.state, stored.state):
            self._put(delivery)

    def retry(self, delivery: Delivery, attempts: int) -> bool:
        stored = self._deliveries.get(delivery.key)
        if stored is None or stored.known or stored.attempts != attempts:
            return False
        self._put(delivery)
        return True

    def _put(self, delivery: Delivery) -> None:
        if delivery.known and not self._keep_known:
            self._deliveries.pop(delivery.key, None)
            return
        self._deliveries[delivery.key] = delivery
        if delivery.message_id:
            self._messages[delivery.message_id] = delivery.key

    def complained(self, key: str, at: datetime, detail: str) -> None:
        stored = self._deliveries.get(key)
        if stored is not None:
            self._put(replace(stored, complained_at=at, detail=detail))

    def get(self, key: str) -> Delivery | None:
        return self._deliveries.get(key)

    def by_message(self, message_id: str) -> Delivery | None:
        return self._deliveries.get(self._messages.get(message_id, ""))

    def of_run(self, run: str, cursor: str | None = None) -> Page[Delivery]:
        return self._page((d for d in self._deliveries.values() if d.run == run), f"deliveries of run {run}", cursor)

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Delivery]:
        found = (d for d in self._deliveries.values() if d.record == key)
        return self._page(found, f"deliveries of record {key}", cursor)

    def in_state(
        self,
        state: State,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        *,
        channel: Channel | None = None,
    ) -> Page[Delivery]:
        found = (
            d
            for d in self._deliveries.values()
            if d.state == state and (since is None or d.planned_at >= since) and (until is None or d.planned_at < until)
            if channel in (None, d.channel)
        )
        return self._page(found, f"deliveries {state} {since} {until} {channel}", cursor)

    def _page(self, found: Iterable[Delivery], query: str, cursor: str | None) -> Page[Delivery]:
        return page_of(found, _position, query, cursor, size=self._page_size)


def _position(delivery: Delivery) -> tuple[str, ...]:
    return (instant_text(delivery.planned_at), delivery.key)
