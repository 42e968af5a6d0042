"""A step whose time has come: what its task finds, does, and answers to the machine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stagebell.domain.errors import DeliveryRejected, DeliveryThrottled, RecordBusy
from stagebell.domain.executions import Task
from stagebell.ports.deliveries import RunMoved
from stagebell.services.act import ATTEMPTS
from stagebell.services.action import Outcome
from tests.crashes.crashing import Fuse, Mortal
from tests.stage import LADDER, QUOTATION, START, UNASSIGNED, Stage, mail, scenario

DONE = {"next": "done"}


class Doing:
    """An action that does what it is told, and counts."""

    def __init__(self, *answers):
        self.answers, self.calls, self.given_up = list(answers), 0, []

    def act(self, look):
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else Outcome("acted")
        if callable(answer):
            answer = answer(look)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def give_up(self, run, step, reason):
        self.given_up.append((run.id, step))


@pytest.fixture
def stage() -> Stage:
    stage = Stage(LADDER)
    stage.enter("deal-7", UNASSIGNED)
    stage.offline.clock.advance(START + timedelta(minutes=5))
    return stage


def task(stage: Stage, step: str = "first-mail", **more) -> Task:
    return replace(Task(stage.runs()[0].id, step, 1, START), **more)


def act(stage: Stage, action: Doing, **more) -> dict[str, object]:
    return stage.offline.actor.act(task(stage, **more), action)


def test_a_step_acts_and_the_machine_waits_for_the_next_one(stage):
    action = Doing()

    answer = act(stage, action)

    run = stage.runs()[0]
    assert answer == {
        "version": 1,
        "run": run.id,
        "step": "second-mail",
        "execution": 1,
        "function": "offline-send-email",
        "wait_until": "2026-03-02T11:00:00.000Z",
        "born": "2026-03-02T09:00:00.000Z",
        "next": "wait",
    }
    assert (run.steps[0].status, action.calls) == ("acted", 1)


def test_a_task_that_comes_again_acts_no_more_and_answers_the_same(stage):
    action = Doing()

    answers = [act(stage, action) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert action.calls == 1


TWO_AT_ONCE = {
    "kind": "workflow",
    "name": "at-once",
    "object": "deal",
    "trigger": {"on": "created"},
    "actions": [{k: v for k, v in mail(name, {}).items() if k != "at"} for name in ("one", "two")],
}


@pytest.mark.parametrize(
    ("seconds", "failure", "calls", "goes_on", "reason"),
    [
        (90, None, 1, "wait", "it has time for the next action"),
        (91, None, 0, "continue", "attempts have taken too long: another machine begins the action"),
        (91, {"Error": "RecordBusy"}, 0, "continue", "what is given up is noted first"),
    ],
)
def test_an_express_execution_begins_nothing_that_it_might_not_live_to_end(seconds, failure, calls, goes_on, reason):
    stage, action = Stage(TWO_AT_ONCE), Doing()
    stage.post("deal-7", type_="created", name="Pumps")
    stage.offline.clock.advance(START + timedelta(seconds=seconds))

    answer = act(stage, action, step="one", express=True, failure=failure)

    run = stage.runs()[0]
    assert (action.calls, answer["next"]) == (calls, goes_on), reason
    assert run.execution == (2 if goes_on == "continue" else 1)
    assert [step.status for step in run.steps] == [
        "failed" if failure else "acted" if calls else "waiting",
        "waiting",
    ]
    assert answer["step"] == ("two" if calls or failure else "one")


def test_a_task_that_comes_before_its_time_waits(stage):
    answer = act(stage, action := Doing(), step="second-mail")

    assert (answer["next"], answer["step"], action.calls) == ("wait", "first-mail", 0)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda stage, run: stage.offline.finisher.cancel(run), "cancelled by an operator"),
        (lambda stage, run: stage.post(stage=QUOTATION), "the stage was left"),
        (lambda stage, run: stage.post(type_="deleted"), "the record is gone"),
        (lambda stage, run: stage.offline.finisher.pause(run), "paused: nobody waits for it"),
    ],
)
def test_a_task_of_a_run_that_goes_no_more_is_done(stage, end, reason):
    end(stage, stage.runs()[0].id)

    assert act(stage, action := Doing()) == DONE, reason
    assert action.calls == 0


def test_a_task_of_an_unknown_run_is_done(stage):
    assert stage.offline.actor.act(Task("run_x", "first-mail", 1, START), Doing()) == DONE


def test_a_task_of_an_older_execution_hands_over_to_the_current_one():
    stage = Stage(scenario(steps=[mail("due", {"date": "met_at"})]))
    stage.post(stage=UNASSIGNED, met_at="2026-03-02T10:00:00Z")
    stage.post(met_at="2026-03-02T12:00:00Z")
    run = stage.runs()[0].id
    stage.offline.clock.advance(START + timedelta(hours=1))

    answer = stage.offline.actor.act(Task(run, "due", 1, START), action := Doing())

    assert (answer["next"], answer["execution"], answer["execution_name"]) == ("continue", 2, f"{run}-2")
    assert action.calls == 0


def test_a_task_of_an_execution_that_was_stopped_does_not_act_though_its_step_is_due(stage):
    run = stage.runs()[0].id
    stage.offline.finisher.pause(run)
    stage.offline.finisher.resume(run)

    answer = act(stage, action := Doing(), execution=1)

    assert (answer["next"], answer["execution_name"], action.calls) == ("continue", f"{run}-2", 0)


def test_a_run_that_moves_while_it_goes_to_a_new_execution_does_not_go_on_in_two():
    stage = Stage(scenario(steps=[mail("much-later", {"after": "800 days"})]))
    stage.post(stage=UNASSIGNED)
    run = stage.runs()[0].id
    runs = Mortal("runs", stage.offline.runs, Fuse())
    runs.save = lambda run, enrolment: False
    actor = replace(stage.offline.actor, runs=runs)

    with pytest.raises(RecordBusy, match="new execution"):
        actor.act(Task(run, "much-later", 1, START - timedelta(days=1)), Doing())


def test_an_action_that_fails_for_good_fails_its_step_and_the_next_one_goes_on(stage):
    answer = act(stage, Doing(DeliveryRejected("no such address")))

    step = stage.runs()[0].steps[0]
    assert (step.status, step.reason, step.why) == ("failed", "delivery_rejected", {"error": "no such address"})
    assert answer["step"] == "second-mail"


def test_an_error_that_the_machine_retries_leaves_everything_as_it_was(stage):
    before = stage.runs()[0]

    with pytest.raises(DeliveryThrottled):
        act(stage, Doing(DeliveryThrottled("slow down")))

    assert stage.runs()[0] == before


def test_a_mistake_of_ours_is_not_hidden(stage):
    with pytest.raises(ZeroDivisionError):
        act(stage, Doing(ZeroDivisionError()))


def test_when_the_machine_gives_up_the_step_has_failed_and_the_action_leaves_nothing_undecided(stage):
    action = Doing()

    answer = act(stage, action, failure={"Error": "States.Timeout", "Cause": "two minutes"})

    run = stage.runs()[0]
    assert (run.steps[0].status, run.steps[0].reason, run.steps[0].why["Cause"]) == (
        "failed",
        "States.Timeout",
        "two minutes",
    )
    assert (action.calls, action.given_up) == (0, [(run.id, "first-mail")])
    assert answer["step"] == "second-mail"


def test_an_attempt_that_died_before_its_run_was_cancelled_leaves_nothing_undecided(stage):
    run = stage.runs()[0].id
    stage.offline.finisher.cancel(run)

    act(stage, action := Doing())

    assert (action.calls, action.given_up) == (0, [(run, "first-mail")])


def test_what_moves_while_the_step_looks_makes_it_look_again(stage):
    def left_meanwhile(look):
        stage.post(stage=QUOTATION)
        raise RunMoved

    assert act(stage, action := Doing(left_meanwhile)) == DONE
    assert (action.calls, stage.runs()[0].steps[0].reason) == (1, "stage_changed")


def test_what_moves_after_the_step_has_acted_does_not_undo_that_it_has(stage):
    def left_meanwhile(look):
        stage.post(stage=QUOTATION)
        return Outcome("acted", deliveries=("dlv_1",))

    assert act(stage, action := Doing(left_meanwhile)) == DONE
    run = stage.runs()[0]
    assert (run.status, run.steps[0].status, run.steps[0].deliveries) == ("cancelled", "acted", ("dlv_1",))
    assert action.calls == 1


def test_a_run_that_moves_all_the_time_is_busy(stage):
    with pytest.raises(RecordBusy):
        act(stage, action := Doing(*[RunMoved()] * 9))

    assert action.calls == ATTEMPTS


def test_an_outcome_keeps_its_reason_and_its_deliveries(stage):
    act(stage, Doing(Outcome("skipped", "empty_group", ("dlv_1",))))

    step = stage.runs()[0].steps[0]
    assert (step.status, step.reason, step.deliveries) == ("skipped", "empty_group", ("dlv_1",))


def test_steps_that_are_due_at_the_same_time_act_in_the_order_they_are_written():
    stage = Stage(scenario(steps=[mail(name, {"after": "1 hour"}) for name in ("b", "a", "c")]))
    stage.enter("deal-7", UNASSIGNED)

    stage.advance(hours=2)

    assert stage.acted == ["b", "a", "c"]


def test_a_step_sees_related_records_as_they_are_when_it_acts():
    gold = {"field": "account.tier", "op": "eq", "value": "gold"}
    stage = Stage(scenario(steps=[mail("gold", {"after": "1 hour"}, only_if=gold)]))
    stage.post("a1", object="account", tier="basic")
    stage.post("deal-1", stage=UNASSIGNED, account="a1")
    stage.advance(minutes=30)

    stage.post("a1", object="account", tier="gold")
    stage.advance(hours=1)

    assert stage.acted == ["gold"]
    assert stage.runs("deal-1")[0].steps[0].why is None
