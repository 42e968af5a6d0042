"""Actions that make tasks, calendar events and sales records: what is made, for whom, for when, and what is said why
nothing is."""

from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.executions import Task
from stagebell.domain.follow_ups import about, follow_up_key
from stagebell.domain.records import Record
from stagebell.domain.runs import Run, StepState
from tests.stage import ACCOUNT, Stage

TASK = {
    "name": "call",
    "type": "create_task",
    "title": "Call {{ deal.account.name }}",
    "assignee": [{"field": "owner"}],
    "due": "2 days",
}
EVENT = {"name": "meet", "type": "create_event", "title": "Meet {{ deal.name }}", "starts": "1 day"}
NOTE = {"name": "note", "type": "create_sales_record", "entry": "note", "text": "{{ deal.name }} is new"}


def workflow(*actions: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "workflow", "name": "welcome", "object": "deal", "trigger": {"on": "created"}} | {
        "actions": list(actions),
        **more,
    }


def made(*actions: Any, zone: str = "UTC", calendar: Any = None, workflow_: Any = None, **fields: Any) -> Stage:
    """A deal of Ada's, created on Monday 2026-03-02 at 09:00 UTC, and everything that followed at once."""
    written = workflow(*actions, **(workflow_ or {}))
    stage = Stage(*([calendar] if calendar else []), written, zone=zone)
    stage.user("u1", name="Ada", email="ada@example.com", roles=["sales"])
    stage.user("u2", name="Bob", active=False, roles=["retired"])
    stage.user("u3", name="Cyd", email="cyd@example.com", roles=["sales"])
    stage.post("a1", object="account", name="Acme")
    stage.post("deal-7", **{"type_": "created", "name": "Pumps", "owner": "u1", "account": "a1", **fields})
    stage.advance(minutes=0)
    return stage


def step(stage: Stage, name: str = "call") -> StepState:
    return run_of(stage).state(name)


def run_of(stage: Stage) -> Run:
    (run,) = stage.runs()
    return run


def follow_up(stage: Stage) -> Record:
    (record,) = stage.offline.records.follow_ups(RecordKey("deal", "deal-7")).items
    return record


# --- tasks -------------------------------------------------------------------------------------------------------


def test_a_task_is_made_with_its_text_its_assignee_and_its_due_time():
    stage = made({**TASK, "description": "They are at {{ deal.amount | currency }}"}, amount="1500")

    task = follow_up(stage)
    assert dict(task.fields) == {
        "title": "Call Acme",
        "description": "They are at €1,500.00",
        "assignee": "u1",
        "due_at": "2026-03-04T09:00:00.000000Z",
        "state": "open",
        "record_object": "deal",
        "record_id": "deal-7",
    }
    assert task.key == follow_up_key("task", run_of(stage).id, "call")
    assert (task.created_by, step(stage).record) == (run_of(stage).id, task.key)


def test_what_made_a_task_is_known_in_its_history_and_so_loops_end():
    stage = made(TASK)

    (entry,) = stage.offline.records.history(follow_up(stage).key).items
    assert (entry.event, entry.change.source, entry.change.causes) == ("created", "stagebell", (run_of(stage).id,))


def test_a_workflow_on_tasks_is_started_by_a_task_that_was_made():
    tidy = {"kind": "workflow", "name": "tidy", "object": "task", "trigger": {"on": "created"}}
    also = tidy | {"actions": [{**NOTE, "text": "{{ task.title }} was planned"}]}
    stage = Stage(workflow(TASK), also)
    stage.user("u1", name="Ada")

    stage.post("deal-7", type_="created", name="Pumps", owner="u1")
    stage.advance(minutes=0)

    task = follow_up(stage)
    (about_task,) = stage.offline.records.follow_ups(task.key).items
    assert about_task.fields["text"] == "Call was planned"


@pytest.mark.parametrize(
    ("assignee", "taker", "why"),
    [
        ([{"user": "u3"}, {"field": "owner"}], "u3", "the first one written gets it"),
        ([{"user": "u2"}, {"field": "owner"}], "u1", "who is not active is stood in for"),
        ([{"address": "x@example.com"}, {"user": "u3"}], "u3", "an address alone is nobody who could do it"),
        ([{"role": "sales"}], "u1", "of a group the first, by id"),
    ],
)
def test_the_first_active_user_among_the_assignees_gets_the_task(assignee, taker, why):
    assert follow_up(made({**TASK, "assignee": assignee})).fields["assignee"] == taker, why


