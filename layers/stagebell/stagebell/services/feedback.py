"""Feedback: what the mail provider tells us later about a message becomes the state of its delivery.

Events come at least once, late, and in any order: states only move forward."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stagebell.domain import deliveries as ledger
from stagebell.domain.deliveries import Delivery, State
from stagebell.domain.feedback import Feedback
from stagebell.ports.deliveries import Deliveries, Suppressions

STATES: dict[str, State] = {
    "sent": "sent",
    "delivered": "delivered",
    "bounced": "bounced",
    "rejected": "failed",
    "rendering_failed": "failed",
}


@dataclass(frozen=True, slots=True)
class FeedbackDesk:
    """Books feedback; addresses that bounced for good or complained are not written to again."""

    deliveries: Deliveries
    suppressions: Suppressions

    def book(self, feedback: Feedback) -> Delivery | None:
        """The delivery it belongs to, as it stands now; None where the ledger does not know it."""
        if feedback.suppress:
            for address in feedback.addresses:
                self.suppressions.add("email", address.lower(), feedback.kind, feedback.at)
        stored = self._find(feedback)
        return self._moved(stored, feedback) if stored is not None else None

    def _find(self, feedback: Feedback) -> Delivery | None:
        if feedback.delivery:
            return self.deliveries.get(feedback.delivery)
        return self.deliveries.by_message(feedback.message_id) if feedback.message_id else None

    def _moved(self, stored: Delivery, feedback: Feedback) -> Delivery:
        if not _concerns(stored, feedback.addresses):
            return stored
        if feedback.kind == "complained":
            self.deliveries.complained(stored.key, feedback.at, feedback.detail)
            return replace(stored, complained_at=feedback.at, detail=feedback.detail)
        state = STATES.get(feedback.kind)
        if state is None or not ledger.may_follow(state, stored.state):
            return stored
        moved = ledger.settled(stored, state, feedback.at, feedback.kind, feedback.detail)
        moved = replace(moved, message_id=stored.message_id or feedback.message_id)
        self.deliveries.update(moved)
        return moved


def _concerns(stored: Delivery, addresses: Sequence[str]) -> bool:
    """A bounce of a copy's address does not make the recipient's delivery bounce."""
    return not addresses or stored.recipient.lower() in {address.lower() for address in addresses}
