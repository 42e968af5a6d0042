"""Checking follow-ups: tasks, calendar events and sales records."""

from collections.abc import Iterator

from stagebell.domain.errors import Problem
from stagebell.services.checks.messages import BY_EMAIL
from stagebell.services.checks.moments import duration_problems, moment_problems
from stagebell.services.checks.recipients import USERS, recipient_problems, recipients_problems
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.world import Document


def create_task_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from scope.texts(step, "title", "description")
    yield from recipients_problems(step, ("assignee",), USERS, scope)
    yield from moment_problems(step, "due", scope)
    for index, reminder in enumerate(step.get("remind") or ()):
        inner = scope.about("task").under(f"remind[{index}]")
        for key in ("before_due", "after_due"):
            if reminder.get(key):
                yield from duration_problems(reminder[key], f"{inner.at}{key}")
        yield from inner.texts(reminder, "subject", "body")


def create_event_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from scope.texts(step, "title", "description", "location")
    yield from moment_problems(step, "starts", scope)
    yield from duration_problems(step["lasts"], f"{scope.at}lasts")
    yield from recipients_problems(step, ("attendees",), BY_EMAIL, scope)
    yield from recipient_problems(step, "organizer", scope)


def create_sales_record_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from scope.texts(step, "text")
    yield from recipient_problems(step, "author", scope)
