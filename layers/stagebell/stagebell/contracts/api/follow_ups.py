"""Follow-ups as the API shows and takes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, StringConstraints

from stagebell.contracts.api.pages import Page, RecordName, Shape
from stagebell.contracts.api.records import Lock
from stagebell.contracts.model import Model
from stagebell.domain import follow_ups, records
from stagebell.domain.fields import Value, parse_instant

type Kind = Literal["task", "calendar_event", "sales_record"]


class FollowUp(Shape):
    """A task, a calendar event or a sales record: a record of a built-in object, about another record."""

    object: Kind = Field(examples=["calendar_event"])
    id: str = Field(examples=["calendar_event_0f2c8f4e5d0b4f3a9c1d7e6b5a493827"])
    about: RecordName | None
    overdue: bool = Field(description="An open task after its due time")
    fields: Mapping[str, Any] = Field(examples=[{"title": "Meet Ostrava", "starts_at": "2026-03-03T09:00:00.000000Z"}])
    created_at: datetime | None
    created_by: str | None = Field(description="The run whose step made it, or whom its source names")
    lock: Lock | None

    @classmethod
    def from_domain(cls, record: records.Record, now: datetime) -> Self:
        return cls(
            object=cast(Kind, record.key.object),
            id=record.key.id,
            about=_about(record),
            overdue=follow_ups.is_overdue(record.key, record.fields, now),
            fields=record.fields,
            created_at=record.created_at,
            created_by=record.created_by,
            lock=Lock.from_domain(record.lock) if record.lock else None,
        )


class FollowUpPage(Page[FollowUp]):
    """Follow-ups of a record or of a user, the latest first."""


class Task(Shape):
    """What one person is to do."""

    id: str = Field(examples=["task_0f2c8f4e5d0b4f3a9c1d7e6b5a493827"])
    title: str = Field(examples=["Call Ostrava"])
    description: str
    assignee: str | None = Field(description="A user", examples=["u1"])
    state: str = Field(description="open, done or cancelled", examples=["open"])
    due_at: datetime | None
    overdue: bool = Field(description="Open after its due time")
    done_at: datetime | None
    about: RecordName | None
    created_at: datetime | None
    created_by: str | None = Field(description="The run whose step made it, or whom its source names")
    version: int
    lock: Lock | None

    @classmethod
    def from_domain(cls, record: records.Record, now: datetime) -> Self:
        fields = record.fields
        return cls(
            id=record.key.id,
            title=str(fields.get("title") or ""),
            description=str(fields.get("description") or ""),
            assignee=cast(str | None, fields.get("assignee")),
            state=follow_ups.state_of(fields),
            due_at=_moment(fields.get("due_at")),
            overdue=follow_ups.is_overdue(record.key, fields, now),
            done_at=follow_ups.done_at(record),
            about=_about(record),
            created_at=record.created_at,
            created_by=record.created_by,
            version=record.version,
            lock=Lock.from_domain(record.lock) if record.lock else None,
        )


class TaskPage(Page[Task]):
    """Open tasks by due time, those without one last."""


class Reassign(Model):
    """Who is to do the task."""

    assignee: Annotated[
        str, StringConstraints(min_length=1, max_length=256), Field(description="An active user", examples=["u2"])
    ]


def _about(record: records.Record) -> RecordName | None:
    key = follow_ups.about(record.key, record.fields)
    return RecordName.from_domain(key) if key is not None else None


def _moment(value: Value) -> datetime | None:
    return parse_instant(value) if value is not None else None
