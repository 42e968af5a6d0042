"""Reminders of a task: before and after it is due, by every channel, moved with the due time, ended with the task."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import NotFound
from stagebell.domain.records import Record
from stagebell.domain.runs import Run
from tests.stage import START, UNASSIGNED, Stage, scenario

REMIND = [{"before_due": "1 hour", "via": ["inbox", "email", "sms"]}, {"after_due": "2 hours"}]
STEP = {
    "name": "call",
    "type": "create_task",
    "title": "Call {{ deal.name }}",
    "assignee": [{"field": "owner"}],
    "due": "1 day",
}


def workflow(**more: Any) -> dict[str, Any]:
    return {
        "kind": "workflow",
        "name": "welcome",
        "object": "deal",
        "trigger": {"on": "created"},
        "actions": [{**STEP, "remind": REMIND, **more}],
    }


def reminded(*definitions: Any) -> Stage:
    """Ada has a task, due on Tuesday at 09:00 UTC."""
    stage = Stage(*(definitions or (workflow(),)))
    stage.user("u1", name="Ada", email="ada@example.com", phone="+49 30 901820")
    stage.user("u2", name="Bob", email="bob@example.com", phone="+49 30 901821")
    stage.post("deal-7", type_="created", name="Pumps", owner="u1", stage=UNASSIGNED)
    stage.advance(minutes=0)
    return stage


def task(stage: Stage) -> Record:
    (record,) = stage.offline.records.follow_ups(RecordKey("deal", "deal-7")).items
    return record


def change(stage: Stage, **fields: Any) -> None:
    stage.post(task(stage).key.id, object="task", **fields)


def reminders(stage: Stage) -> Run:
    (run,) = stage.offline.runs.of_record(task(stage).key).items
    return run


def sent(stage: Stage) -> list[tuple[str, str, str]]:
    """How long after the task was made, in hours; how; to whom."""
    return [
        (f"{(delivery.planned_at - START) / timedelta(hours=1):g}", delivery.channel, delivery.recipient)
        for delivery in stage.deliveries
        if delivery.state == "sent"
    ]


def test_reminders_go_out_before_and_after_the_task_is_due_by_the_channels_that_are_written():
    stage = reminded()

    stage.advance(days=3)

    assert sent(stage) == [
        ("23", "inbox", "u1"),
        ("23", "email", "ada@example.com"),
        ("23", "sms", "+4930901820"),
        ("26", "inbox", "u1"),
    ]
    assert reminders(stage).status == "completed"


def test_a_reminder_says_what_is_due_when_in_the_words_that_are_written_or_in_ours():
    written = {"before_due": "2 hours", "subject": "Soon: {{ task.title }}", "body": "{{ recipient.name }}, hurry"}
    stage = reminded(workflow(remind=[{"before_due": "1 hour", "via": ["email"]}, {**written, "via": ["email"]}]))

    stage.advance(days=1)

    first, second = stage.offline.mailer.sent
    assert (first.subject, first.text) == ("Soon: Call Pumps", "Ada, hurry")
    assert (second.subject, second.text) == ("Call Pumps", "Due Mar 3, 2026, 9:00:00\u202fAM: Call Pumps")


def test_a_scenario_that_waits_has_reminders_as_a_workflow_has():
    step = {**STEP, "at": {"after": "1 hour"}, "remind": [{"after_due": "1 hour"}]}
    stage = reminded(scenario(steps=[step]))

    stage.advance(days=3)

    assert sent(stage) == [("26", "inbox", "u1")]


def test_the_run_of_the_reminders_is_the_tasks_and_names_the_step_that_made_it():
    run = reminders(reminded())

    assert (run.definition, run.version, run.key.object, run.status) == ("welcome/call", 1, "task", "running")
    assert [step.due_at for step in run.steps] == [START + timedelta(hours=23), START + timedelta(hours=26)]


def test_reminders_are_found_at_the_version_that_made_the_task():
    stage = reminded()
    stage.activate(workflow(remind=[]))

    kept = stage.offline.catalog.scenario("welcome/call", 1)

    assert [step.name for step in kept.steps] == ["remind-1", "remind-2"]
    with pytest.raises(NotFound, match="asks for no reminders"):
        stage.offline.catalog.scenario("welcome/call", 2)
    stage.advance(days=3)
    assert len(sent(stage)) == 4


def test_a_step_that_asks_for_no_reminders_starts_none():
    stage = reminded(workflow(remind=[]))

    assert stage.offline.runs.of_record(task(stage).key).items == ()


def test_reminders_move_with_the_due_time():
    stage = reminded()
    stage.advance(hours=2)

    change(stage, due_at="2026-03-02T21:00:00Z")
    stage.advance(days=3)

    assert [hour for hour, channel, _ in sent(stage) if channel == "inbox"] == ["11", "14"]


def test_a_reminder_that_was_sent_is_not_sent_again_when_the_due_time_moves_on():
    stage = reminded()
    stage.advance(hours=23)

    change(stage, due_at="2026-03-05T09:00:00Z")
    stage.advance(days=5)

    assert [hour for hour, channel, _ in sent(stage) if channel == "inbox"] == ["23", "74"]


LATER = "2026-03-10T09:00:00Z"  # 192 hours after the task was made


@pytest.mark.parametrize(
    ("hours", "changes", "expected", "why"),
    [
        (30, [{"due_at": LATER}], ["191", "194"], "put off when all reminders were out"),
        (30, [{"due_at": "2026-03-03T16:00:00Z"}], ["30", "33"], "put off by hours: one is past due, and goes at once"),
        (30, [{"due_at": "2026-03-03T11:00:00Z"}], [], "to a time that is past as well"),
        (30, [{"due_at": None}, {"due_at": LATER}], ["191", "194"], "to a time that was found later"),
        (30, [{"assignee": "u2"}, {"title": "Ring"}], [], "nothing to be reminded of anew"),
        (30, [{"state": "done"}, {"due_at": LATER}], [], "done"),
        (30, [{"state": "done", "due_at": LATER}, {"state": "open"}], ["191", "194"], "opened again, in time"),
        (2, [{"state": "done"}, {"state": "open"}], ["23", "26"], "opened again before any was due"),
        (30, [{"state": "done"}, {"state": "open"}], [], "opened again, but late already"),
        (30, [{"due_at": LATER}, {"due_at": "2026-03-11T09:00:00Z"}], ["215", "218"], "put off twice"),
        (30, [{"due_at": LATER}, {"state": "done"}], [], "put off, and done in time"),
    ],
)
def test_a_task_that_is_put_off_or_opened_again_is_reminded_of_anew(hours, changes, expected, why):
    stage = reminded()
    stage.advance(hours=hours)
    before = len(stage.deliveries)

    for fields in changes:
        change(stage, **fields)
        stage.advance(minutes=0)
    stage.advance(days=10)

    anew = [hour for hour, channel, _ in sent(stage)[before:] if channel == "inbox"]
    assert anew == expected, why
    assert len(stage.offline.scheduler) == 0, "nothing sleeps for it"


def test_a_task_that_is_put_off_is_reminded_of_as_the_step_that_made_it_said():
    stage = reminded()
    stage.advance(hours=30)
    stage.activate(workflow(remind=[]))

    change(stage, due_at=LATER)

    run = stage.offline.runs.of_record(task(stage).key).items[0]
    assert (run.definition, run.version, run.open) == ("welcome/call", 1, True)


def test_a_task_whose_reminders_cannot_be_read_any_more_is_put_off_all_the_same(monkeypatch):
    stage = reminded()
    stage.advance(hours=30)
    monkeypatch.setattr(stage.offline.catalog, "scenario", _unknown)

    change(stage, due_at=LATER)

    assert task(stage).current["due_at"] == "2026-03-10T09:00:00.000000Z"


def _unknown(name: str, version: int) -> Any:
    raise NotFound(f"no scenario or workflow {name} has a version {version}")


def test_reminders_of_a_task_without_a_due_time_wait_for_one():
    stage = reminded(workflow(due={"date": "due_on"}, remind=[{"after_due": "1 hour"}]))
    stage.advance(days=2)

    change(stage, due_at="2026-03-05T09:00:00Z")
    stage.advance(days=3)

    assert sent(stage) == [("73", "inbox", "u1")]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": "done"}, "it is done"),
        ({"state": "cancelled"}, "it is not to be done any more"),
        ({"type_": "deleted"}, "there is no such task any more"),
    ],
)
def test_reminders_end_with_the_task(fields, why):
    stage = reminded()
    stage.advance(hours=24)

    change(stage, **fields)
    stage.advance(days=3)

    assert [hour for hour, *_ in sent(stage)] == ["23", "23", "23"], why
    (run,) = stage.offline.runs.of_definition("welcome/call").items
    assert (run.open, [step.status == "acted" for step in run.steps]) == (False, [True, False])
    assert len(stage.offline.scheduler) == 0, "nothing sleeps for it"


def test_reminders_go_to_whoever_has_the_task_by_then():
    stage = reminded()
    stage.advance(hours=1)

    change(stage, assignee="u2")
    stage.advance(days=3)

    assert {who for *_, who in sent(stage)} == {"u2", "bob@example.com", "+4930901821"}


def test_a_task_of_a_quiet_import_is_made_and_nobody_is_reminded():
    stage = Stage(workflow())
    stage.user("u1", name="Ada", email="ada@example.com", phone="+49 30 901820")

    stage.post("deal-7", type_="created", name="Pumps", owner="u1", mode_="quiet")
    stage.advance(days=3)

    assert task(stage).fields["state"] == "open"
    assert {delivery.reason for delivery in stage.deliveries} == {"quiet_import"}


def test_a_task_that_is_due_in_the_zone_of_its_assignee_is_reminded_of_in_it():
    stage = Stage(workflow(due={"date": "due_on", "time": "09:00"}, remind=[{"before_due": "1 day"}]))
    stage.user("u1", name="Ada", timezone="America/New_York")

    stage.post("deal-7", type_="created", owner="u1", due_on="2026-03-09")
    stage.advance(days=8)

    (delivery,) = stage.deliveries  # the clocks went forward on 8 March: 23 hours lie between
    assert delivery.planned_at == datetime(2026, 3, 8, 13, 0, tzinfo=UTC)
