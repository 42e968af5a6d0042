"""The action `create_task`: a task for one person, about the record, with its reminders."""

from dataclasses import dataclass

from stagebell.domain.fields import instant_text
from stagebell.domain.message_text import one_line
from stagebell.domain.reminders import reminders_of
from stagebell.domain.runs import Run
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Deed
from stagebell.services.make import Maker


@dataclass(frozen=True, slots=True)
class CreateTask:
    """The task and the run of its reminders are stored with the step's end. A due date that is not set leaves the task
    without one; it may get one later, and its reminders their times."""

    maker: Maker

    def act(self, look: Look) -> Outcome:
        making = self.maker.open(look)
        assignee = making.user("assignee")
        if assignee is None:
            reason = making.missing[0].reason if making.missing else "no_recipient"
            return Outcome("skipped", reason, why=making.told())
        due = making.moment("due")
        fields = {
            "title": one_line(making.words("title", assignee)),
            "description": making.text("description", assignee),
            "assignee": assignee.id,
            "due_at": instant_text(due) if due else None,
            "state": "open",
        }
        reminders = reminders_of(look.scenario, look.step, making.catalog.schema)
        deed = Deed(making.change("task", fields), (reminders,) if reminders else ())
        return Outcome("acted", deed=deed, why=making.told())

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """A task that was not made leaves nothing behind."""
