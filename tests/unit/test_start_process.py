"""The action start_process: one process starts another for the same record, or says why it does not."""

from typing import Any

import pytest

from stagebell.domain.limits import DEPTH_LIMIT, OPEN_RUNS_PER_RECORD
from tests.stage import UNASSIGNED, WON, Stage, mail, scenario

WRITE = {"name": "write", "type": "update_field", "set": {"urgent": True}}


def starting(process: str, **more: Any) -> dict[str, Any]:
    return {"name": "start", "type": "start_process", "process": process, **more}


def workflow(name: str, *actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    trigger = {"on": "manual"}
    return {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": [*actions], **more}


def played(*documents: dict[str, Any], process: str = "other", **fields: Any) -> Stage:
    """A created deal, whose workflow starts the process."""
    first = workflow("first", starting(process), {**WRITE, "name": "after"}, trigger={"on": "created"})
    stage = Stage(first, *documents)
    stage.post(type_="created", name="Acme", **fields)
    stage.advance(minutes=0)
    return stage


def run_of(stage: Stage, definition: str) -> Any:
    return next(run for run in stage.offline.store.runs.values() if run.definition == definition)


def step(stage: Stage) -> tuple[str, str]:
    state = run_of(stage, "first").steps[0]
    return state.status, state.reason


@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        ({"on": "manual"}, "one that is started by hand"),
        ({"on": "updated", "fields": ["amount"]}, "one that starts by itself on something else"),
        ({"on": "deleted"}, "even one that waits for the end of the record"),
    ],
)
def test_another_workflow_acts_on_the_same_record(trigger, why):
    stage = played(workflow("other", WRITE, trigger=trigger))

    other = run_of(stage, "other")
    assert (step(stage), other.status, stage.record().current["urgent"]) == (("acted", ""), "completed", True), why
    assert run_of(stage, "first").steps[0].why == {"started": other.id}
    assert run_of(stage, "first").steps[1].status == "acted", "and the one that started it goes on"


def test_the_run_that_starts_another_is_among_its_causes():
    stage = played(workflow("other", starting("third")), workflow("third", WRITE))

    first, other, third = (run_of(stage, name) for name in ("first", "other", "third"))
    assert (other.causes, third.causes) == ((first.id,), (first.id, other.id))


def test_a_scenario_counts_its_delays_from_when_it_is_started():
    stage = played(scenario("other", trigger={"on": "manual"}, steps=[mail("later", {"after": "1 hour"})]))
    assert stage.acted == []

    stage.advance(hours=1)

    assert (stage.acted, run_of(stage, "other").status) == (["later"], "completed")


def test_a_scenario_of_a_stage_can_be_started_too():
    stage = played(scenario("other", steps=[mail("later", {"after": "1 hour"}, unless_changed=True)]), stage=WON)

    stage.post(stage=UNASSIGNED)

    assert [run.definition for run in stage.runs()].count("other") == 2, "an entry is a run of its own"
    assert step(stage) == ("acted", "")


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ((), "there is none of that name"),
        (({**workflow("other", WRITE), "object": "account"},), "it belongs to another object"),
    ],
)
def test_what_is_not_active_for_the_object_fails_the_step_and_the_next_one_goes_on(documents, why):
    stage = played(*documents)

    assert step(stage) == ("failed", "inactive_process"), why
    assert run_of(stage, "first").steps[1].status == "acted"


def test_what_the_other_one_asks_of_the_record_is_asked_here_too():
    stage = played(workflow("other", WRITE, only_if={"field": "amount", "op": "gt", "value": 100}), amount=7)

    assert step(stage) == ("skipped", "not_matched")
    assert run_of(stage, "first").steps[0].why["saw"] == "7"
    assert "other" not in [run.definition for run in stage.runs()]


def test_what_runs_once_is_not_started_twice():
    stage = played(workflow("other", WRITE, reentry="once", trigger={"on": "created"}))

    assert step(stage) == ("skipped", "once_only")


def test_what_runs_already_is_left_alone():
    waiting = scenario("other", trigger={"on": "created"}, steps=[mail("later", {"after": "1 hour"})])

    stage = played(waiting)

    assert step(stage) == ("skipped", "already_running")
    assert [run.definition for run in stage.runs()].count("other") == 1


