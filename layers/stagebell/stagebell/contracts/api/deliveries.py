"""Deliveries and suppressed addresses as the API shows them."""

from datetime import datetime
from typing import Self

from pydantic import Field

from stagebell.contracts.api.pages import Page, RecordName, Shape
from stagebell.domain import deliveries
from stagebell.domain.deliveries import Channel, State


class Delivery(Shape):
    """One message to one recipient over one channel."""

    key: str = Field(examples=["dlv_6d9f0c1b2a3e4d5f60718293a4b5c6d7e8f90123"])
    run: str
    step: str
    definition: str
    record: RecordName
    channel: Channel
    recipient: str
    copies: tuple[str, ...]
    person: str = Field(description="The id of the user the address belongs to, if any")
    state: State
    reason: str = Field(description="Why it is in this state: a stable word", examples=["suppressed_address"])
    detail: str
    attempts: int = Field(description="Calls to the provider")
    parts: int = Field(description="Parts of an SMS")
    message_id: str = Field(description="The provider's id")
    planned_at: datetime
    settled_at: datetime | None
    complained_at: datetime | None

    @classmethod
    def from_domain(cls, delivery: deliveries.Delivery) -> Self:
        return cls(
            key=delivery.key,
            run=delivery.run,
            step=delivery.step,
            definition=delivery.definition,
            record=RecordName.from_domain(delivery.record),
            channel=delivery.channel,
            recipient=delivery.recipient,
            copies=delivery.copies,
            person=delivery.person,
            state=delivery.state,
            reason=delivery.reason,
            detail=delivery.detail,
            attempts=delivery.attempts,
            parts=delivery.parts,
            message_id=delivery.message_id,
            planned_at=delivery.planned_at,
            settled_at=delivery.settled_at,
            complained_at=delivery.complained_at,
        )


class DeliveryPage(Page[Delivery]):
    """Deliveries, newest first."""


class Suppression(Shape):
    """An address that is not written to, and why."""

    channel: Channel
    address: str = Field(examples=["gone@example.com"])
    reason: str = Field(examples=["bounced"])
