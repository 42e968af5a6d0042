"""An execution that failed: what becomes of its run, and of what its last step led to."""

from dataclasses import replace

import pytest

from stagebell.adapters.memory.scheduler import MemoryScheduler
from stagebell.domain.errors import RecordBusy
from stagebell.domain.executions import Task
from stagebell.domain.orders import Wake
from stagebell.services.close import Closer
from stagebell.services.deliver import Courier
from tests.stage import START, UNASSIGNED, Stage, mail, scenario, sets, workflow

FOLLOWS = workflow("follows", sets(count=7), trigger={"on": "updated", "fields": ["urgent"]})
BY_HAND = workflow("by-hand", sets(count=7), trigger={"on": "manual"})
STARTS = {"name": "start", "type": "start_process", "process": "by-hand"}
OTHERS = workflow("others", sets("first", urgent=True), sets("second", name="Late"), trigger={"on": "created"})


class Unreachable(MemoryScheduler):
    """Starts nothing that is new."""

    def start(self, wake: Wake) -> None:
        raise RecordBusy("Step Functions could not be reached")


def closer(stage: Stage) -> Closer:
    offline = stage.offline
    return Closer(offline.finisher, Courier(offline.deliveries, offline.clock), offline.records, offline.queue)


def dies(stage: Stage, definition: str, step: str) -> str:
    """A step's attempts and its giving up end in vain: the machine that it should start cannot be reached."""
    offline = stage.offline
    run = next(run for run in stage.runs() if run.definition == definition)
    actor = replace(offline.actor, applier=replace(offline.applier, scheduler=Unreachable()))
    kind = run.state(step).kind
    for failure in (None, None, {"Error": "RecordBusy", "Cause": ""}):
        with pytest.raises(RecordBusy):
            actor.act(Task(run.id, step, 1, START, failure), offline.actions[kind])
    for _ in offline.scheduler.due():  # with its execution
        pass
    return run.id


def brought(stage: Stage) -> int:
    """The queue brings what was sent to it, and the machines work."""
    changes = list(stage.offline.queue.take())
    for change in changes:
        stage.apply(change)
    stage.advance(minutes=1)
    return len(changes)


@pytest.mark.parametrize(
    ("action", "definitions", "reason"),
    [
        (sets(urgent=True), (FOLLOWS,), "a workflow that its change lets in"),
        (STARTS, (BY_HAND,), "a process that it starts"),
    ],
)
def test_what_the_last_step_led_to_is_carried_on_although_its_execution_has_failed(action, definitions, reason):
    stage = Stage(workflow("acts", action, trigger={"on": "created"}), *definitions)
    stage.post(type_="created", name="Acme")
    run = dies(stage, "acts", action["name"])
    before = stage.record().current.get("count")

    closed = [closer(stage).close(run, 1, "machine_failed") for _ in range(2)]

    assert brought(stage) == 2, "once for each time it was closed"
    assert closed[0] == closed[1]
    assert (before, stage.record().current["count"]) == (None, 7), reason
    assert [run.definition for run in stage.runs()].count(definitions[0]["name"]) == 1


def test_a_run_that_ended_with_its_last_step_stays_completed():
    stage = Stage(workflow("acts", sets(urgent=True), trigger={"on": "created"}), FOLLOWS)
    stage.post(type_="created", name="Acme")

    closed = closer(stage).close(dies(stage, "acts", "set"), 1, "machine_failed")

    assert (closed.status, closed.reason) == ("completed", "")


def test_a_run_that_still_waits_in_the_execution_has_failed_with_it():
    stage = Stage(OTHERS, FOLLOWS)
    stage.post(type_="created", name="Acme")

    closed = closer(stage).close(dies(stage, "others", "first"), 1, "machine_failed")
    brought(stage)

    assert (closed.status, closed.reason) == ("failed", "machine_failed")
    assert [(step.status, step.reason) for step in closed.steps] == [("acted", ""), ("cancelled", "machine_failed")]
    assert stage.record().current == {"name": "Acme", "urgent": True, "count": 7}


def test_a_run_that_was_to_go_on_in_another_execution_goes_on_there():
    stage = Stage(scenario(steps=[mail("first", {"after": "320 days"}), mail("second", {"after": "2 years"})]))
    run = stage.enter("deal-7", UNASSIGNED)
    (first,) = stage.offline.scheduler.due()
    stage.offline.clock.advance(first.at)
    answer = stage.offline.actor.act(Task(run, "first", 1, START), stage.offline.actions["send_email"])
    assert (answer["next"], answer["execution_name"]) == ("continue", f"{run}-2"), "which is never started"

    closed = closer(stage).close(run, 1, "machine_failed")
    stage.advance(days=900)

    assert (closed.status, closed.execution) == ("running", 2)
    assert stage.run(run).status == "completed"
    assert stage.acted == ["first", "second"]
