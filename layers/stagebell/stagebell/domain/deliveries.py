"""Deliveries: one message to one recipient over one channel, and its life in the ledger.

    planned → sending → sent → delivered → bounced
                     ↘ failed, unknown      (suppressed: decided before sending)

A state only moves forward, so feedback that comes twice, late or before our own note of the sending does no harm.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from stagebell.domain.changes import RecordKey

type State = Literal["planned", "sending", "unknown", "sent", "delivered", "bounced", "failed", "suppressed"]
type Channel = Literal["email", "sms", "inbox", "webhook", "function", "write_back"]

RANK: Mapping[State, int] = MappingProxyType(
    {"planned": 0, "sending": 1, "unknown": 2, "sent": 3, "delivered": 4, "bounced": 5, "failed": 5, "suppressed": 5}
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the ledger. `recipient` is the address; `person` the user it belongs to; `reason` a stable word.

    What goes to a webhook, to a function of the customer's, or back to a source is a delivery as well; `answer` is what
    a function answered. A write-back of an edit by hand has no run; its `recipient` is the source, `change` what the
    source is told of, `due_at` when it is tried again.

    `planned_at` and the other times are business times; `attempts` counts calls to the provider."""

    key: str
    run: str
    step: str
    definition: str
    record: RecordKey
    channel: Channel
    recipient: str
    planned_at: datetime
    state: State = "planned"
    person: str = ""
    copies: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""
    message_id: str = ""
    attempts: int = 0
    parts: int = 0
    settled_at: datetime | None = None
    complained_at: datetime | None = None
    answer: Mapping[str, Any] | None = None
    change: str = ""
    due_at: datetime | None = None

    @property
    def known(self) -> bool:
        """Whether its outcome is known: a retry must not send it again (rule 8)."""
        return self.state not in ("planned", "sending", "unknown")


def delivery_key(run: str, step: str, channel: Channel, recipient: str) -> str:
    """The idempotency key of one effect; letters, digits and `_` only, so that it fits an SES tag.

    The ids of users, unlike addresses, may differ in case alone."""
    folded = recipient if channel == "inbox" else recipient.lower()
    text = "\x00".join((run, step, channel, folded))
    return "dlv_" + hashlib.sha256(text.encode()).hexdigest()[:40]


def may_follow(state: State, current: State) -> bool:
    """Whether feedback saying `state` may replace `current`."""
    return RANK[state] > RANK[current]


def settled(delivery: Delivery, state: State, at: datetime, reason: str = "", detail: str = "") -> Delivery:
    return replace(delivery, state=state, reason=reason, detail=detail[:500], settled_at=at)
