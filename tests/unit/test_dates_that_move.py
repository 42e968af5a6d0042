"""Workflows that wait for a date of their record, and move it themselves, so that they come again."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from tests.stage import QUOTATION, START, Stage, mail, scenario, sets, workflow

TELL = {"name": "tell", "type": "send_email", "to": [{"address": "a@example.com"}], "subject": "Now", "text": "Now."}
MOVE = sets("move", due_on={"add": "1 month"})


def monthly(*actions: Any) -> Stage:
    """A deal that is due on the tenth, and then every month."""
    stage = Stage(workflow("monthly", *actions, trigger={"on": "date", "field": "due_on"}))
    stage.post(name="Acme", due_on="2026-03-10", type_="created")
    return stage


def told_on(stage: Stage) -> list[str]:
    return [delivery.planned_at.date().isoformat() for delivery in stage.deliveries]


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        ((TELL, MOVE), "the date is moved when all is done"),
        ((MOVE, TELL), "what is left to do was due on the old date, and is not put off to the new one"),
    ],
)
def test_a_workflow_that_moves_its_own_date_is_carried_out_every_time(actions, why):
    stage = monthly(*actions)

    stage.advance(days=80)

    assert told_on(stage) == ["2026-03-10", "2026-04-10", "2026-05-10"], why


def test_it_is_carried_out_every_time_also_where_the_machine_wakes_late():
    stage = monthly(MOVE, TELL)
    stage.offline.clock.advance(START + timedelta(days=9, seconds=3))

    stage.advance(days=80)

    assert told_on(stage) == ["2026-03-11", "2026-04-10", "2026-05-10"]


def test_a_later_step_moves_with_the_date_though_an_earlier_one_has_acted():
    steps = [mail("on-the-day", {"date": "due_on"}), mail("after", {"date": "due_on", "offset": "3 days"})]
    stage = Stage(scenario("reminders", trigger={"on": "date", "field": "due_on"}, steps=steps))
    stage.post(name="Acme", due_on="2026-03-10", type_="created")
    stage.advance(days=9)

    stage.post(due_on="2026-03-20")
    stage.advance(days=30)

    assert told_on(stage) == ["2026-03-10", "2026-03-23"]


OVERDUE = {"field": "stage", "op": "eq", "value": QUOTATION}
LOSE = sets("lose", stage="Lost")


@pytest.mark.parametrize(
    ("steps", "told", "why"),
    [
        ((LOSE, TELL), ["2026-03-10"], "what the first action does is not held against the second"),
        (
            (LOSE, TELL | {"at": {"after": "2 days"}}),
            ["2026-03-12"],
            "nor against one that follows the date, however long after",
        ),
        (
            (LOSE, TELL | {"at": {"after": "2 days", "from": "previous_step"}}),
            ["2026-03-12"],
            "nor against one that follows the first",
        ),
        (
            (LOSE, TELL | {"quiet_hours": {"from": "20:00", "to": "07:00"}}),
            ["2026-03-10"],
            "nor against one that waits for the morning",
        ),
        (
            (LOSE, sets("move", due_on={"add": "1 year"}), TELL),
            ["2026-03-10"],
            "nor where the date is moved before it is told of",
        ),
        ((LOSE, TELL | {"at": {"date": "due_on", "offset": "1 day"}}), [], "another date asks anew"),
        ((LOSE, TELL | {"only_if": OVERDUE}), [], "an action that asks for itself is answered for itself"),
    ],
)
def test_what_a_date_asks_of_the_record_is_asked_when_it_is_reached_and_not_after_each_action(steps, told, why):
    stage = Stage(workflow("overdue", *steps, trigger={"on": "date", "field": "due_on"}, only_if=OVERDUE))
    stage.post(name="Acme", stage=QUOTATION, due_on="2026-03-10", type_="created")

    stage.advance(days=30)

    assert (told_on(stage), stage.record().fields["stage"]) == (told, "Lost"), why


@pytest.mark.parametrize(
    ("trigger", "at", "due", "why"),
    [
        ({}, {"after": "2 hours"}, "2026-03-10T02:00", "after the date, and not after it was set"),
        ({"offset": "-1 day", "time": "09:00"}, {"after": "2 hours"}, "2026-03-09T11:00", "after the trigger's moment"),
        ({"time": "09:00"}, {"after": "1 business day"}, "2026-03-11T09:00", "on the calendar"),
        ({"time": "09:00"}, {"after": "0 minutes"}, "2026-03-10T09:00", "at that moment itself"),
    ],
)
def test_a_time_after_a_date_trigger_counts_from_when_the_date_is_reached(trigger, at, due, why):
    late = TELL | {"at": at}
    stage = Stage(workflow("reminder", late, trigger={"on": "date", "field": "due_on", **trigger}))
    stage.post(name="Acme", due_on="2026-03-20", type_="created")
    stage.post(due_on="2026-03-10")

    stage.advance(days=60)

    assert [delivery.planned_at.isoformat()[:16] for delivery in stage.deliveries] == [due], why


def test_the_days_after_a_date_keep_the_local_time_when_the_clock_changes():
    at = {"after": "1 day"}
    stage = Stage(workflow("w", TELL | {"at": at}, trigger={"on": "date", "field": "due_on"}, timezone="Europe/Berlin"))
    stage.post(name="Acme", due_on="2026-03-29", type_="created")

    stage.advance(days=60)

    assert [delivery.planned_at.isoformat()[:16] for delivery in stage.deliveries] == ["2026-03-29T22:00"]


@pytest.mark.parametrize("reentry", ["every_entry", "restart", "once"])
@pytest.mark.parametrize("first", ["2026-03-20", None])
def test_a_date_that_moves_into_the_past_is_acted_on_once(reentry, first):
    stage = Stage(workflow("w", TELL, trigger={"on": "date", "field": "due_on"}, reentry=reentry))
    stage.post(name="Acme", due_on="2026-03-18", type_="created")
    stage.post(due_on=first)
    stage.advance(days=5)

    stage.post(due_on="2026-03-03")
    stage.advance(days=30)

    assert told_on(stage) == ["2026-03-07"]
    assert [run.status for run in stage.runs() if run.status != "superseded"] == ["completed"]


@pytest.mark.parametrize(
    ("change", "seen", "told", "why"),
    [
        ({"due_on": "2026-03-05"}, ("running", 5), ["2026-03-05"], "it moves with its date"),
        ({"type_": "deleted"}, ("cancelled", 20), [], "it ends with its record"),
    ],
)
def test_a_run_that_waits_sees_changes_also_where_the_new_version_of_its_workflow_waits_for_nothing(
    change, seen, told, why
):
    stage = Stage(workflow("w", TELL, trigger={"on": "date", "field": "due_on"}))
    stage.post(name="Acme", due_on="2026-03-20", type_="created")
    stage.activate(workflow("w", sets(urgent=True), trigger={"on": "updated", "fields": ["amount"]}))
    for amount in (1, 2):
        stage.post(amount=amount)
        stage.advance(hours=1)

    stage.post(**change)
    (waiting,) = [run for run in stage.runs() if run.version == 1]
    stage.advance(days=30)

    assert (waiting.status, waiting.steps[0].due_at.day) == seen, why
    assert told_on(stage) == told, why
    assert [run.status for run in stage.runs() if run.version == 2] == ["completed"] * 2


@pytest.mark.parametrize(
    ("reentry", "told", "why"),
    [
        ("every_entry", ["2026-03-10", "2026-03-23"], "what has been done is done, and the rest moves"),
        ("restart", ["2026-03-10", "2026-03-20", "2026-03-23"], "the new date is a new beginning"),
    ],
)
def test_whether_a_date_that_moves_begins_anew_is_said_by_reentry(reentry, told, why):
    later = TELL | {"name": "later", "at": {"after": "3 days"}}
    stage = Stage(workflow("w", TELL, later, trigger={"on": "date", "field": "due_on"}, reentry=reentry))
    stage.post(name="Acme", due_on="2026-03-10", type_="created")
    stage.advance(days=9)

    stage.post(due_on="2026-03-20")
    stage.advance(days=30)

    assert told_on(stage) == told, why


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"amount": 5}, "skipped", "the date is still that of the import"),
        ({"due_on": "2026-03-12", "mode_": "quiet"}, "skipped", "another import"),
        ({"due_on": "2026-03-12"}, "acted", "somebody has set it since"),
    ],
)
def test_a_date_that_was_imported_quietly_is_heard_of_once_it_is_moved(change, status, why):
    stage = Stage(workflow("w", TELL, trigger={"on": "date", "field": "due_on"}))
    stage.post(name="Acme", due_on="2026-03-10", type_="created", mode_="quiet")
    stage.post(**change)

    stage.advance(days=30)

    (run,) = stage.runs()
    assert (run.steps[0].status, run.quiet) == (status, status == "skipped"), why


@pytest.mark.parametrize("seed", range(40))
def test_each_date_that_is_reached_is_acted_on_once_however_it_moves(seed):
    random = Random(seed)
    reentry = random.choice(["every_entry", "restart"])
    stage = Stage(workflow("w", TELL, trigger={"on": "date", "field": "due_on"}, reentry=reentry))
    stage.post(name="Acme", type_="created")
    moves: list[tuple[datetime, datetime | None]] = [(stage.now, None)]
    for _ in range(10):
        stage.advance(hours=random.randrange(1, 60), minutes=1)
        day = (stage.now + timedelta(days=random.randrange(-6, 8))).date()
        due = datetime.combine(day, time.min, UTC) if random.random() < 0.8 else None
        stage.post(due_on=day.isoformat() if due else None)
        if due != moves[-1][1]:
            moves.append((stage.now, due))
        assert sum(run.open for run in stage.runs()) <= 1
    stage.advance(days=30)

    # it is reached when it comes before the next move, or at once where it is past
    spans = pairwise([*moves, (stage.now, None)])
    reached = [max(at, due) for (at, due), (end, _) in spans if due and max(at, due) < end]
    assert [delivery.planned_at for delivery in stage.deliveries] == reached
