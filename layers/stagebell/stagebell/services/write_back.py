"""Writing back: a source is told of the changes made here, in order per record, until it has taken them.

What is to be told waits in the outbox, stored with the change itself; a message of the queue only says that something
waits. One consumer at a time works for a record and source. What a crash leaves behind, and what comes of it:
  change stored, no message    the change is delivered again, or the step, and its message sent then
  message, nothing recorded    nothing was sent: the message comes again, and it is sent then
  recorded, not sent           `sending` is found: it is sent, or sent again, under the same webhook-id; the receiver
  sent, answer not recorded    knows that id, and takes the same message twice for one
  answer recorded, in outbox   the outcome is known: it is taken out, and nothing is sent
  failure recorded, not paused `due_at` says when it is tried again: the message that comes early goes back to wait
  410 noted, not recorded      the address is suppressed by then: it fails as `gone` without being posted to
  taken out, more to tell      the message is not acknowledged yet: it comes again and goes on with the next one
  replayed, no message         see `replay`
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stagebell.domain import write_backs
from stagebell.domain.changes import Change
from stagebell.domain.deliveries import Delivery, State, delivery_key, settled
from stagebell.domain.echoes import Echo
from stagebell.domain.errors import (
    ChannelMisconfigured,
    DeliveryRejected,
    DeliveryThrottled,
    DeliveryUnavailable,
    DeliveryUnknown,
    QueueUnavailable,
)
from stagebell.domain.orders import Tell
from stagebell.ports.calls import Posted
from stagebell.ports.clock import Clock
from stagebell.ports.deliveries import Deliveries, Suppressions
from stagebell.ports.outbox import Letter, Outbox, Teller
from stagebell.ports.records import Applied, Records
from stagebell.ports.secrets import Secrets
from stagebell.services.shelves import Shelves
from stagebell.services.webhooks import GONE, Webhooks, message

LETTERS = 20
BUDGET = timedelta(seconds=4)
"""Of real time, after which no further letter is begun: one attempt may take 23 seconds, the function has 30."""

_AGAIN = (DeliveryThrottled, DeliveryUnavailable, DeliveryUnknown, QueueUnavailable)
_FINAL = (DeliveryRejected, ChannelMisconfigured)


class Refused(Exception):
    """A letter that is not sent: how its delivery ends, and why."""

    def __init__(self, state: State, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.state: State = state
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted; it is signed anew for each attempt. `late` is what the source may repeat of it, where that could
    not be known when the change was made."""

    address: str
    body: bytes
    late: Echo | None


def _unnoted(_: Delivery) -> None:
    return


