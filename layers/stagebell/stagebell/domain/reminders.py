"""Reminders: a task that is to be remembered is followed by a scenario of its own, timed by the task's due date.

It is made from the step that makes the task, at the version that the run is pinned to, and so needs no definition: it
moves with the due date and ends when the task is done. Once it has ended, a task that is put off or opened again gets
another run of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from stagebell.domain.durations import parse_duration
from stagebell.domain.fields import parse_instant
from stagebell.domain.objects import Schema
from stagebell.domain.paths import Path
from stagebell.domain.records import Comparison
from stagebell.domain.scenarios import At, Scenario, Step, Trigger

SEPARATOR = "/"
DEFAULT_SUBJECT = "{{ task.title }}"
DEFAULT_BODY = "Due {{ task.due_at | datetime }}: {{ task.title }}"


def reminders_of(scenario: Scenario, step: Step, schema: Schema) -> Scenario | None:
    """The scenario that reminds of the tasks this step makes; None where it asks for no reminders."""
    written = step.params.get("remind") or ()
    if not written:
        return None
    due = Path((), schema["task"].fields["due_at"], "task")
    return Scenario(
        name=f"{scenario.name}{SEPARATOR}{step.name}",
        version=scenario.version,
        object="task",
        trigger=Trigger("stage", ("state",), ("open",)),
        steps=tuple(_steps(written, due)),
        on_unknown=scenario.on_unknown,
        timezone=scenario.timezone,
        calendar=scenario.calendar,
    )


def is_of_reminders(definition: str) -> bool:
    """Whether a run of this name is the reminders of a task."""
    return SEPARATOR in definition


def due_anew(comparison: Comparison) -> bool:
    """Whether a change puts a task off, or opens it again, to a due time that is still to come."""
    task, change = comparison.after, comparison.change
    if task.key.object != "task" or not task.exists or comparison.changed.isdisjoint(("due_at", "state")):
        return False
    due = task.fields.get("due_at")
    return task.fields.get("state") == "open" and due is not None and parse_instant(due) > change.occurred_at


def _steps(written: Any, due: Path) -> Iterator[Step]:
    for number, reminder in enumerate(written, 1):
        yield Step(f"remind-{number}", "notify", _at(reminder, due), _params(reminder), unless_changed=True)


def _at(reminder: Mapping[str, Any], due: Path) -> At:
    if reminder.get("before_due"):
        return At(date=due, offset=parse_duration(reminder["before_due"]).negated())
    return At(date=due, offset=parse_duration(reminder["after_due"]))


def _params(reminder: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "to": [{"field": "assignee"}],
        "via": reminder.get("via") or ["inbox"],
        "subject": reminder.get("subject") or DEFAULT_SUBJECT,
        "body": reminder.get("body") or DEFAULT_BODY,
    }