def test_the_step_says_whom_the_assignee_stands_in_for_and_why():
    stage = made({**TASK, "assignee": [{"user": "u2"}, {"field": "owner"}]})

    told = {"recipient": "user u2", "user": "u2", "reason": "inactive_user"}
    assert (step(stage).status, step(stage).why) == ("acted", {"missing": [told]})


@pytest.mark.parametrize(
    ("assignee", "reason"),
    [
        ([{"user": "u2"}], "inactive_user"),
        ([{"user": "u9"}], "no_such_user"),
        ([{"role": "nobody"}], "empty_group"),
        ([{"address": "x@example.com"}], "no_user"),
        ([{"manager_of": "owner"}], "not_set"),
    ],
)
def test_where_nobody_could_do_it_no_task_is_made_and_the_step_says_why(assignee, reason):
    stage = made({**TASK, "assignee": assignee})

    assert (step(stage).status, step(stage).reason) == ("skipped", reason)
    assert [told["reason"] for told in step(stage).why["missing"]] == [reason]
    assert stage.offline.records.follow_ups(RecordKey("deal", "deal-7")).items == ()


def test_a_task_is_worded_for_its_assignee():
    stage = Stage(workflow({**TASK, "title": "{{ recipient.name }}: {{ deal.met_at | datetime }}"}))
    stage.user("u1", name="Ada", locale="de", timezone="Europe/Berlin")

    stage.post("deal-7", type_="created", owner="u1", met_at="2026-03-02T10:00:00Z")
    stage.advance(minutes=0)

    assert follow_up(stage).fields["title"] == "Ada: 02.03.2026, 11:00:00"


@pytest.mark.parametrize(
    ("due", "at", "why"),
    [
        ("90 minutes", "2026-03-02T10:30", "elapsed time"),
        ("3 business days", "2026-03-05T09:00", "Monday to Friday where no calendar is named"),
        ({"date": "due_on"}, "2026-03-09T23:00", "a date is midnight in the zone: 10 March, 00:00 in Berlin"),
        ({"date": "due_on", "offset": "-1 day", "time": "09:00"}, "2026-03-09T08:00", "the day before, at nine"),
        ({"date": "met_at", "offset": "2 hours"}, "2026-03-06T14:00", "an instant, and two hours"),
    ],
)
def test_a_task_is_due_so_long_after_now_or_on_a_date_of_the_record(due, at, why):
    zoned = {"timezone": "Europe/Berlin"}

    stage = made({**TASK, "due": due}, workflow_=zoned, due_on="2026-03-10", met_at="2026-03-06T12:00:00Z")

    assert follow_up(stage).fields["due_at"] == f"{at}:00.000000Z", why


def test_business_days_of_a_due_time_are_those_of_the_calendar_that_is_named():
    hours = {"mon": ["09:00-17:00"], "thu": ["09:00-17:00"]}
    calendar = {"kind": "calendar", "name": "short", "timezone": "UTC", "working_hours": hours}

    stage = made({**TASK, "due": "1 business day"}, calendar=calendar, workflow_={"calendar": "short"})

    assert follow_up(stage).fields["due_at"] == "2026-03-05T09:00:00.000000Z"


def test_without_a_zone_of_its_own_a_date_is_reckoned_in_that_of_the_owner():
    stage = Stage(workflow({**TASK, "due": {"date": "due_on", "time": "09:00"}}), zone="UTC")
    stage.user("u1", name="Ada", timezone="America/New_York")

    stage.post("deal-7", type_="created", owner="u1", due_on="2026-03-03")
    stage.advance(minutes=0)

    assert follow_up(stage).fields["due_at"] == "2026-03-03T14:00:00.000000Z"


def test_a_task_may_be_due_on_a_date_of_a_related_record():
    stage = Stage(
        workflow({**TASK, "due": {"date": "account.renewal_on", "offset": "-1 week"}}),
        ACCOUNT | {"fields": {**ACCOUNT["fields"], "renewal_on": {"type": "date"}}},
    )
    stage.user("u1", name="Ada")
    stage.post("a1", object="account", name="Acme", renewal_on="2026-06-30")

    stage.post("deal-7", type_="created", owner="u1", account="a1")
    stage.advance(minutes=0)

    assert follow_up(stage).fields["due_at"] == "2026-06-23T00:00:00.000000Z"


def test_a_locked_record_may_have_follow_ups_as_its_own_data_stays():
    later = {**TASK, "at": {"after": "1 hour"}}
    stage = Stage(workflow(later))
    stage.user("u1", name="Ada")
    stage.post("deal-7", type_="created", owner="u1")

    stage.post("deal-7", type_="locked", why_="Audit")
    stage.advance(hours=1)

    assert (step(stage).status, follow_up(stage).fields["assignee"]) == ("acted", "u1")


