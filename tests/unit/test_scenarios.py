"""Scenarios from entry to end, on a virtual clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stagebell.domain.executions import LONGEST_EXECUTION, LONGEST_WAIT, Task
from tests.stage import DEAL, LADDER, QUOTATION, START, UNASSIGNED, WON, Stage, mail, scenario

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def utc(day: int, hour: int = 0, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def sent_at(stage: Stage) -> list[tuple[str, datetime]]:
    return [(d.step, d.planned_at) for d in stage.deliveries if d.state == "sent"]


def after_start(stage: Stage) -> list[tuple[str, timedelta]]:
    return [(step, at - START) for step, at in sent_at(stage)]


# --- the example: five minutes, two hours, six hours, unless changed ------------------------------------------------


def test_the_example_nobody_acts_and_all_three_go_out():
    stage = Stage(LADDER)
    run = stage.enter("deal-7", UNASSIGNED)

    stage.advance(hours=7)

    assert after_start(stage) == [("first-mail", 5 * MINUTE), ("second-mail", 2 * HOUR), ("last-mail", 6 * HOUR)]
    assert stage.run(run).status == "completed"


def test_the_example_the_stage_is_left_before_five_minutes_and_nothing_goes_out():
    stage = Stage(LADDER)
    run = stage.enter("deal-7", UNASSIGNED)
    stage.advance(minutes=4)

    stage.move("deal-7", to=QUOTATION)
    stage.advance(hours=7)

    assert after_start(stage) == []
    assert (stage.run(run).status, stage.run(run).reason) == ("cancelled", "stage_changed")
    assert {(s.status, s.reason) for s in stage.run(run).steps} == {("skipped", "stage_changed")}
    assert len(stage.offline.scheduler) == 0, "cancelled at once, not when its time comes"


def test_the_example_the_stage_is_left_between_the_steps_and_the_later_ones_are_skipped():
    stage = Stage(LADDER)
    run = stage.enter("deal-7", UNASSIGNED)
    stage.advance(hours=1)

    stage.move("deal-7", to=QUOTATION)
    stage.advance(hours=7)

    assert after_start(stage) == [("first-mail", 5 * MINUTE)]
    assert [s.status for s in stage.run(run).steps] == ["acted", "skipped", "skipped"]


def test_the_example_left_and_come_back_counts_as_changed_and_the_new_entry_has_its_own_run():
    stage = Stage(LADDER)
    first = stage.enter("deal-7", UNASSIGNED)
    stage.advance(hours=1)
    stage.move("deal-7", to=QUOTATION)
    stage.advance(minutes=10)
    second = stage.enter("deal-7", UNASSIGNED)

    stage.advance(hours=7)

    back = 70 * MINUTE
    assert after_start(stage) == [
        ("first-mail", 5 * MINUTE),
        ("first-mail", back + 5 * MINUTE),
        ("second-mail", back + 2 * HOUR),
        ("last-mail", back + 6 * HOUR),
    ]
    assert (stage.run(first).status, stage.run(second).status) == ("cancelled", "completed")


def test_changes_of_other_fields_leave_the_ladder_alone():
    stage = Stage(LADDER)
    stage.enter("deal-7", UNASSIGNED)

    for minute in range(1, 8):
        stage.advance(minutes=1)
        stage.post(amount=minute, stage=UNASSIGNED)
    stage.advance(hours=7)

    assert [step for step, _ in after_start(stage)] == ["first-mail", "second-mail", "last-mail"]


# --- times --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "due", "reason"),
    [
        ({"after": "0 minutes"}, START, "at once"),
        ({"after": "5 minutes"}, START + 5 * MINUTE, "from the entry where nothing is said"),
        ({"after": "5 minutes", "from": "stage_entered"}, START + 5 * MINUTE, "and where it is"),
        ({"after": "1 day"}, START + DAY, "a day"),
        ({"after": "1 month"}, utc(2, 8, month=4), "a month on the wall clock, in summer time by then"),
        ({"after": "P1DT2H"}, START + DAY + 2 * HOUR, "ISO 8601"),
        ({"after": "1 business day"}, utc(3, 9), "Tuesday"),
        ({"after": "5 business days"}, utc(9, 9), "the next Monday"),
        ({"after": "8 business hours"}, utc(3, 11), "Monday is open from 10 to 16 local time, two hours are left"),
        ({"date": "due_on"}, utc(19, 23), "midnight in Berlin"),
        ({"date": "due_on", "time": "09:00"}, utc(20, 8), "at nine in Berlin"),
        ({"date": "due_on", "offset": "-3 days", "time": "09:00"}, utc(17, 8), "three days before"),
        ({"date": "due_on", "offset": "10 days", "time": "09:00"}, utc(30, 7), "after the clocks went forward"),
        ({"date": "due_on", "offset": "-2 business days", "time": "09:00"}, utc(18, 8), "Wednesday before that Friday"),
        ({"date": "due_on", "offset": "1 business day"}, utc(22, 23), "Monday after that Friday"),
        ({"date": "met_at"}, utc(10, 12), "the very instant"),
        ({"date": "met_at", "offset": "-90 minutes"}, utc(10, 10, 30), "before it"),
        ({"date": "met_at", "offset": "1 day", "time": "08:00"}, utc(11, 7), "the day after, at eight"),
    ],
)
def test_a_step_is_due(at, due, reason):
    hours = {day: ["10:00-16:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    calendar = {"kind": "calendar", "name": "office", "timezone": "Europe/Berlin", "working_hours": hours}
    stage = Stage(calendar, scenario(steps=[mail("m", at)], timezone="Europe/Berlin", calendar="office"))

    stage.post(stage=UNASSIGNED, due_on="2026-03-20", met_at="2026-03-10T12:00:00Z")
    planned = stage.runs()[0].steps[0].due_at
    stage.offline.run_until(due + HOUR)

    assert planned == due, reason
    assert sent_at(stage) == [("m", due)]


def test_business_days_keep_holidays_closed_dates_and_make_up_days():
    calendar = {
        "kind": "calendar",
        "name": "berlin",
        "timezone": "Europe/Berlin",
        "holidays": {"country": "DE", "subdivision": "BE"},
        "dates": ["2026-04-02"],
        "working_dates": ["2026-04-04"],
    }
    stage = Stage(calendar, scenario(steps=[mail("m", {"after": "2 business days"})], calendar="berlin"))
    stage.advance(days=30)

    stage.post(at=utc(1, 9, month=4), stage=UNASSIGNED)

    # Thursday closed, Good Friday, Saturday made up for, Easter Sunday and Monday: the 4th, then the 7th
    assert stage.runs()[0].steps[0].due_at == utc(7, 9, month=4)


def test_a_step_after_the_previous_one_waits_for_it_and_counts_from_its_end():
    steps = [
        mail("first", {"after": "1 hour"}, only_if={"field": "amount", "op": "gt", "value": 5}),
        mail("second", {"after": "30 minutes", "from": "previous_step"}),
        mail("third", {"after": "30 minutes", "from": "previous_step"}),
    ]
    stage = Stage(scenario(steps=steps))
    run = stage.enter("deal-7", UNASSIGNED)
    before = [s.due_at for s in stage.run(run).steps]

    stage.advance(hours=5)

    assert before == [START + HOUR, None, None]
    assert after_start(stage) == [("second", 90 * MINUTE), ("third", 120 * MINUTE)], "a skipped step has ended too"
    assert stage.run(run).status == "completed"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"text": "{{ 1 / deal.count }}"}, "a template that fails"),
        ({"template": "gone", "text": None, "subject": None}, "a template that is not active"),
    ],
)
def test_a_step_after_a_failed_one_still_has_its_time(broken, reason):
    steps = [mail("broken", {"after": "1 minute"}) | broken, mail("next", {"after": "1 hour", "from": "previous_step"})]
    stage = Stage(scenario(steps=steps))
    stage.post(stage=UNASSIGNED, count=0)

    stage.advance(hours=2)

    assert after_start(stage) == [("next", 61 * MINUTE)], reason
    assert (stage.runs()[0].status, stage.runs()[0].reason) == ("failed", "step_failed")


def test_a_step_after_leaving_waits_until_the_stage_is_left():
    stage = Stage(scenario(steps=[mail("left", {"after": "2 hours", "from": "stage_left"})]))
    run = stage.enter("deal-7", UNASSIGNED)
    stage.advance(days=3)
    asleep = len(stage.offline.scheduler)

    stage.move("deal-7", to=WON)
    stage.advance(hours=3)

    assert asleep == 0
    assert after_start(stage) == [("left", 3 * DAY + 2 * HOUR)]
    assert stage.run(run).status == "completed"


def test_several_stages_count_as_one_entering_is_from_outside_and_leaving_is_to_outside():
    both = scenario(
        stage={"field": "stage", "is": [UNASSIGNED, QUOTATION]},
        steps=[mail("left", {"after": "1 hour", "from": "stage_left"})],
    )
    stage = Stage(both)
    stage.post(stage=UNASSIGNED)
    stage.post(stage=QUOTATION)
    inside = [(run.left_at, run.status) for run in stage.runs()]
    stage.advance(minutes=5)

    stage.post(stage=WON)
    stage.advance(hours=2)

    assert inside == [(None, "running")]
    assert after_start(stage) == [("left", 65 * MINUTE)]


def test_unless_changed_means_the_field_also_within_a_list_of_stages():
    steps = [mail("strict", {"after": "1 hour"}, unless_changed=True), mail("plain", {"after": "2 hours"})]
    stage = Stage(scenario(stage={"field": "stage", "is": [UNASSIGNED, QUOTATION]}, steps=steps))
    stage.post(stage=UNASSIGNED)

    stage.post(stage=QUOTATION)
    stage.advance(hours=3)

    assert [step for step, _ in after_start(stage)] == ["plain"]
    assert [(s.status, s.reason) for s in stage.runs()[0].steps] == [("skipped", "stage_changed"), ("acted", "")]


@pytest.mark.parametrize(
    ("field", "into", "outside"),
    [("urgent", True, False), ("count", 3, 4), ("owner", "u1", "u2"), ("name", "open", "closed")],
)
def test_a_stage_may_be_any_field_of_one_value(field, into, outside):
    steps = [mail("m", {"after": "1 hour"}, unless_changed=True)]
    stage = Stage(scenario(stage={"field": field, "is": into}, steps=steps))

    stage.post("stays", **{field: into})
    stage.post("leaves", **{field: into})
    stage.post("leaves", **{field: outside})
    stage.post("never", **{field: outside})
    stage.advance(hours=2)

    assert [d.record.id for d in stage.deliveries] == ["stays"]


def test_a_record_created_in_the_stage_has_entered_and_one_that_stays_in_it_has_not():
    stage = Stage(LADDER)
    stage.post(type_="created", stage=UNASSIGNED)

    stage.post(stage=UNASSIGNED, amount=5)
    stage.post(amount=6)

    assert len(stage.runs()) == 1


# --- dates that move ------------------------------------------------------------------------------------------------

ON_DATE = scenario(steps=[mail("due", {"date": "due_on", "time": "09:00"})])


@pytest.mark.parametrize(
    ("first", "then", "executions", "acted", "reason"),
    [
        ("2026-03-20", "2026-03-10", [1, 2], [utc(10, 9)], "earlier"),
        ("2026-03-20", "2026-03-25", [1, 2], [utc(25, 9)], "later"),
        ("2026-03-20", None, [1, 1], [], "emptied: nothing says when"),
        (None, "2026-03-20", [1, 2], [utc(20, 9)], "set while the run waits"),
        ("2026-03-20", "2026-03-20", [1, 1], [utc(20, 9)], "the same date is no change"),
        ("2026-03-20", "2026-03-01", [1, 2], [utc(2, 10)], "into the past: it is due at once"),
    ],
)
def test_a_step_follows_its_date(first, then, executions, acted, reason):
    stage = Stage(ON_DATE)
    run = stage.post(stage=UNASSIGNED, due_on=first) and stage.runs()[0].id
    before = stage.run(run).execution
    stage.advance(hours=1)

    stage.post(due_on=then)
    asleep = len(stage.offline.scheduler)
    stage.offline.run_until(utc(30))

    assert [before, stage.run(run).execution] == executions, reason
    assert [at for _, at in sent_at(stage)] == acted, reason
    assert asleep == (1 if then else 0), "one execution, the old one stopped"
    assert stage.run(run).open is (then is None), "an open run without a date waits for one"


def test_a_date_that_comes_back_wakes_the_run_in_a_new_execution():
    stage = Stage(ON_DATE)
    stage.post(stage=UNASSIGNED, due_on="2026-03-20")
    stage.post(due_on=None)

    stage.post(due_on="2026-03-21")
    stage.offline.run_until(utc(30))

    assert sent_at(stage) == [("due", utc(21, 9))]
    assert stage.runs()[0].execution == 2


def test_a_date_of_a_related_record_is_looked_up_when_the_step_wakes():
    deal_of = scenario(steps=[mail("m", {"date": "owner.since"})])
    user = {"kind": "object", "name": "user", "fields": {"since": {"type": "date"}}}
    stage = Stage(user, deal_of)
    stage.user("u1", since="2026-03-10")
    stage.post(stage=UNASSIGNED, owner="u1")

    stage.user("u1", since="2026-03-12")
    stage.offline.run_until(utc(30))

    assert sent_at(stage) == [("m", utc(12))]


@pytest.mark.parametrize(
    ("day", "at", "reason"),
    [
        ("9999-12-31", {"offset": "3 days"}, "what CRMs write for `never`, plus something"),
        ("9999-12-31", {"time": "23:00"}, "in New York the next day has begun in UTC"),
        ("0001-01-01", {"offset": "-3 days"}, "before the first day there is"),
        ("0001-01-01", {"offset": "-3 business days"}, "or its business day"),
    ],
)
def test_a_date_beyond_the_calendar_is_no_time_and_the_change_is_applied_all_the_same(day, at, reason):
    stage = Stage(scenario(steps=[mail("m", {"date": "due_on", **at})], timezone="America/New_York"))

    stage.post(stage=UNASSIGNED, due_on=day)

    assert stage.record().current["due_on"] == day, reason
    assert stage.runs()[0].steps[0].due_at is None


def test_business_days_of_a_calendar_that_is_closed_for_years_are_no_time_either():
    closed = [str((START + number * DAY).date()) for number in range(1, 800)]
    calendar = {"kind": "calendar", "name": "closed", "timezone": "UTC", "dates": closed}
    stage = Stage(calendar, scenario(steps=[mail("m", {"after": "3 business days"})], calendar="closed"))

    stage.post(stage=UNASSIGNED)

    assert stage.record().current == {"stage": UNASSIGNED}
    assert stage.runs()[0].steps[0].due_at is None


# --- conditions -----------------------------------------------------------------------------------------------------


def test_the_entry_condition_is_asked_once_and_a_record_that_fits_later_has_not_entered():
    stage = Stage(scenario(only_if={"field": "amount", "op": "gte", "value": 1000}))

    stage.post(stage=UNASSIGNED, amount="999.99")
    stage.post(amount=1000)
    stage.post("other", stage=UNASSIGNED, amount=1000)

    assert stage.runs() == [] and len(stage.runs("other")) == 1


@pytest.mark.parametrize(
    ("cancel_if", "change", "reason"),
    [
        ({"field": "owner", "op": "not_empty"}, {"owner": "u1"}, "a value that appears"),
        ({"field": "amount", "op": "changed"}, {"amount": 6}, "any change of a field"),
        ({"field": "amount", "op": "falls_to", "value": 3}, {"amount": 2}, "a threshold"),
        ({"field": "stage", "op": "changed_from", "value": UNASSIGNED}, {"stage": WON}, "before and after"),
        ({"field": "account.tier", "op": "eq", "value": "gold"}, {"account": "a1"}, "a related record's value"),
    ],
)
def test_a_later_change_cancels_the_run_at_once(cancel_if, change, reason):
    stage = Stage(scenario(steps=[mail("m", {"after": "1 hour"})], cancel_if=cancel_if))
    stage.post("a1", object="account", tier="gold")
    stage.post(stage=UNASSIGNED, amount=5)
    stage.advance(minutes=1)

    stage.post(**change)
    run = stage.runs()[0]
    stage.advance(hours=2)

    assert (run.status, run.reason, run.ended_at) == ("cancelled", "cancel_condition", START + MINUTE), reason
    assert len(stage.offline.scheduler) == 0 and stage.deliveries == []


def test_a_step_is_taken_out_by_its_own_condition_and_the_others_go_on():
    steps = [
        mail("one", {"after": "1 hour"}, cancel_if={"field": "urgent", "op": "eq", "value": True}),
        mail("two", {"after": "2 hours"}),
    ]
    stage = Stage(scenario(steps=steps))
    stage.post(stage=UNASSIGNED)

    stage.post(urgent=True)
    stage.post(urgent=False)
    stage.advance(hours=3)

    assert [step for step, _ in after_start(stage)] == ["two"], "cancelled for good, though the condition holds no more"
    assert [(s.status, s.reason) for s in stage.runs()[0].steps] == [("cancelled", "cancel_condition"), ("acted", "")]


def test_when_conditions_have_taken_out_every_step_the_run_is_cancelled():
    only = mail("one", {"after": "1 hour"}, cancel_if={"field": "urgent", "op": "eq", "value": True})
    stage = Stage(scenario(steps=[only]))
    stage.post(stage=UNASSIGNED)

    stage.post(urgent=True)

    assert (stage.runs()[0].status, stage.runs()[0].reason) == ("cancelled", "cancel_condition")


# --- re-entry -------------------------------------------------------------------------------------------------------

ON_SAVED = {"trigger": {"on": "saved"}, "steps": [mail("m", {"after": "1 hour"})]}
ON_STAGE = {"steps": [mail("m", {"after": "1 hour"})]}
IN_AND_OUT_AND_IN = [{"stage": UNASSIGNED}, {"stage": QUOTATION}, {"stage": UNASSIGNED}]


@pytest.mark.parametrize(
    ("definition", "changes", "outcomes", "acted", "reason"),
    [
        (ON_STAGE, IN_AND_OUT_AND_IN, ["started", "started"], [80 * MINUTE], "a new entry supersedes the waiting run"),
        (ON_STAGE | {"reentry": "restart"}, IN_AND_OUT_AND_IN, ["started"] * 2, [80 * MINUTE], "and so for restart"),
        (ON_STAGE | {"reentry": "once"}, IN_AND_OUT_AND_IN, ["started", "once_only"], [HOUR], "once, ever"),
        (ON_SAVED, [{}, {}, {}], ["started", "already_running", "already_running"], [HOUR], "a live run goes on"),
        (ON_SAVED | {"reentry": "restart"}, [{}, {}, {}], ["started"] * 3, [80 * MINUTE], "the clock is set back"),
        (ON_SAVED | {"reentry": "once"}, [{}, {}, {}], ["started", "once_only", "once_only"], [HOUR], "once, ever"),
    ],
)
def test_what_a_new_match_does_to_a_waiting_run(definition, changes, outcomes, acted, reason):
    stage = Stage(scenario("s", **definition))
    told: list[Any] = []

    for fields in changes:
        told += stage.post(name="Acme", **fields).evaluations
        stage.advance(minutes=10)
    stage.advance(hours=3)

    assert [e["outcome"] for e in told] == outcomes, reason
    assert [at for _, at in after_start(stage)] == acted, reason


@pytest.mark.parametrize(
    ("reentry", "runs"), [("every_entry", 2), ("restart", 2), ("once", 1)], ids=["every_entry", "restart", "once"]
)
def test_after_a_run_has_ended_a_new_match_starts_the_next_unless_once(reentry, runs):
    stage = Stage(scenario("s", **ON_SAVED, reentry=reentry))
    stage.post(name="Acme")
    stage.advance(hours=2)

    stage.post(name="Acme Ltd")
    stage.advance(hours=2)

    assert len(stage.runs()) == len(stage.acted) == runs


def test_a_superseded_run_still_owes_what_was_due_before_the_new_entry_and_both_act_once():
    """Changes come late and all at once: entered with a step due at once, left, entered again before it could act."""
    stage = Stage(scenario(steps=[mail("now", {"after": "0 minutes"}), mail("later", {"after": "1 day"})]))
    stage.advance(hours=8)
    for minute, to in ((0, UNASSIGNED), (30, QUOTATION), (60, UNASSIGNED)):
        stage.post(at=START + minute * MINUTE, stage=to)
    second, first = sorted(stage.runs(), key=lambda run: run.triggered_at, reverse=True)
    owing = [(s.name, s.status, s.reason) for s in first.steps]

    stage.advance(days=2)

    assert owing == [("now", "waiting", ""), ("later", "cancelled", "new_entry")]
    assert [(d.run, d.step) for d in stage.deliveries] == [(first.id, "now"), (second.id, "now"), (second.id, "later")]
    assert [stage.run(run.id).open for run in (first, second)] == [False, False]


# --- past due -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past_due", "late", "status", "reason"),
    [
        ("skip", 4 * MINUTE, "acted", "a machine's own delay never counts as past due"),
        ("skip", 6 * MINUTE, "skipped", "six minutes are past due"),
        ("fail", 6 * MINUTE, "failed", "and shown as a failure where wanted"),
        ("run", 6 * DAY, "acted", "however late, by default"),
    ],
)
def test_how_late_a_step_may_wake(past_due, late, status, reason):
    stage = Stage(scenario(past_due=past_due))
    run = stage.enter("deal-7", UNASSIGNED)

    wake_late(stage, late)

    assert stage.run(run).steps[0].status == status, reason


def wake_late(stage: Stage, late: timedelta) -> dict[str, Any]:
    """Take the only sleeping execution and wake it after its time."""
    (wake,) = list(stage.offline.scheduler.due())
    stage.offline.clock.advance(wake.at + late)
    task = Task(wake.run, wake.step, wake.execution, START)
    return stage.offline.actor.act(task, stage.offline.actions["send_email"])


# --- quiet hours ----------------------------------------------------------------------------------------------------

NIGHT = {"from": "20:00", "to": "08:00"}


@pytest.mark.parametrize(
    ("after", "quiet", "zone", "due", "reason"),
    [
        ("1 hour", NIGHT, "", utc(2, 10), "in the daytime nothing changes"),
        ("11 hours", NIGHT, "", utc(3, 8), "20:00 is quiet already"),
        ("10 hours 59 minutes", NIGHT, "", utc(2, 19, 59), "a minute before is not"),
        ("23 hours", NIGHT, "", utc(3, 8), "08:00 is not quiet any more"),
        ("10 hours", NIGHT, "Europe/Berlin", utc(3, 7), "19:00 UTC is 20:00 in Berlin; 08:00 there is 07:00 UTC"),
        ("1 hour", NIGHT | {"timezone": "Asia/Tokyo"}, "Europe/Berlin", utc(2, 10), "the window's own zone: 19:00"),
        ("2 hours", NIGHT | {"timezone": "Asia/Tokyo"}, "Europe/Berlin", utc(2, 23), "20:00 in Tokyo"),
        ("5 days", {"from": "00:00", "to": "24:00", "days": ["sat", "sun"]}, "", utc(9), "Saturday waits for Monday"),
    ],
)
def test_a_step_due_in_quiet_hours_waits_for_their_end(after, quiet, zone, due, reason):
    stage = Stage(scenario(steps=[mail("m", {"after": after}, quiet_hours=quiet)], timezone=zone))
    stage.enter("deal-7", UNASSIGNED)

    stage.advance(days=8)

    assert sent_at(stage) == [("m", due)], reason


@pytest.mark.parametrize("past_due", ["run", "skip", "fail"])
def test_a_step_that_wakes_late_into_quiet_hours_waits_once_and_is_not_past_due_for_it(past_due):
    stage = Stage(scenario(steps=[mail("m", {"after": "10 hours 58 minutes"}, quiet_hours=NIGHT)], past_due=past_due))
    run = stage.enter("deal-7", UNASSIGNED)

    answer = wake_late(stage, 3 * MINUTE)  # at 20:01
    waiting = stage.run(run).steps[0]
    stage.offline.clock.advance(utc(3, 8))
    task = Task(run, "m", 1, START)
    stage.offline.actor.act(task, stage.offline.actions["send_email"])

    assert (answer["next"], answer["wait_until"]) == ("wait", "2026-03-03T08:00:00.000Z"), "no busy loop"
    assert (waiting.status, waiting.due_at, waiting.reason) == ("waiting", utc(3, 8), "quiet_hours")
    assert sent_at(stage) == [("m", utc(3, 8))]


def test_a_later_change_does_not_wake_what_quiet_hours_have_put_off():
    at = {"date": "met_at"}
    stage = Stage(scenario(steps=[mail("m", at, quiet_hours=NIGHT)]))
    stage.post(stage=UNASSIGNED, met_at="2026-03-02T19:58:00Z")
    wake_late(stage, 3 * MINUTE)

    stage.post(name="another name")
    put_off = stage.runs()[0]
    stage.post(met_at="2026-03-05T12:00:00Z")
    moved = stage.runs()[0]

    assert (put_off.execution, put_off.steps[0].due_at) == (1, utc(3, 8))
    assert (moved.execution, moved.steps[0].due_at, moved.steps[0].reason) == (2, utc(5, 12), "")


# --- long waits -----------------------------------------------------------------------------------------------------


def first_wait(stage: Stage) -> dict[str, Any]:
    """What the machine is told when a run's first execution starts: born at the start, capped."""
    (wake,) = list(stage.offline.scheduler.due())
    stage.offline.scheduler.sleep(wake)
    return {"run": wake.run, "step": wake.step, "execution": wake.execution, "born": START}