def test_what_restarts_is_started_anew():
    waiting = scenario(
        "other", trigger={"on": "created"}, reentry="restart", steps=[mail("later", {"after": "1 hour"})]
    )

    stage = played(waiting)

    newest, oldest = sorted((r for r in stage.runs() if r.definition == "other"), key=lambda r: len(r.causes))[::-1]
    assert (newest.status, oldest.status, step(stage)) == ("running", "superseded", ("acted", ""))


def test_two_that_start_each_other_come_to_an_end():
    stage = played(workflow("other", starting("third")), workflow("third", starting("other")))

    assert len(stage.runs()) == DEPTH_LIMIT
    last = max(stage.runs(), key=lambda run: len(run.causes))
    assert (last.steps[0].status, last.steps[0].reason, last.status) == ("failed", "loop_stopped", "failed")
    assert last.steps[0].why == {"limit": "depth"}


def test_a_record_with_too_many_runs_gets_no_further_one():
    waiting = [mail("later", {"after": "1 day"})]
    many = [scenario(f"s{n}", trigger={"on": "updated"}, steps=waiting) for n in range(OPEN_RUNS_PER_RECORD - 1)]
    first = workflow("first", starting("other"), WRITE, trigger={"on": "updated", "fields": ["amount"]})
    stage = Stage(*many, first, scenario("other", trigger={"on": "manual"}))
    for number in range(3):
        stage.post(count=number)

    stage.post(amount=1)
    stage.advance(minutes=0)

    assert step(stage) == ("failed", "too_many_runs")
    assert run_of(stage, "first").steps[0].why == {"limit": "open_runs_per_record"}


def test_a_quiet_import_stays_quiet():
    stage = played(
        scenario("other", trigger={"on": "manual"}, steps=[mail("later", {"after": "1 hour"})]), mode_="quiet"
    )

    stage.advance(hours=1)

    assert [delivery.reason for delivery in stage.deliveries] == ["quiet_import"]


def test_a_locked_record_does_not_keep_a_process_from_starting():
    lock = {"name": "lock", "type": "lock_record"}
    first = workflow("first", lock, starting("other"), trigger={"on": "created"})
    stage = Stage(first, workflow("other", WRITE))

    stage.post(type_="created", name="Acme")
    stage.advance(minutes=0)

    other = run_of(stage, "other").steps[0]
    assert (other.status, other.reason) == ("failed", "record_locked"), "it starts, and may not write"


def test_nothing_is_started_for_a_deleted_record():
    first = workflow("first", starting("other"), trigger={"on": "deleted"})
    stage = Stage(first, workflow("other", WRITE))
    stage.post(type_="created", name="Acme")

    stage.post(type_="deleted")
    stage.advance(minutes=0)

    assert step(stage) == ("skipped", "record_deleted")


def test_a_backtest_says_what_was_not_started():
    first = workflow("first", starting("other"), trigger={"on": "created"})
    other = workflow("other", WRITE, only_if={"field": "amount", "op": "gt", "value": 100})
    stage = Stage(first, other)
    backtest = stage.offline.backtest()

    for amount in (7, 700):
        backtest.feed(stage.change(f"d{amount}", type_="created", amount=amount))

    report = backtest.finish()
    assert report.scenarios["first"].document()["steps"]["start"] == {"skipped: not_matched": 1, "acted": 1}
    assert report.scenarios["other"].document()["steps"]["write"] == {"acted": 1}


@pytest.mark.parametrize(
    ("later", "expected", "why"),
    [
        ([], ("acted", ""), "it is over when its last step has acted"),
        ([mail("later", {"after": "1 day"})], ("skipped", "already_running"), "it still has something to do"),
    ],
)
def test_a_scenario_may_start_itself_again_once_it_is_over(later, expected, why):
    again = starting("again", at={"after": "1 hour"})
    stage = Stage(scenario("again", trigger={"on": "created"}, steps=[again, *later]))
    stage.post(type_="created", name="Acme")

    stage.advance(minutes=61)

    first = min(stage.runs(), key=lambda run: len(run.causes)).steps[0]
    assert (first.status, first.reason) == expected, why
    assert len(stage.runs()) == (1 if later else 2)