def test_a_due_date_that_is_empty_leaves_the_task_without_one():
    stage = made({**TASK, "due": {"date": "due_on"}})

    assert "due_at" not in follow_up(stage).fields


@pytest.mark.parametrize(
    ("change", "reason", "why"),
    [
        ({"title": "{{ deal.tags | join }}"}, "render_failed", "a title that comes out empty"),
        ({"due": {"date": "due_on", "offset": "3 days"}}, "invalid_value", "9999-12-31 and three days is no date"),
    ],
)
def test_a_task_that_cannot_be_worded_or_timed_is_a_failed_step(change, reason, why):
    stage = made({**TASK, **change}, due_on="9999-12-31")

    assert (step(stage).status, step(stage).reason) == ("failed", reason), why


def test_a_step_that_acts_again_makes_no_second_task():
    stage = made(TASK)

    for _ in range(2):
        stage.offline.actor.act(Task(run_of(stage).id, "call", 1, stage.now), stage.offline.actions["create_task"])

    assert follow_up(stage).version == 1


# --- calendar events ---------------------------------------------------------------------------------------------


def test_an_event_is_made_with_its_times_its_organizer_and_its_attendees():
    guests = [{"role": "sales"}, {"address": "guest@example.org"}]
    stage = made({**EVENT, "location": "Prague", "lasts": "90 minutes", "attendees": guests, "invite": False})

    assert dict(follow_up(stage).fields) == {
        "title": "Meet Pumps",
        "location": "Prague",
        "starts_at": "2026-03-03T09:00:00.000000Z",
        "ends_at": "2026-03-03T10:30:00.000000Z",
        "organizer": "u1",
        "attendees": ["guest@example.org", "u1", "u3"],
        "invite": False,
        "state": "confirmed",
        "record_object": "deal",
        "record_id": "deal-7",
    }


def test_an_event_lasts_an_hour_and_is_organized_by_the_owner_where_nothing_else_is_written():
    fields = follow_up(made(EVENT)).fields

    assert (fields["ends_at"], fields["organizer"], fields["invite"]) == ("2026-03-03T10:00:00.000000Z", "u1", True)


def test_an_event_without_a_start_is_not_made():
    stage = made({**EVENT, "starts": {"date": "met_at"}})

    assert (step(stage, "meet").status, step(stage, "meet").reason) == ("skipped", "no_start")


def test_an_event_is_made_without_those_who_lead_to_nobody_and_the_step_says_who():
    stage = made({**EVENT, "attendees": [{"user": "u2"}, {"user": "u3"}], "organizer": {"user": "u9"}})

    assert (follow_up(stage).fields["attendees"], follow_up(stage).fields.get("organizer")) == (["u3"], None)
    assert step(stage, "meet").why == {
        "missing": [
            {"recipient": "user u9", "user": "u9", "reason": "no_such_user"},
            {"recipient": "user u2", "user": "u2", "reason": "inactive_user"},
        ]
    }


# --- sales records -----------------------------------------------------------------------------------------------


def test_a_sales_record_is_an_entry_of_the_owner_at_that_time():
    assert dict(follow_up(made(NOTE)).fields) == {
        "kind": "note",
        "text": "Pumps is new",
        "occurred_at": "2026-03-02T09:00:00.000000Z",
        "author": "u1",
        "record_object": "deal",
        "record_id": "deal-7",
    }


def test_a_sales_record_may_name_its_author_or_have_none():
    assert follow_up(made({**NOTE, "author": {"user": "u3"}})).fields["author"] == "u3"
    assert "author" not in follow_up(made(NOTE, owner=None)).fields


def test_follow_ups_are_listed_under_their_record_and_open_ones_under_their_owner():
    stage = made(TASK, {**TASK, "name": "sooner", "due": "1 hour"}, NOTE, {**EVENT, "invite": False})
    records = stage.offline.records

    kinds = {record.key.object for record in records.follow_ups(RecordKey("deal", "deal-7")).items}
    by_due = [task.fields["due_at"] for task in records.owned("task", "u1").items]

    assert kinds == {"task", "calendar_event", "sales_record"}
    assert by_due == ["2026-03-02T10:00:00.000000Z", "2026-03-04T09:00:00.000000Z"]


@pytest.mark.parametrize(
    ("about_", "why"),
    [
        ({"record_object": "deal", "record_id": "x" * 257}, "no record has so long an id"),
        ({"record_object": "o" * 64, "record_id": "x"}, "no object has so long a name"),
    ],
)
def test_a_follow_up_about_what_cannot_be_a_record_is_about_nothing(about_, why):
    assert about(RecordKey("task", "t1"), about_) is None, why
