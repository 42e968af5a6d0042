"""What one change leads to: runs begun, ended and re-timed, and which executions start and stop for it."""

from datetime import timedelta

import pytest

from stagebell.domain.errors import RecordBusy
from stagebell.domain.limits import OPEN_RUNS_PER_RECORD, STARTS_PER_CHANGE
from stagebell.domain.orders import Halt, Wake
from tests.stage import LADDER, QUOTATION, START, UNASSIGNED, WON, Stage, mail, scenario

HOUR = timedelta(hours=1)
DATED = scenario("dated", steps=[mail("due", {"date": "due_on", "time": "09:00"})])


def test_an_entry_starts_one_execution_for_its_first_step():
    stage = Stage(LADDER)

    applied = stage.post(stage=UNASSIGNED)

    run = stage.runs()[0]
    assert applied.dispatch == (Wake(run.id, 1, "first-mail", "send_email", START + timedelta(minutes=5)),)
    assert [(e["definition"], e["outcome"], e["run"]) for e in applied.evaluations] == [
        ("unassigned", "started", run.id)
    ]


def test_leaving_stops_the_execution_and_starts_none():
    stage = Stage(LADDER)
    run = stage.enter("deal-7", UNASSIGNED)

    applied = stage.post(stage=QUOTATION)

    assert applied.dispatch == (Halt(run, 1, "stage_changed"),)


def test_a_date_that_moves_stops_one_execution_and_starts_the_next():
    stage = Stage(DATED)
    stage.post(stage=UNASSIGNED, due_on="2026-03-20")
    run = stage.runs()[0]

    applied = stage.post(due_on="2026-03-21")

    due = run.steps[0].due_at + timedelta(days=1)
    assert applied.dispatch == (Halt(run.id, 1, "retimed"), Wake(run.id, 2, "due", "send_email", due))


def test_a_new_entry_stops_the_old_run_and_starts_its_own():
    stage = Stage(scenario(steps=[mail("m", {"after": "1 hour"})]))
    first = stage.enter("deal-7", UNASSIGNED)
    stage.advance(minutes=1)
    stage.move("deal-7", to=QUOTATION)

    applied = stage.post(stage=UNASSIGNED)

    second = stage.runs()[0].id
    assert [type(order).__name__ for order in applied.dispatch] == ["Halt", "Wake"]
    assert applied.dispatch[0] == Halt(first, 1, "superseded") and applied.dispatch[1].run == second


def test_a_run_without_a_time_starts_no_execution():
    stage = Stage(DATED)

    applied = stage.post(stage=UNASSIGNED)

    assert applied.dispatch == () and stage.runs()[0].open


def test_a_change_that_touches_nothing_writes_nothing_but_the_mirror():
    stage = Stage(LADDER, DATED)
    stage.post(stage=UNASSIGNED, due_on="2026-03-20")
    before = stage.runs()

    applied = stage.post(name="Acme")

    assert applied.dispatch == () and stage.runs() == before


def test_definitions_are_considered_by_name_and_each_says_why():
    stage = Stage(scenario("b"), scenario("a", only_if={"field": "amount", "op": "gt", "value": 5}))

    applied = stage.post(stage=UNASSIGNED, amount=1)

    assert [(e["definition"], e["outcome"]) for e in applied.evaluations] == [("a", "not_matched"), ("b", "started")]


def test_at_most_a_hundred_runs_of_a_record_are_open_and_at_most_forty_begin_at_once():
    stage = Stage(*(plain(f"s{n:03}", stage_of(n)) for n in range(41 + 40 + 21)))

    outcomes = [
        [(e["outcome"], e.get("limit")) for e in stage.post(stage=entered).evaluations]
        for entered in (UNASSIGNED, QUOTATION, WON)
    ]

    assert STARTS_PER_CHANGE == 40 and OPEN_RUNS_PER_RECORD == 100
    assert outcomes[0] == [("started", None)] * 40 + [("too_many_runs", "starts_per_change")]
    assert outcomes[1] == [("started", None)] * 40
    assert outcomes[2] == [("started", None)] * 20 + [("too_many_runs", "open_runs_per_record")]


def plain(name: str, stage: dict[str, str]) -> dict[str, object]:
    return scenario(name, stage=stage, steps=[mail("m", {"after": "1 day"})])


def stage_of(number: int) -> dict[str, str]:
    """Three crowds, because one change cannot begin more runs than a transaction holds."""
    return {"field": "stage", "is": UNASSIGNED if number < 41 else QUOTATION if number < 81 else WON}


def test_a_record_that_is_deleted_ends_all_its_runs_but_those_that_began_with_a_deletion():
    farewell = scenario("bye", trigger={"on": "deleted"}, steps=[mail("m", {"after": "1 hour"})])
    stage = Stage(scenario("steps", steps=[mail("m", {"after": "1 day"})]), DATED, farewell)
    stage.post(stage=UNASSIGNED, name="Acme")

    stage.post(type_="deleted")
    after = {run.definition: (run.status, run.reason) for run in stage.runs()}
    stage.advance(hours=2)

    gone = ("cancelled", "record_deleted")
    assert after == {"bye": ("running", ""), "dated": gone, "steps": gone}
    assert stage.acted == ["m"]


def test_record_only_changes_still_end_what_waits():
    stage = Stage(LADDER)
    run = stage.enter("deal-7", UNASSIGNED)

    stage.post(stage=WON, mode_="record_only")
    stage.post(stage=UNASSIGNED, mode_="record_only")

    assert stage.run(run).status == "cancelled"
    assert len(stage.runs()) == 1


def test_a_change_of_an_object_that_nobody_declares_any_more_only_writes_the_mirror():
    stage = Stage(LADDER)
    change = stage.change(stage=UNASSIGNED)
    del stage.offline.definitions._active["object"]["deal"]
    stage.offline.definitions._revision += 1
    stage.offline.catalog.refresh()

    assert stage.apply(change).evaluations == ()
    assert stage.record().current == {"stage": UNASSIGNED}


def test_a_record_that_others_change_all_the_time_is_busy_and_nothing_is_half_done(monkeypatch):
    stage = Stage(LADDER)
    monkeypatch.setattr(stage.offline.records, "commit", lambda commit: "conflict")

    with pytest.raises(RecordBusy):
        stage.post(stage=UNASSIGNED)

    assert stage.runs() == [] and len(stage.offline.scheduler) == 0


@pytest.mark.parametrize(
    ("minutes", "due", "reason"),
    [(59, HOUR, "the same instant belongs to the change"), (0, HOUR, "nothing was due yet")],
)
def test_only_a_run_that_waits_at_the_time_of_the_change_counts_as_live(minutes, due, reason):
    stage = Stage(scenario("s", trigger={"on": "saved"}, steps=[mail("m", {"after": "1 hour"})]))
    stage.post(name="a")

    told = stage.post(at=START + timedelta(minutes=minutes), name="b")

    assert [e["outcome"] for e in told.evaluations] == ["already_running"], reason
    assert stage.runs()[0].steps[0].due_at == START + due
