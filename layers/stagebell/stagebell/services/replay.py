"""Replaying: a write-back that was given up, or had nowhere to go, is told once more, if it still holds.

Noted as planned, put back, queued, in this order: a letter that is put back while its delivery still is `failed` would
be taken for one that is done with. Who dies in between may replay again: what is planned, but not yet tried, is put
back and queued once more.
"""

from dataclasses import dataclass, replace

from stagebell.domain import write_backs
from stagebell.domain.changes import Change
from stagebell.domain.deliveries import Delivery, settled
from stagebell.domain.errors import Conflict, NotFound
from stagebell.domain.orders import Tell
from stagebell.ports.clock import Clock
from stagebell.ports.deliveries import Deliveries
from stagebell.ports.outbox import Letter, Outbox, Teller
from stagebell.ports.records import Applied, Records


@dataclass(frozen=True, slots=True)
class Replayer:
    """Puts dead letters back."""

    records: Records
    outbox: Outbox
    deliveries: Deliveries
    teller: Teller
    clock: Clock

    def replay(self, key: str) -> Delivery:
        """The delivery, `planned` once more for three days; or `suppressed`, where newer values have replaced its own.

        Raises NotFound, and Conflict where it was not given up."""
        delivery = self._failed(key)
        applied = self.records.applied(delivery.record, delivery.change)
        if applied is None:
            raise Conflict("the change has aged out of the record's history: there is nothing to tell any more")
        if self._overtaken(applied):
            return self._stored(
                settled(delivery, "suppressed", self.clock.now(), "overtaken", "newer values have replaced its own")
            )
        tell = _tell(applied, delivery)
        again = self._stored(self._planned(delivery))
        self.outbox.put_back(Letter(delivery.record, delivery.recipient, tell.version, delivery.change))
        self.teller.tell(tell, f"replayed {again.planned_at.isoformat()}")
        return again

    def _failed(self, key: str) -> Delivery:
        delivery = self.deliveries.get(key)
        if delivery is None or delivery.channel != "write_back":
            raise NotFound(f"there is no write-back {key}")
        unqueued = delivery.state == "planned" and delivery.due_at is None
        nowhere = delivery.reason == "no_write_back"
        if delivery.state != "failed" and not (unqueued or nowhere):
            raise Conflict(f"this write-back is {delivery.state}: only one that has failed can be replayed")
        return delivery

    def _overtaken(self, applied: Applied) -> bool:
        change: Change = applied.change
        record = self.records.load(change.key).record
        return write_backs.remaining(record, change, applied.before or change.fields, late=True) is None

    def _planned(self, delivery: Delivery) -> Delivery:
        now = self.clock.now()
        return replace(
            delivery, state="planned", planned_at=now, attempts=0, reason="", detail="", settled_at=None, due_at=None
        )

    def _stored(self, delivery: Delivery) -> Delivery:
        self.deliveries.update(delivery, forward_only=False)
        return delivery


def _tell(applied: Applied, delivery: Delivery) -> Tell:
    """As the change was to be told, with the record's version: the letter's old place."""
    for order in applied.dispatch:
        if isinstance(order, Tell) and order.source == delivery.recipient:
            return order
    raise NotFound(f"change {applied.change.id} was never to be told to {delivery.recipient}")