@dataclass(frozen=True, slots=True)
class WriteBack:
    """Tells sources. `chance` is between 0 and 1, anew each time; `note` is told what became of each attempt."""

    shelves: Shelves
    records: Records
    outbox: Outbox
    deliveries: Deliveries
    suppressions: Suppressions
    secrets: Secrets
    webhooks: Webhooks
    teller: Teller
    clock: Clock
    chance: Callable[[], float]
    note: Callable[[Delivery], None] = _unnoted

    def carry_out(self, tell: Tell) -> datetime | None:
        """Tell a source everything about a record that still waits, oldest first. None: the message is done with; else
        when it is to come back, because the oldest letter has failed, and none may overtake it."""
        self.shelves.refresh()
        began = self.clock.real_now()
        letters = self.outbox.waiting(tell.key, tell.source, LETTERS + 1)
        done = 0
        for letter in letters[:LETTERS]:
            delivery = self._one(letter)
            if not delivery.known:
                return delivery.due_at
            self.outbox.done(letter)
            done += 1
            # what took its time has used up much of its message's life: what follows gets one of its own
            if delivery.attempts > 1 or self.clock.real_now() - began > BUDGET:
                break
        for following in letters[done : done + 1]:
            again = f"after {letters[done - 1].version}"
            self.teller.tell(Tell(following.key, following.source, following.version), again)
        return None

    def _one(self, letter: Letter) -> Delivery:
        """The delivery as this attempt leaves it."""
        applied = self.records.applied(letter.key, letter.change)
        first = self._first(letter, applied)
        stored = self.deliveries.reserve(first, None)
        if stored is not None and stored.known:
            return stored
        ours = stored or replace(first, attempts=0)
        try:
            made = self._message(letter, applied, ours.planned_at)
            if ours.due_at is not None and ours.due_at > self.clock.now():
                return ours
            ours = replace(ours, state="sending", attempts=ours.attempts + 1, due_at=None)
            if stored is not None:
                self.deliveries.update(ours, forward_only=False)
            secrets = self._signing(letter.source)
            if made.late is not None:
                self.outbox.told_late(letter.key, made.late)
            return self._post(ours, made, secrets)
        except Refused as refused:
            return self._settled(ours, refused.state, refused.reason, refused.detail)
        except _AGAIN as error:
            return self._again(ours, error.code, error.message)
        except _FINAL as error:
            return self._settled(ours, "failed", error.code, error.message)

    def _first(self, letter: Letter, applied: Applied | None) -> Delivery:
        run, step = write_backs.made_by(applied.change) if applied is not None else ("", "")
        return Delivery(
            key=key_of(letter),
            run=run,
            step=step,
            definition="",
            record=letter.key,
            channel="write_back",
            recipient=letter.source,
            planned_at=applied.applied_at if applied is not None else self.clock.now(),
            state="sending",
            attempts=1,
            change=letter.change,
        )

    def _message(self, letter: Letter, applied: Applied | None, since: datetime) -> Message:
        """Raises Refused where there is nothing to send, or nowhere to send it to."""
        if applied is None:
            raise Refused("failed", "change_forgotten", "the change has aged out of the record's history")
        address = self._address(letter.source)
        late = self._late(applied, since)
        told = self._told(applied, late)
        if told is None:
            raise Refused("suppressed", "overtaken", "newer values have replaced what was to be told")
        data = write_backs.data_of(applied.change, letter.version, told, applied.before)
        document = message(f"record.{_event(applied)}", applied.change.occurred_at, data)
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return Message(address, body, self._echo(letter, applied.change, told) if late else None)

    def _echo(self, letter: Letter, change: Change, told: Sequence[str]) -> Echo:
        fields = {name: change.fields.get(name) for name in told}
        return Echo(letter.source, change.id, self.clock.now(), fields, change.causes)

    def _address(self, source: str) -> str:
        definition = self.shelves.document("source", source) or {}
        address = definition.get("write_back")
        if not address:
            raise Refused(
                "suppressed", "no_write_back", f"source {source} is not active, or has no write_back any more"
            )
        reason = self.suppressions.reason("webhook", address)
        if reason is not None:
            raise Refused("failed", reason, f"{address} is not written to: allow it again, then replay this")
        return str(address)

    def _late(self, applied: Applied, since: datetime) -> bool:
        replayed = since > applied.applied_at
        return replayed or self.clock.now() - applied.applied_at > write_backs.LATE

    def _told(self, applied: Applied, late: bool) -> tuple[str, ...] | None:
        change = applied.change
        changed = applied.before if applied.before else change.fields  # a very large entry is kept without `before`
        return write_backs.remaining(self.records.load(change.key).record, change, changed, late=late)

    def _signing(self, source: str) -> tuple[str, ...]:
        """Raises ChannelMisconfigured, and QueueUnavailable where the secrets cannot be read now."""
        secrets = self.secrets.of_source(source)
        if not secrets:
            hint = f"make one with `stagebell secrets rotate {source}`, then replay this"
            raise ChannelMisconfigured(f"source {source} has no secret to sign with: {hint}")
        return secrets

    def _post(self, delivery: Delivery, made: Message, secrets: Sequence[str]) -> Delivery:
        posted = self.webhooks.post(made.address, delivery.key, made.body, secrets)
        return self._answered(delivery, made.address, posted)

    def _answered(self, delivery: Delivery, address: str, posted: Posted) -> Delivery:
        if 200 <= posted.status < 300:
            return self._settled(delivery, "sent")
        told = f"{address} answered {posted.status}"
        if posted.status == GONE:
            self.suppressions.add("webhook", address, "gone", self.clock.now())
            return self._settled(delivery, "failed", "gone", f"{told}: it is not written to until it is allowed again")
        return self._again(delivery, "delivery_unavailable", told, posted.retry_after)

    def _again(self, delivery: Delivery, reason: str, detail: str, asked: int | None = None) -> Delivery:
        now = self.clock.now()
        due = write_backs.next_try(delivery.attempts, now, delivery.planned_at, self.chance(), asked)
        if due is None:
            return self._settled(delivery, "failed", "gave_up", f"not taken for three days; at last: {detail}")
        waiting = replace(settled(delivery, "planned", now, reason, detail), due_at=due)
        self.deliveries.update(waiting, forward_only=False)
        self.note(waiting)
        return waiting

    def _settled(self, delivery: Delivery, state: State, reason: str = "", detail: str = "") -> Delivery:
        done = replace(settled(delivery, state, self.clock.now(), reason, detail), due_at=None)
        self.deliveries.update(done)
        self.note(done)
        return done


def key_of(letter: Letter) -> str:
    """The delivery's key and the webhook-id: one per source and change of a record."""
    return delivery_key(letter.change, str(letter.key), "write_back", letter.source)


def _event(applied: Applied) -> str:
    return applied.event if applied.event in ("created", "updated", "deleted") else applied.change.type
