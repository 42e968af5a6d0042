"""Follow-ups by hand: whose tasks there are, and completing, cancelling and reassigning one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import Conflict, InvalidInput, NotFound, Problem
from stagebell.domain.fields import instant_text
from stagebell.domain.follow_ups import FollowUp, is_overdue, state_of
from stagebell.domain.records import Record
from stagebell.ports.clock import Clock
from stagebell.ports.pages import Page
from stagebell.ports.records import Records
from stagebell.services.edit import Editor


@dataclass(frozen=True, slots=True)
class TaskDesk:
    """Edits of task records, so that their reminders end, their history is kept, and workflows may follow."""

    editor: Editor

    def complete(self, task: str) -> Record:
        """Completing twice is harmless. Raises NotFound, RecordLocked, and Conflict for a cancelled task."""
        now = instant_text(self.editor.applier.clock.now())
        return self._ended(task, "done", done_at=now)

    def cancel(self, task: str) -> Record:
        """Cancelling twice is harmless. Raises NotFound, RecordLocked, and Conflict for a task that is done."""
        return self._ended(task, "cancelled")

    def reassign(self, task: str, user: str) -> Record:
        """Raises NotFound, RecordLocked, Conflict for a task that is not open, InvalidInput for who cannot take it."""
        found = self._task(task)
        if state_of(found.fields) != "open":
            raise Conflict(f"task {task} is {state_of(found.fields)}: only an open task can be reassigned")
        if found.fields.get("assignee") == user:
            return self.editor.unchanged(found.key).record
        taker = self.editor.applier.records.load(RecordKey("user", user)).record
        if not taker.exists or taker.fields.get("active") is False:
            why = "is not active" if taker.exists else "is not known"
            raise InvalidInput([Problem("assignee", "active_user", f"user {user} {why}")])
        return self._edited(found, assignee=user)

    def _ended(self, task: str, state: str, **more: Any) -> Record:
        found = self._task(task)
        if state_of(found.fields) == state:
            return self.editor.unchanged(found.key).record
        if state_of(found.fields) != "open":
            raise Conflict(f"task {task} is {state_of(found.fields)} already")
        return self._edited(found, state=state, **more)

    def _task(self, task: str) -> Record:
        return self.editor.record(RecordKey("task", task))

    def _edited(self, task: Record, **fields: Any) -> Record:
        """Over the version that was looked at: of completing and cancelling at the same moment, one wins."""
        return self.editor.edit(task.key, fields, seen=task.version).record


def task(records: Records, id: str) -> Record:
    """Raises NotFound for a task that is unknown or deleted."""
    found = records.load(RecordKey("task", id)).record
    if not found.exists:
        raise NotFound(f"there is no task {id}")
    return found


def follow_ups_of(records: Records, kind: FollowUp, user: str, cursor: str | None, *, closed: bool) -> Page[Record]:
    """A page of the tasks a user is to do, the events they organize or the sales records they wrote, the latest first;
    with `closed` those that are done or cancelled. Raises NotFound for an unknown user."""
    _demand(records, user)
    return records.owned(kind, user, cursor, closed=closed, latest_first=True)


def tasks_of(records: Records, clock: Clock, user: str, cursor: str | None, *, overdue: bool) -> Page[Record]:
    """A page of a user's open tasks by due time, those without one last; with `overdue`, no more than the late ones.

    Raises NotFound for an unknown user."""
    _demand(records, user)
    page = records.owned("task", user, cursor)
    if not overdue:
        return page
    late = _late(page.items, clock)
    return Page(late, page.cursor if len(late) == len(page.items) else None)


def _demand(records: Records, user: str) -> None:
    if not records.load(RecordKey("user", user)).record.version:
        raise NotFound(f"no change of user {user} has arrived yet")


def _late(tasks: Sequence[Record], clock: Clock) -> tuple[Record, ...]:
    now = clock.now()
    return tuple(task for task in tasks if is_overdue(task.key, task.fields, now))
