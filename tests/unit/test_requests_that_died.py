"""Requests whose first attempt died after storing what they change and before starting what it leads to: the same
request, under the same Idempotency-Key, carries that on, and changes nothing more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy
from stagebell.domain.orders import Halt, Wake
from stagebell.runtime import wiring
from stagebell.services.edit import Editor
from stagebell.services.follow_ups import TaskDesk
from stagebell.services.start import Starter
from tests.stage import Stage
from tests.unit.api_calls import DEAL, ERP, make_api

TASK = RecordKey("task", "t1")
FOLLOWING = {
    "kind": "workflow",
    "name": "following",
    "object": "task",
    "trigger": {"on": "updated"},
    "actions": [{"name": "note", "type": "create_sales_record", "entry": "note", "text": "{{ task.title }}"}],
}


class Died(BaseException):
    pass


class DiesWaking:
    """A scheduler that the process does not live to call."""

    def start(self, wake: Wake) -> None:
        raise Died

    def stop(self, halt: Halt) -> None:
        raise Died


@pytest.mark.parametrize(
    "request_",
    [
        lambda editor: editor.edit(TASK, {"title": "Call them"}),
        lambda editor: TaskDesk(editor).complete("t1"),
        lambda editor: TaskDesk(editor).cancel("t1"),
        lambda editor: TaskDesk(editor).reassign("t1", "u2"),
    ],
    ids=["edit", "complete", "cancel", "reassign"],
)
def test_a_request_that_died_after_it_was_stored_is_carried_on_when_it_comes_again(
    request_: Callable[[Editor], Any],
) -> None:
    stage = Stage(FOLLOWING)
    stage.user("u2", name="Bob")
    stage.post("t1", object="task", type_="created", title="Call", assignee="u1", state="open")
    dying = replace(stage.offline.applier, scheduler=DiesWaking())
    with pytest.raises(Died):
        request_(Editor(dying, stage.offline.queue, "key", "one"))

    request_(Editor(stage.offline.applier, stage.offline.queue, "key", "one"))
    stage.advance(minutes=1)

    (run,) = stage.offline.runs.of_record(TASK).items
    assert (run.status, stage.record("t1", "task").version) == ("completed", 2)


class Throttled(DiesWaking):
    """A scheduler that is busy."""

    def start(self, wake: Wake) -> None:
        raise RecordBusy("Step Functions asked to slow down")


class Contended:
    """Records that others change all the time."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def commit(self, _commit: Any) -> str:
        return "conflict"


def test_what_an_edit_leads_to_is_carried_on_by_the_queue_where_it_cannot_be_started_at_once() -> None:
    stage = Stage(FOLLOWING)
    stage.post("t1", object="task", type_="created", title="Call", state="open")
    busy = replace(stage.offline.applier, scheduler=Throttled())

    stored = Editor(busy, stage.offline.queue, "key", "one").edit(TASK, {"title": "Call them"})
    for change in stage.offline.queue.take():
        stage.offline.applier.apply(change)
    stage.advance(minutes=1)

    assert stored.record.current["title"] == "Call them"
    (run,) = stage.offline.runs.of_record(TASK).items
    assert run.status == "completed"


def test_a_start_by_hand_is_carried_on_by_the_queue_where_its_machine_cannot_be_started_at_once() -> None:
    stage = Stage(FOLLOWING | {"trigger": {"on": "manual"}})
    stage.post("t1", object="task", type_="created", title="Call", state="open")
    busy = replace(stage.offline.applier, scheduler=Throttled())

    started = Starter(busy, stage.offline.queue, "key", "one").start("workflow", "following", TASK)
    stage.post("t1", object="task", type_="locked")
    for change in stage.offline.queue.take():
        stage.offline.applier.apply(change)
    stage.advance(minutes=1)

    (run,) = stage.offline.runs.of_record(TASK).items
    assert (started.id, started.status, run.status) == (run.id, "running", "completed")


def test_a_start_by_hand_that_was_not_stored_is_to_be_asked_for_again() -> None:
    stage = Stage(FOLLOWING | {"trigger": {"on": "manual"}})
    stage.post("t1", object="task", type_="created", title="Call", state="open")
    contended = replace(stage.offline.applier, records=Contended(stage.offline.records))

    with pytest.raises(RecordBusy):
        Starter(contended, stage.offline.queue, "key", "one").start("workflow", "following", TASK)

    assert list(stage.offline.queue.take()) == []


def test_a_start_by_hand_that_died_after_it_was_stored_is_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api()
    monkeypatch.setattr(wiring, "api", lambda: api.ports)
    by_hand = FOLLOWING | {"object": "deal", "trigger": {"on": "manual"}}
    by_hand["actions"] = [FOLLOWING["actions"][0] | {"text": "Looked at."}]  # type: ignore[index]
    api.activate(DEAL, ERP, by_hand)
    api.apply("1", stage="Won")
    path, body = "/v1/workflows/following/runs", {"object": "deal", "id": "deal-7"}
    first = api.post(path, body, key="a")
    api.ports.requests.forget("a")

    again = api.post(path, body, key="a")

    assert (first.status, again.status, again.json["id"]) == (201, 201, first.json["id"])
    assert len(api.get("/v1/records/deal/deal-7/runs").json["items"]) == 1
