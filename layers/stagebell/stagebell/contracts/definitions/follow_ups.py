"""Follow-ups as written: tasks, calendar events and sales records."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.action import Action
from stagebell.contracts.definitions.messages import different
from stagebell.contracts.definitions.moments import Moment
from stagebell.contracts.definitions.recipients import Recipient, Recipients
from stagebell.contracts.definitions.templates import Short, Subject, Text
from stagebell.contracts.model import DurationText, Model, together

REMINDER_LIMIT = 10


class Reminder(Model):
    """Reminds of a task that is still open."""

    before_due: Annotated[DurationText | None, Field(description="How long before it is due")] = None
    after_due: Annotated[DurationText | None, Field(description="Or how long after")] = None
    via: Annotated[
        list[Literal["inbox", "email", "sms"]],
        AfterValidator(different),
        Field(min_length=1, max_length=3, description="Where it is told", json_schema_extra={"uniqueItems": True}),
    ] = ["inbox"]  # noqa: RUF012  # pydantic copies it
    subject: Annotated[Subject | None, Field(description="The task's title where absent; sees {{ task.title }} …")] = (
        None
    )
    body: Annotated[Text | None, Field(description="Title and due time where absent")] = None

    @together
    def _exactly_one(self) -> Iterator[PydanticCustomError]:
        if (self.before_due is None) == (self.after_due is None):
            yield PydanticCustomError("exactly_one", "a reminder has exactly one of before_due, after_due")


class CreateTask(Action):
    """Gives somebody a task about the record."""

    type: Literal["create_task"]
    title: Short
    description: Text | None = None
    assignee: Annotated[Recipients, Field(description="Whose task it is: the first active user; the others stand in")]
    due: Moment
    remind: Annotated[
        list[Reminder] | None,
        Field(min_length=1, max_length=REMINDER_LIMIT, description="While it is open; they move with its due time"),
    ] = None


class CreateEvent(Action):
    """Puts an event about the record into the calendar."""

    type: Literal["create_event"]
    title: Short
    description: Text | None = None
    location: Short | None = None
    starts: Moment
    lasts: Annotated[DurationText, Field(description="How long it takes")] = "1 hour"
    attendees: Annotated[Recipients | None, Field(description="Users, and e-mail addresses")] = None
    organizer: Annotated[Recipient | None, Field(description="The owner of the record where absent")] = None
    invite: Annotated[bool, Field(description="Whether attendees get it by e-mail, as an .ics file")] = True


class CreateSalesRecord(Action):
    """Keeps a visit, call or note in the record's history."""

    type: Literal["create_sales_record"]
    entry: Literal["visit", "call", "note"]
    text: Text
    author: Annotated[Recipient | None, Field(description="The owner of the record where absent")] = None
