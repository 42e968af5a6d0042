"""The delivery ledger in DynamoDB: one item a delivery, with the rank of its state for conditional writes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from stagebell.adapters.dynamodb_items import Item, values_of
from stagebell.adapters.dynamodb_record_keys import mirror_key, unmoved
from stagebell.adapters.dynamodb_tables import PAGE_SIZE, Client, Expression, Listing, Table, Write, transact
from stagebell.adapters.retention import Retention
from stagebell.adapters.run_documents import delivery_document, delivery_from
from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import RANK, Channel, Delivery, State
from stagebell.domain.errors import StagebellError
from stagebell.domain.fields import instant_text
from stagebell.ports.deliveries import Guard, RunMoved
from stagebell.ports.pages import Page

_GOING = Expression("#status = :running", running="running")


_NEW = Expression("attribute_not_exists(#key)")


class DynamoDeliveries:
    """`runs` and `records` are the tables whose items a reservation depends on."""

    def __init__(
        self,
        client: Client,
        deliveries: str,
        runs: str,
        records: str,
        retention: Retention,
        *,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._deliveries = Table(client, deliveries)
        self._runs = Table(client, runs)
        self._records = Table(client, records)
        self._retention = retention
        self._page_size = page_size

    def reserve(self, delivery: Delivery, guard: Guard | None) -> Delivery | None:
        ours = replace(delivery, state="sending") if delivery.state == "planned" else delivery
        if guard is None:
            return None if self._deliveries.put(self._values(ours), _NEW) else self.get(delivery.key)
        new = self._deliveries.putting(self._values(ours), _NEW)
        reasons = transact(self._deliveries.client, [new, *self._guards(guard)])
        if not reasons:
            return None
        if reasons[0] == "refused" and (stored := self.get(delivery.key)) is not None:
            return stored
        if {"refused", "conflict"} & set(reasons):
            raise RunMoved(f"run {delivery.run} or its record has moved: look again")
        raise StagebellError(f"delivery {delivery.key} could not be recorded: {', '.join(filter(None, reasons))}")

    def _guards(self, guard: Guard) -> list[Write]:
        return [
            self._runs.checking({"id": guard.run}, _GOING),
            self._records.checking(mirror_key(guard.key), unmoved(guard.version)),
        ]

    def update(self, delivery: Delivery, *, forward_only: bool = True) -> None:
        later = Expression("attribute_not_exists(#key) OR #rank < :rank", rank=RANK[delivery.state])
        self._deliveries.put(self._values(delivery), later if forward_only else None)

    def retry(self, delivery: Delivery, attempts: int) -> bool:
        as_known = Expression(
            "#attempts = :attempts AND #rank <= :undecided", attempts=attempts, undecided=RANK["unknown"]
        )
        return self._deliveries.put(self._values(delivery), as_known)

    def complained(self, key: str, at: datetime, detail: str) -> None:
        noted = Expression("SET #complained_at = :at, #detail = :detail", at=instant_text(at), detail=detail)
        self._deliveries.update({"key": key}, noted, Expression("attribute_exists(#key)"))

    def _values(self, delivery: Delivery) -> Mapping[str, Any]:
        own = {"rank": RANK[delivery.state], "expires_at": self._retention.expires_at()}
        return delivery_document(delivery) | own

    def get(self, key: str) -> Delivery | None:
        stored = self._deliveries.get({"key": key})
        return _delivery(stored) if stored is not None else None

    def by_message(self, message_id: str) -> Delivery | None:
        if not message_id:
            return None
        listing = Listing(
            Expression("#message_id = :message_id", message_id=message_id),
            key=("key", "message_id"),
            index="by_message",
        )
        found = self._deliveries.page(listing, None, 1).items
        return self.get(found[0]["key"]["S"]) if found else None

    def of_run(self, run: str, cursor: str | None = None) -> Page[Delivery]:
        return self._newest("run", Expression("#run = :run", run=run), f"deliveries of run {run}", cursor)

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Delivery]:
        condition = Expression("#record = :record", record=str(key))
        return self._newest("record", condition, f"deliveries of record {key}", cursor)

    def in_state(
        self,
        state: State,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        *,
        channel: Channel | None = None,
    ) -> Page[Delivery]:
        if since is not None and until is not None and since >= until:
            return Page(())
        query = f"deliveries {state} {since} {until} {channel}"
        only = Expression("#channel = :channel", channel=channel) if channel else None
        return self._newest("state", _planned(state, since, until), query, cursor, only)

    def _newest(
        self, name: str, condition: Expression, query: str, cursor: str | None, only: Expression | None = None
    ) -> Page[Delivery]:
        key, index = ("key", name, "planned_at"), f"by_{name}"
        listing = Listing(condition, key=key, index=index, newest_first=True, name=query, only=only)
        page = self._deliveries.page(listing, cursor, self._page_size)
        return Page(tuple(map(_delivery, page.items)), page.cursor)


def _planned(state: State, since: datetime | None, until: datetime | None) -> Expression:
    """A key condition takes one range only, and BETWEEN includes its end: it ends one tick of the clock earlier."""
    if since is not None and until is not None:
        first, last = instant_text(since), instant_text(until - timedelta(microseconds=1))
        text = "#state = :state AND #planned_at BETWEEN :first AND :last"
        return Expression(text, state=state, first=first, last=last)
    if since is not None:
        return Expression("#state = :state AND #planned_at >= :first", state=state, first=instant_text(since))
    if until is not None:
        return Expression("#state = :state AND #planned_at < :end", state=state, end=instant_text(until))
    return Expression("#state = :state", state=state)


def _delivery(stored: Item) -> Delivery:
    return delivery_from(values_of(stored, ("answer", "copies")))
