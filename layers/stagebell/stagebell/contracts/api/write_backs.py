"""Write-backs as the API shows them."""

from datetime import datetime
from typing import Self

from pydantic import Field

from stagebell.contracts.api.pages import Page, RecordName, Shape
from stagebell.domain.deliveries import Delivery, State


class WriteBack(Shape):
    """One change that a source is told of."""

    key: str = Field(
        description="Also the `webhook-id` of every attempt", examples=["dlv_6d9f0c1b2a3e4d5f60718293a4b5c6d7e8f90123"]
    )
    source: str = Field(examples=["erp"])
    record: RecordName
    change: str = Field(description="The change in the record's history", examples=["run_0f2c8f4e5d0b4f3a:set-stage"])
    run: str = Field(description="The run that made it; empty for an edit by hand")
    step: str
    state: State
    reason: str = Field(description="Why it is in this state: a stable word", examples=["gave_up"])
    detail: str
    attempts: int = Field(description="How often it was posted")
    planned_at: datetime = Field(description="When the three days began for which it is tried")
    settled_at: datetime | None = Field(description="When it was last tried")
    due_at: datetime | None = Field(description="When it is tried again")

    @classmethod
    def from_domain(cls, delivery: Delivery) -> Self:
        return cls(
            key=delivery.key,
            source=delivery.recipient,
            record=RecordName.from_domain(delivery.record),
            change=delivery.change,
            run=delivery.run,
            step=delivery.step,
            state=delivery.state,
            reason=delivery.reason,
            detail=delivery.detail,
            attempts=delivery.attempts,
            planned_at=delivery.planned_at,
            settled_at=delivery.settled_at,
            due_at=delivery.due_at,
        )


class WriteBackPage(Page[WriteBack]):
    """Write-backs, newest first. A page may hold few or none though another follows."""
