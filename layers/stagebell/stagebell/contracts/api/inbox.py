"""Notices of a user's inbox as the API shows them."""

from datetime import datetime
from typing import Self

from pydantic import Field

from stagebell.contracts.api.pages import Page, RecordName, Shape
from stagebell.ports import inbox as ports


class Notice(Shape):
    """Something a user was told about a record."""

    id: str = Field(
        description="Also the key of its delivery", examples=["dlv_6d9f0c1b2a3e4d5f60718293a4b5c6d7e8f90123"]
    )
    at: datetime
    subject: str = Field(description="May be empty")
    body: str = Field(description="Plain text of at most 500 characters")
    record: RecordName
    url: str = Field(
        description="Where the record is shown, as its object's record_url says; empty where it says nothing",
        examples=["https://crm.example.com/deals/deal-7"],
    )
    run: str
    definition: str = Field(description="The workflow or scenario that told it")
    read_at: datetime | None = Field(description="Null while it is unread")

    @classmethod
    def from_domain(cls, notice: ports.Notice) -> Self:
        return cls(
            id=notice.id,
            at=notice.at,
            subject=notice.subject,
            body=notice.body,
            record=RecordName.from_domain(notice.record),
            url=notice.url,
            run=notice.run,
            definition=notice.definition,
            read_at=notice.read_at,
        )


class NoticePage(Page[Notice]):
    """Notices, newest first."""


class UnreadCount(Shape):
    """How many notices a user has not read."""

    count: int = Field(examples=[3])


class MarkedRead(Shape):
    """How many notices were unread until now."""

    marked: int = Field(examples=[3])
