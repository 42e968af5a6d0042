"""The same step at work twice at the same time, as machines that promise "at least once" may have it."""

from dataclasses import replace
from typing import Any

import pytest

from stagebell.domain import deliveries as ledger
from stagebell.domain.deliveries import Delivery
from stagebell.domain.errors import DeliveryThrottled
from stagebell.domain.executions import Task
from stagebell.domain.runs import Run
from stagebell.services.action import Look, Outcome
from stagebell.services.deliver import Courier
from stagebell.services.send_email import SendEmail
from tests.stage import START, UNASSIGNED, Stage, mail, scenario
from tests.unit.test_run_function import act, orders, place, stage_with

APPROVED = {"set": {"credit": "Approved"}}
LATER = {"name": "later", "type": "update_field", "set": {"credit_limit": {"multiply": 2}}}


class Overtaken:
    """An action that is done; before its step has noted it, the same step is carried out by somebody else."""

    def __init__(self, action: Any, stage: Stage) -> None:
        self._action, self._stage = action, stage

    def act(self, look: Look) -> Outcome:
        outcome: Outcome = self._action.act(look)
        act(self._stage)
        return outcome

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self._action.give_up(run, step, reason)


def credit(stage: Stage) -> Any:
    return stage.record("order-1", "order").current.get("credit")


def test_what_a_function_answers_is_done_though_a_second_attempt_ended_the_run_meanwhile():
    stage = stage_with()

    def answering(event: Any, context: None) -> Any:
        act(stage)  # finds the function at work, leaves it for unknown, and completes the run
        assert orders(stage)[0].status == "completed"
        return APPROVED

    place(stage, answering)
    act(stage)

    (run,) = orders(stage)
    assert (credit(stage), run.status) == ("Approved", "completed")
    assert (run.steps[0].status, run.steps[0].reason, run.steps[0].record) == ("acted", "", run.key)


def test_what_a_function_answers_is_done_though_a_later_step_has_failed_meanwhile():
    stage = stage_with(actions=[LATER])

    def answering(event: Any, context: None) -> Any:
        act(stage)
        task = Task(orders(stage)[0].id, "later", 1, START)
        stage.offline.actor.act(task, stage.offline.actions["update_field"])
        return APPROVED

    place(stage, answering)
    act(stage)

    assert (credit(stage), orders(stage)[0].status) == ("Approved", "failed")


def test_what_a_function_answers_is_not_done_once_somebody_has_cancelled_the_run():
    stage = stage_with()

    def answering(event: Any, context: None) -> Any:
        stage.offline.finisher.cancel(orders(stage)[0].id)
        return APPROVED

    place(stage, answering)
    act(stage)

    assert (credit(stage), orders(stage)[0].status) == (None, "cancelled")


def test_an_answer_that_a_second_attempt_has_acted_upon_stays_noted_as_it_was():
    stage = stage_with()
    place(stage, lambda event, context: APPROVED)
    task = Task(orders(stage)[0].id, "check", 1, START)

    stage.offline.actor.act(task, Overtaken(stage.offline.actions["run_function"], stage))

    (run,) = orders(stage)
    assert (credit(stage), run.status, run.steps[0].record) == ("Approved", "completed", run.key)


class SentMeanwhile:
    """A ledger in which the first attempt notes what it has sent, right after the second has found it at work."""

    def __init__(self, stage: Stage) -> None:
        self._ledger, self._clock = stage.offline.deliveries, stage.offline.clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def reserve(self, delivery: Delivery, guard: Any) -> Delivery | None:
        self._ledger.reserve(delivery, guard)
        found = self._ledger.get(delivery.key)
        assert found is not None
        self._ledger.update(ledger.settled(found, "sent", self._clock.now()))
        return found


def test_what_the_first_attempt_comes_to_know_meanwhile_is_not_unknown_to_the_second():
    stage = Stage(scenario(steps=[mail("first", {"after": "5 minutes"})]))
    run = stage.enter("deal-7", UNASSIGNED)
    stage.offline.clock.advance(stage.run(run).steps[0].due_at)
    email = stage.offline.actions["send_email"]
    assert isinstance(email, SendEmail)
    second = replace(email, courier=Courier(SentMeanwhile(stage), stage.offline.clock))

    stage.offline.actor.act(Task(run, "first", 1, START), second)

    step = stage.run(run).steps[0]
    assert (step.status, step.reason, stage.deliveries[0].state) == ("acted", "", "sent")


def due_mail(on_unknown: str) -> tuple[Stage, Task]:
    stage = Stage(scenario(steps=[mail("first", {"after": "5 minutes"})], on_unknown=on_unknown))
    run = stage.enter("deal-7", UNASSIGNED)
    stage.offline.clock.advance(stage.run(run).steps[0].due_at)
    return stage, Task(run, "first", 1, START)


def test_what_the_first_attempt_comes_to_know_meanwhile_is_not_sent_again_though_the_definition_resends():
    stage, task = due_mail("resend")
    email = stage.offline.actions["send_email"]
    assert isinstance(email, SendEmail)
    second = replace(email, courier=Courier(SentMeanwhile(stage), stage.offline.clock))

    stage.offline.actor.act(task, second)

    (delivery,) = stage.deliveries
    assert (stage.offline.mailer.sent, delivery.state, delivery.attempts) == ([], "sent", 1)
    assert (stage.run(task.run).steps[0].status, stage.run(task.run).steps[0].reason) == ("acted", "")


def test_what_the_second_attempt_has_sent_is_not_sent_again_when_the_first_is_told_to_slow_down():
    stage, task = due_mail("resend")
    email = stage.offline.actions["send_email"]
    first = iter([True])

    def slow(_: Any) -> None:
        if next(first, False):
            stage.offline.actor.act(task, email)
            raise DeliveryThrottled("slow down")

    stage.offline.mailer._fault = slow
    stage.offline.actor.act(task, email)

    (delivery,) = stage.deliveries
    assert (len(stage.offline.mailer.sent), delivery.state) == (1, "sent")


@pytest.mark.parametrize("on_unknown", ["leave", "resend"])
def test_two_attempts_that_find_it_waiting_do_not_both_send_it(on_unknown):
    stage, task = due_mail(on_unknown)
    email = stage.offline.actions["send_email"]
    assert isinstance(email, SendEmail)
    stage.offline.mailer._fault = _slow_down
    with pytest.raises(DeliveryThrottled):
        stage.offline.actor.act(task, email)
    stage.offline.mailer._fault = None

    stage.offline.actor.act(task, replace(email, courier=Courier(TriedMeanwhile(stage, task), stage.offline.clock)))

    (delivery,) = stage.deliveries
    assert (len(stage.offline.mailer.sent), delivery.state, delivery.attempts) == (1, "sent", 2)


def _slow_down(_: Any) -> None:
    raise DeliveryThrottled("slow down")


class TriedMeanwhile(SentMeanwhile):
    """A ledger in which another attempt sends what waits, right after this one has found it waiting."""

    def __init__(self, stage: Stage, task: Task) -> None:
        super().__init__(stage)
        self._again = lambda: stage.offline.actor.act(task, stage.offline.actions["send_email"])

    def reserve(self, delivery: Delivery, guard: Any) -> Delivery | None:
        found: Delivery | None = self._ledger.reserve(delivery, guard)
        self._again()
        return found
