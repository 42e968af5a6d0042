"""Delivering: rule 8. An effect is recorded before it is made, under one key per run, step, recipient and channel.

What a crash leaves behind, and what the next attempt makes of it:
  before the record   nothing was sent: it is sent now
  after the record    `sending` is found: the outcome is unknown; `on_unknown` decides (leave it, or send again)
  after the sending   the same: the provider's answer was lost with the process
  after the answer    the outcome is known: nothing is sent
Of two attempts at once, only one notes that it tries again; the other looks again. What is known stays known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stagebell.domain import deliveries as ledger
from stagebell.domain.deliveries import Channel, Delivery, delivery_key
from stagebell.domain.errors import (
    RETRIED_BY_MACHINES,
    ChannelMisconfigured,
    DeliveryRejected,
    DeliveryThrottled,
    DeliveryUnavailable,
    DeliveryUnknown,
    RecipientUnreachable,
    StagebellError,
)
from stagebell.domain.runs import Run
from stagebell.ports.clock import Clock
from stagebell.ports.deliveries import Deliveries, Guard, RunMoved
from stagebell.services.action import Look, Outcome
from stagebell.services.people import Missing, unreached

RESENDS = 3
_FINAL = (DeliveryRejected, RecipientUnreachable, ChannelMisconfigured)
_AGAIN = (DeliveryThrottled, DeliveryUnavailable)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the ledger keeps of a sending that went well: the provider's message id, or what a function answered."""

    message_id: str = ""
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message ready to go: `send` takes the delivery key and returns the provider's message id, or a receipt.

    `refused` says why it must not go (a suppressed address, a number that is none); then it is only recorded.
    `repeatable`: the receiver knows the key, and takes the same message twice for one; when in doubt it is sent again.
    """

    address: str
    person: str
    send: Callable[[str], str | Receipt]
    refused: str = ""
    copies: tuple[str, ...] = ()
    parts: int = 0
    repeatable: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends parcels through the ledger."""

    deliveries: Deliveries
    clock: Clock

    def deliver(self, look: Look, channel: Channel, parcels: Sequence[Parcel], missing: Sequence[Missing]) -> Outcome:
        """Send each parcel once, and say how the step ends.

        Raises RunMoved to look again, DeliveryThrottled or DeliveryUnavailable to be called again."""
        return self.outcome([self.send(look, channel, parcel) for parcel in parcels], missing)

    def outcome(self, done: Sequence[Delivery], missing: Sequence[Missing]) -> Outcome:
        """How a step ends whose deliveries ended so."""
        keys = tuple(delivery.key for delivery in done)
        failed = next((d.reason for d in done if d.state in ("failed", "bounced")), None)
        why = unreached(missing)
        if failed is not None:
            return Outcome("failed", failed, keys, why)
        if any(d.state != "suppressed" for d in done):
            unsure = any(d.state == "unknown" for d in done)
            return Outcome("acted", "delivery_unknown" if unsure else "", keys, why)
        return Outcome("skipped", _nobody(done, missing), keys, why)

    def give_up(self, run: Run, step: str | None, reason: str) -> None:
        """No attempt at a step (None: any) will follow: what was planned has failed, what was on its way is unknown.
        Write-backs are no attempts of the step: they go on."""
        cursor = None
        while True:
            page = self.deliveries.of_run(run.id, cursor)
            for delivery in page.items:
                if step in (None, delivery.step) and not delivery.known and delivery.channel != "write_back":
                    self._give_up(delivery, reason)
            cursor = page.cursor
            if cursor is None:
                return

    def _give_up(self, delivery: Delivery, reason: str) -> None:
        state: ledger.State = "failed" if delivery.state == "planned" else "unknown"
        self.deliveries.update(ledger.settled(delivery, state, self.clock.now(), reason, delivery.detail))

    def send(self, look: Look, channel: Channel, parcel: Parcel) -> Delivery:
        """Send one parcel once; raises as `deliver`."""
        delivery = self._delivery(look, channel, parcel)
        guard = Guard(look.run.id, look.record.key, look.record.version)
        stored = self.deliveries.reserve(delivery, guard)
        if stored is None:
            return delivery if parcel.refused else self._send(delivery, parcel, look)
        if stored.known:
            return stored
        return self._again(stored, parcel, look)

    def _delivery(self, look: Look, channel: Channel, parcel: Parcel) -> Delivery:
        now = self.clock.now()
        return Delivery(
            key=delivery_key(look.run.id, look.step.name, channel, parcel.address),
            run=look.run.id,
            step=look.step.name,
            definition=look.scenario.name,
            record=look.record.key,
            channel=channel,
            recipient=parcel.address,
            planned_at=now,
            state="suppressed" if parcel.refused else "sending",
            person=parcel.person,
            copies=() if parcel.refused else parcel.copies,
            reason=parcel.refused,
            attempts=0 if parcel.refused else 1,
            parts=parcel.parts,
            settled_at=now if parcel.refused else None,
            detail=parcel.detail,
        )

    def _again(self, stored: Delivery, parcel: Parcel, look: Look) -> Delivery:
        """An earlier attempt did not end with a known outcome."""
        unsure = stored.state != "planned" and not parcel.repeatable
        if unsure and (look.scenario.on_unknown == "leave" or stored.attempts >= RESENDS):
            left = ledger.settled(stored, "unknown", self.clock.now(), "delivery_unknown", stored.detail)
            self.deliveries.update(left)
            return self.deliveries.get(left.key) or left  # whoever was still at it may have come to know meanwhile
        trying = replace(stored, state="sending", attempts=stored.attempts + 1, parts=parcel.parts)
        if self.deliveries.retry(trying, stored.attempts):
            return self._send(trying, parcel, look)
        found = self.deliveries.get(stored.key)
        if found is not None and found.known:
            return found
        raise RunMoved(f"delivery {stored.key} is being tried by another attempt: look again")

    def _send(self, delivery: Delivery, parcel: Parcel, look: Look) -> Delivery:
        try:
            given = parcel.send(delivery.key)
        except _AGAIN as error:
            waiting = ledger.settled(delivery, "planned", self.clock.now(), error.code, error.message)
            if self.deliveries.retry(waiting, delivery.attempts):
                raise
            found = self.deliveries.get(delivery.key)
            if found is not None and found.known:  # another attempt has sent it meanwhile
                return found
            raise
        except _FINAL as error:
            return self._settle(delivery, "failed", error.code, error.message)
        except DeliveryUnknown as error:
            lost = self._settle(delivery, "unknown", error.code, error.message)
            again = parcel.repeatable or look.scenario.on_unknown == "resend"
            if again and delivery.attempts < RESENDS:
                raise DeliveryUnavailable(f"{error.message}; it is sent again") from error
            return lost
        except RETRIED_BY_MACHINES:
            raise
        except StagebellError as error:  # it fails the step, so that nobody comes back to say what became of this
            self._settle(delivery, "unknown", error.code, error.message)
            raise
        receipt = given if isinstance(given, Receipt) else Receipt(given)
        sent = replace(delivery, message_id=receipt.message_id, answer=receipt.answer)
        return self._settle(sent, "sent", detail=parcel.detail)

    def _settle(self, delivery: Delivery, state: ledger.State, reason: str = "", detail: str = "") -> Delivery:
        delivery = ledger.settled(delivery, state, self.clock.now(), reason, detail)
        self.deliveries.update(delivery)
        return delivery


def _nobody(done: Sequence[Delivery], missing: Sequence[Missing]) -> str:
    """Why nothing went out: the first refusal, else why the first recipient led to nobody."""
    reasons = [delivery.reason for delivery in done] + [entry.reason for entry in missing]
    return reasons[0] if reasons else "no_recipient"
