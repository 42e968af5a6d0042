"""Follow-ups: tasks, calendar events and sales records, as records and people have them; and the life of a task."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import Cursor, Edits, Id, Name, Ports
from stagebell.contracts.api.follow_ups import FollowUp, FollowUpPage, Kind, Reassign, Task, TaskPage
from stagebell.domain.changes import RecordKey
from stagebell.services import browse, follow_ups
from stagebell.services.follow_ups import TaskDesk

routes = Routes("follow-ups")
_EDITING = ("not_found", "conflict", "record_locked", "record_busy")


@routes.get("/v1/records/{object}/{id}/follow-ups", role="viewer", problems=("not_found",))
def list_follow_ups(object: Name, id: Id, ports: Ports, cursor: Cursor = None) -> FollowUpPage:
    """List the tasks, calendar events and sales records about a record, newest first."""
    key, now = RecordKey(object, id), ports.clock.now()
    page = browse.of_record(ports.records, key, ports.records.follow_ups(key, cursor), cursor)
    return FollowUpPage(items=tuple(FollowUp.from_domain(record, now) for record in page.items), cursor=page.cursor)


@routes.get("/v1/users/{user}/follow-ups", role="viewer", problems=("not_found",))
def list_follow_ups_of_user(
    user: Id,
    ports: Ports,
    object: Annotated[Kind, Query(description="Tasks they are to do, events they organize, sales records they wrote")],
    closed: Annotated[bool, Query(description="true: only those that are done or cancelled")] = False,
    cursor: Cursor = None,
) -> FollowUpPage:
    """List the open follow-ups of a user, or those that are closed, by their own time, the latest first.

    A task without a due time comes first. A sales record is never closed."""
    page, now = follow_ups.follow_ups_of(ports.records, object, user, cursor, closed=closed), ports.clock.now()
    return FollowUpPage(items=tuple(FollowUp.from_domain(record, now) for record in page.items), cursor=page.cursor)


@routes.get("/v1/users/{user}/tasks", role="viewer", problems=("not_found",))
def list_tasks_of_user(
    user: Id,
    ports: Ports,
    overdue: Annotated[bool, Query(description="true: only those after their due time")] = False,
    cursor: Cursor = None,
) -> TaskPage:
    """List the open tasks of a user by due time, those without one last."""
    page, now = follow_ups.tasks_of(ports.records, ports.clock, user, cursor, overdue=overdue), ports.clock.now()
    return TaskPage(items=tuple(Task.from_domain(record, now) for record in page.items), cursor=page.cursor)


@routes.get("/v1/tasks/{id}", role="viewer", problems=("not_found",))
def get_task(id: Id, ports: Ports) -> Task:
    """Read a task."""
    return Task.from_domain(follow_ups.task(ports.records, id), ports.clock.now())


@routes.post("/v1/tasks/{id}/complete", role="integrator", problems=_EDITING)
def complete_task(id: Id, ports: Ports, edits: Edits) -> Task:
    """Complete a task.

    Its reminders end. Completing it twice is harmless; one that was cancelled is a conflict."""
    return Task.from_domain(TaskDesk(edits).complete(id), ports.clock.now())


@routes.post("/v1/tasks/{id}/cancel", role="integrator", problems=_EDITING)
def cancel_task(id: Id, ports: Ports, edits: Edits) -> Task:
    """Cancel a task.

    Its reminders end. Cancelling it twice is harmless; one that is done is a conflict."""
    return Task.from_domain(TaskDesk(edits).cancel(id), ports.clock.now())


@routes.post("/v1/tasks/{id}/reassign", role="integrator", problems=_EDITING)
def reassign_task(id: Id, body: Annotated[Reassign, Body()], ports: Ports, edits: Edits) -> Task:
    """Give an open task to another user, whom its reminders then go to."""
    return Task.from_domain(TaskDesk(edits).reassign(id, body.assignee), ports.clock.now())
