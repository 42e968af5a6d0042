"""Ending, pausing and resuming runs from outside, one or all of a scenario's, page by page."""

from datetime import timedelta

import pytest

from stagebell.adapters.memory.runs import MemoryRuns
from stagebell.domain.errors import Conflict, NotFound, RecordBusy
from stagebell.ports.queues import Command
from stagebell.services.finish import Commander
from tests.stage import LADDER, QUOTATION, START, UNASSIGNED, Stage, mail, scenario


@pytest.fixture
def stage() -> Stage:
    stage = Stage(LADDER)
    stage.enter("deal-7", UNASSIGNED)
    stage.advance(minutes=1)
    return stage


def only_run(stage: Stage):
    return stage.runs()[0]


def test_a_cancelled_run_acts_no_more_and_its_execution_is_stopped(stage):
    run = stage.offline.finisher.cancel(only_run(stage).id)
    asleep = len(stage.offline.scheduler)
    stage.advance(hours=7)

    assert (run.status, run.reason, run.ended_at) == (
        "cancelled",
        "cancelled_by_operator",
        START + timedelta(minutes=1),
    )
    assert {(s.status, s.reason) for s in run.steps} == {("cancelled", "cancelled_by_operator")}
    assert asleep == 0 and stage.acted == []


def test_cancelling_twice_is_harmless_and_cancelling_what_has_ended_is_a_conflict(stage):
    run = only_run(stage).id

    assert stage.offline.finisher.cancel(run) == stage.offline.finisher.cancel(run)
    stage.enter("deal-8", UNASSIGNED)
    stage.advance(hours=7)
    with pytest.raises(Conflict, match="completed"):
        stage.offline.finisher.cancel(stage.runs("deal-8")[0].id)


def test_a_run_that_is_not_there_cannot_be_ended(stage):
    with pytest.raises(NotFound):
        stage.offline.finisher.cancel("run_x")


def test_a_new_entry_after_a_cancellation_starts_anew(stage):
    stage.offline.finisher.cancel(only_run(stage).id)
    stage.move("deal-7", to=QUOTATION)
    stage.enter("deal-7", UNASSIGNED)

    stage.advance(hours=7)

    assert stage.acted == ["first-mail", "second-mail", "last-mail"]


def test_a_paused_run_sleeps_through_its_times_and_takes_them_up_when_it_is_resumed(stage):
    run = stage.offline.finisher.pause(only_run(stage).id)
    asleep = len(stage.offline.scheduler)
    stage.advance(hours=3)
    quiet = stage.acted

    resumed = stage.offline.finisher.resume(run.id)
    stage.advance(hours=7)

    assert (run.status, run.open, asleep, quiet) == ("paused", True, 0, [])
    assert (resumed.status, resumed.execution) == ("running", 2)
    assert stage.acted == ["first-mail", "second-mail", "last-mail"]


@pytest.mark.parametrize(("past_due", "acted"), [("run", 3), ("skip", 1), ("fail", 1)])
def test_what_fell_due_in_the_pause_follows_the_definition(past_due, acted):
    stage = Stage({**LADDER, "past_due": past_due})
    run = stage.enter("deal-7", UNASSIGNED)
    stage.offline.finisher.pause(run)
    stage.advance(hours=3)

    stage.offline.finisher.resume(run)
    stage.advance(hours=7)

    assert len(stage.acted) == acted


def test_a_paused_run_still_ends_when_the_record_leaves(stage):
    run = stage.offline.finisher.pause(only_run(stage).id)

    stage.move("deal-7", to=QUOTATION)

    assert stage.run(run.id).status == "cancelled"
    assert stage.offline.finisher.resume(run.id).status == "cancelled", "nothing is left to resume"