def act_at(stage: Stage, state: dict[str, Any], moment: datetime) -> dict[str, Any]:
    stage.offline.clock.advance(moment)
    born = state["born"] if isinstance(state["born"], datetime) else datetime.fromisoformat(state["born"])
    task = Task(state["run"], state["step"], state["execution"], born)
    return stage.offline.actor.act(task, stage.offline.actions["send_email"])


def test_a_step_beyond_the_longest_wait_wakes_and_waits_again_in_the_same_execution():
    stage = Stage(scenario(steps=[mail("m", {"after": "320 days"})]))
    stage.enter("deal-7", UNASSIGNED)
    state = first_wait(stage)

    again = act_at(stage, state, START + LONGEST_WAIT)
    done = act_at(stage, again, START + 320 * DAY)

    assert (again["next"], again["execution"]) == ("wait", 1)
    assert datetime.fromisoformat(again["wait_until"]) == START + 320 * DAY
    assert done == {"next": "done"}
    assert sent_at(stage) == [("m", START + 320 * DAY)]


def test_a_step_beyond_an_executions_life_goes_on_in_a_new_execution_as_often_as_it_takes():
    stage = Stage(scenario(steps=[mail("m", {"after": "1000 days"})]))
    run = stage.enter("deal-7", UNASSIGNED)
    state, at, executions = first_wait(stage), START, []

    while not sent_at(stage):
        at = min(at + LONGEST_WAIT, START + 1000 * DAY)
        state = act_at(stage, state, at)
        if state["next"] != "done":
            executions.append((state["next"], state["execution"]))
            assert datetime.fromisoformat(state["wait_until"]) - at <= LONGEST_WAIT

    assert executions == [("continue", 2), ("continue", 3), ("continue", 4)]
    assert sent_at(stage) == [("m", START + 1000 * DAY)]
    assert stage.run(run).status == "completed"


