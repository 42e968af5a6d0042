"""A task that two people do something about at the same moment: one of them wins, the other hears of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stagebell.domain.errors import Conflict
from stagebell.domain.records import Record
from stagebell.services.edit import Editor
from stagebell.services.follow_ups import TaskDesk
from tests.stage import Stage


def desk(stage: Stage, occasion: str, records: Any = None) -> TaskDesk:
    applier = stage.offline.applier
    applier = replace(applier, records=records) if records else applier
    return TaskDesk(Editor(applier, stage.offline.queue, "key", occasion))


class Overtaken:
    """Records that somebody else changes right after they were read for the first time."""

    def __init__(self, stage: Stage, happening: Callable[[], Any]) -> None:
        self._records, self._happening = stage.offline.records, [happening]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def load(self, key: Any) -> Any:
        found = self._records.load(key)
        while self._happening:
            self._happening.pop()()
        return found


@pytest.mark.parametrize(
    "verb",
    [
        lambda desk: desk.cancel("t1"),
        lambda desk: desk.reassign("t1", "u2"),
    ],
    ids=["cancel", "reassign"],
)
def test_a_task_that_is_completed_at_the_same_moment_stays_done(verb: Callable[[TaskDesk], Record]) -> None:
    stage = Stage()
    stage.user("u2", name="Bob")
    stage.post("t1", object="task", type_="created", title="Call", assignee="u1", state="open")
    records = Overtaken(stage, lambda: desk(stage, "one").complete("t1"))

    with pytest.raises(Conflict, match="at the same moment"):
        verb(desk(stage, "two", records))

    task = stage.record("t1", "task").current
    assert (task["state"], task["assignee"]) == ("done", "u1")