def test_a_date_that_moves_in_a_pause_wakes_nothing_until_the_run_is_resumed():
    stage = Stage(scenario(steps=[mail("due", {"date": "met_at"})]))
    stage.post(stage=UNASSIGNED, met_at="2026-03-03T09:00:00Z")
    run = only_run(stage).id
    stage.offline.finisher.pause(run)

    stage.post(met_at="2026-03-04T09:00:00Z")
    asleep = len(stage.offline.scheduler)
    stage.offline.finisher.resume(run)
    stage.advance(days=4)

    assert asleep == 0
    assert [d.planned_at for d in stage.deliveries] == [START + timedelta(days=2)]


def test_resuming_twice_starts_one_execution_also_where_the_first_died_before_it_could(stage, monkeypatch):
    run = stage.offline.finisher.pause(only_run(stage).id).id
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(stage.offline.scheduler, "start", interrupt)
        stage.offline.finisher.resume(run)

    stage.offline.finisher.resume(run)
    stage.offline.finisher.resume(run)

    assert len(stage.offline.scheduler) == 1 and stage.run(run).execution == 2


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_an_execution_that_died_fails_its_run_but_not_one_that_goes_on_elsewhere(stage):
    run = only_run(stage).id

    elsewhere = stage.offline.finisher.fail(run, 7, "machine_timed_out")
    here = stage.offline.finisher.fail(run, 1, "machine_timed_out")
    again = stage.offline.finisher.fail(run, 1, "machine_timed_out")

    assert elsewhere.status == "running"
    assert (here.status, here.reason) == ("failed", "machine_timed_out") and again == here


def test_a_run_that_others_change_all_the_time_is_busy(stage, monkeypatch):
    monkeypatch.setattr(stage.offline.runs, "save", lambda run, enrolment: False)

    with pytest.raises(RecordBusy):
        stage.offline.finisher.cancel(only_run(stage).id)


def crowded(count: int) -> tuple[Stage, Commander]:
    stage = Stage(LADDER, scenario("other", steps=[mail("m", {"after": "1 day"})]))
    stage.offline.runs = MemoryRuns(stage.offline.store, page_size=3)
    for number in range(count):
        stage.post(f"deal-{number}", stage=UNASSIGNED)
    return stage, Commander(stage.offline.finisher, stage.offline.runs, stage.offline.queue)


def carried_out(stage: Stage, commander: Commander, command: Command) -> list[int]:
    """The size of each page, as the queue brings one after the other."""
    pages = [commander.carry_out(command)]
    pages += [commander.carry_out(following) for following in stage.offline.queue.take_commands()]
    return pages


@pytest.mark.parametrize(
    ("verb", "status", "acted"), [("cancel", "cancelled", 0), ("pause", "paused", 0), ("resume", "running", 0)]
)
def test_a_command_reaches_all_runs_of_its_scenario_page_by_page(verb, status, acted):
    stage, commander = crowded(8)

    pages = carried_out(stage, commander, Command(verb, "unassigned", "c1"))

    statuses = {(run.definition, run.status) for run in stage.offline.store.runs.values()}
    assert pages == [3, 3, 2]
    assert statuses == {("unassigned", status), ("other", "running")}
    assert len(stage.acted) == acted


def test_a_command_that_comes_again_changes_nothing_more():
    stage, commander = crowded(4)
    carried_out(stage, commander, Command("pause", "unassigned", "c1"))
    before = dict(stage.offline.store.runs)

    carried_out(stage, commander, Command("pause", "unassigned", "c1"))

    assert stage.offline.store.runs == before


def test_a_scenario_without_open_runs_is_one_empty_page():
    stage, commander = crowded(0)

    assert carried_out(stage, commander, Command("cancel", "unassigned", "c1")) == [0]


def test_a_run_that_ended_by_itself_meanwhile_is_no_mistake(monkeypatch):
    stage, commander = crowded(2)
    original = stage.offline.runs.open_of

    def listed_before(definition, cursor=None):
        page = original(definition, cursor)
        stage.move("deal-0", to=QUOTATION)
        return page

    monkeypatch.setattr(stage.offline.runs, "open_of", listed_before)

    assert carried_out(stage, commander, Command("cancel", "unassigned", "c1")) == [2]