def test_a_new_execution_is_named_after_the_run_so_that_a_second_start_is_the_same_one():
    stage = Stage(scenario(steps=[mail("m", {"after": "3 years"})]))
    run = stage.enter("deal-7", UNASSIGNED)
    state = first_wait(stage)

    told = act_at(stage, state, START + LONGEST_WAIT)
    retold = act_at(stage, state, START + LONGEST_WAIT)

    assert told["execution_name"] == retold["execution_name"] == f"{run}-2"
    assert stage.run(run).execution == 2
    assert LONGEST_WAIT < LONGEST_EXECUTION < 365 * DAY


# --- definitions that change under a waiting run ----------------------------------------------------------------------


def test_a_run_whose_pinned_version_does_not_fit_the_objects_any_more_fails_alone_and_changes_are_still_applied():
    stage = Stage(scenario(cancel_if={"field": "urgent", "op": "eq", "value": True}))
    stage.enter("deal-7", UNASSIGNED)
    fewer = {name: spec for name, spec in DEAL["fields"].items() if name != "urgent"}
    stage.activate({"kind": "object", "name": "deal", "fields": fewer})

    stage.post(name="still heard")
    stage.advance(hours=1)

    assert stage.record().current["name"] == "still heard"
    assert (stage.runs()[0].status, stage.runs()[0].reason) == ("failed", "definition_broken")


def test_a_scenario_whose_calendar_is_gone_starts_nothing_and_is_listed_as_broken():
    stage = Stage(scenario(calendar="office"))

    stage.post(stage=UNASSIGNED)

    assert stage.runs() == []
    assert [problem.rule for problem in stage.offline.catalog.broken.values()] == ["known_calendar"]
