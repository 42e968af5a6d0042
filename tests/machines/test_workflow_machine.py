"""The workflow machine end to end: actions at once and in order, handed over when they cannot be done at once."""

import json
from datetime import timedelta
from typing import Any

import pytest

from stagebell.adapters.stepfunctions import StepFunctionsScheduler
from stagebell.domain.errors import DeliveryThrottled, DeliveryUnavailable, RecordBusy
from stagebell.ports.queues import Command
from stagebell.runtime import actions, wiring
from tests.machines.world import ACTIONS, World, machine_arn, world
from tests.stage import ACCOUNT, DEAL, QUOTATION, START, UNASSIGNED, WON

DESK = [{"address": "desk@example.com"}]


def mail(name: str, **more: Any) -> dict[str, Any]:
    body = {"to": DESK, "subject": f"{name} for {{{{ deal.name }}}}", "text": "Please look."}
    return {"name": name, "type": "send_email", **body, **more}


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "send_sms", "to": [{"phone": "+491701234567"}], "text": "Please look.", **more}


def workflow(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    trigger = more.pop("trigger", {"on": "updated", "fields": ["stage"]})
    return {"kind": "workflow", "name": "w", "object": "deal", "trigger": trigger, "actions": list(actions), **more}


def post(deployed: World, minutes: float = 0, **fields: Any) -> None:
    """A change at its time; what is due by then has acted."""
    at = START + timedelta(minutes=minutes)
    deployed.machines.advance(at, inclusive=False)
    change = {"object": "deal", "id": "deal-7", "type": "updated", "occurred_at": at.isoformat(), "fields": fields}
    answer = deployed.post(change, delivery=f"msg_{minutes}")
    assert answer["statusCode"] == 202, answer["body"]
    deployed.machines.advance(deployed.clock.now())


def told(deployed: World) -> list[str]:
    return [mail.subject for mail in deployed.emails]


def steps(deployed: World) -> list[tuple[str, str]]:
    (run,) = deployed.runs("deal", "deal-7")
    return [(step.status, step.reason) for step in run.steps]


def refusing(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> None:
    """The provider of e-mails raises this so many times."""
    mailer, left = actions.send_email().mailer, iter([True] * times)
    send = type(mailer).send

    def answer(self: Any, email: Any) -> str:
        if next(left, False):
            raise error
        sent: str = send(self, email)
        return sent

    monkeypatch.setattr(type(mailer), "send", answer)


def dying(monkeypatch: pytest.MonkeyPatch, death: str, times: int) -> None:
    """The process that sends e-mails dies this often before it does anything, as Lambda names it."""
    send_email, left = ACTIONS["stagebell-send-email"], iter([True] * times)

    def dies(event: Any, context: Any) -> Any:
        if next(left, False):
            raise type(death, (Exception,), {})("the process is gone")
        return send_email(event, context)

    monkeypatch.setitem(ACTIONS, "stagebell-send-email", dies)


def test_actions_are_done_at_once_in_the_order_they_stand_in():
    with world(ACCOUNT, DEAL, workflow(mail("first"), text("second"), mail("third")), start=START) as deployed:
        post(deployed, name="Acme", stage=UNASSIGNED)

        (run,) = deployed.runs("deal", "deal-7")
        assert told(deployed) == ["first for Acme", "third for Acme"]
        assert [message for _, message in deployed.texts.values()] == ["Please look."]
        assert (run.status, run.execution) == ("completed", 1)
        assert [(step.name, step.status, step.settled_at) for step in run.steps] == [
            (name, "acted", START) for name in ("first", "second", "third")
        ]
        assert deployed.machines.sleeping == 0


def test_a_workflow_runs_on_the_express_machine_and_leaves_the_scenario_machine_alone():
    with world(ACCOUNT, DEAL, workflow(mail("first"), mail("second")), start=START) as deployed:
        post(deployed, stage=UNASSIGNED)

        (execution,) = deployed.executions(machine="workflow")
        entered = [event for event in deployed.history(execution) if event.endswith("StateEntered")]
        assert entered == ["TaskStateEntered", "ChoiceStateEntered"] * 2 + ["SucceedStateEntered"]
        assert deployed.executions(machine="scenario") == []


def test_every_match_is_a_run_of_its_own():
    with world(ACCOUNT, DEAL, workflow(mail("moved")), start=START) as deployed:
        for minutes, stage in ((0, UNASSIGNED), (1, QUOTATION), (2, WON)):
            post(deployed, minutes, name="Acme", stage=stage)

        assert [run.status for run in deployed.runs("deal", "deal-7")] == ["completed"] * 3
        assert told(deployed) == ["moved for Acme"] * 3


def test_what_does_not_match_starts_nothing():
    gold = workflow(mail("won"), only_if={"field": "stage", "op": "changed_to", "value": WON})
    with world(ACCOUNT, DEAL, gold, start=START) as deployed:
        post(deployed, 0, stage=UNASSIGNED)
        post(deployed, 1, name="Acme")

        assert deployed.runs("deal", "deal-7") == ()
        assert deployed.executions(machine="workflow") == []


@pytest.mark.parametrize(
    ("on_failure", "expected", "reason"),
    [
        (
            "continue",
            [("failed", "render_failed"), ("acted", "")],
            "by default a failed action does not stop later ones",
        ),
        ("stop", [("failed", "render_failed"), ("cancelled", "step_failed")], "the rest depends on it"),
    ],
)
def test_a_failed_action_stops_the_rest_only_where_it_says_so(on_failure, expected, reason):
    broken = mail("broken", subject="{{ 1 / 0 }}", on_failure=on_failure)
    with world(ACCOUNT, DEAL, workflow(broken, mail("after")), start=START) as deployed:
        post(deployed, name="Acme", stage=UNASSIGNED)

        assert steps(deployed) == expected, reason
        assert deployed.runs("deal", "deal-7")[0].status == "failed", reason
        assert told(deployed) == (["after for Acme"] if on_failure == "continue" else []), reason


def test_an_action_looks_at_its_own_condition():
    urgent = mail("urgent", only_if={"field": "urgent", "op": "eq", "value": True})
    with world(ACCOUNT, DEAL, workflow(urgent, mail("always")), start=START) as deployed:
        post(deployed, name="Acme", stage=UNASSIGNED, urgent=False)

        assert steps(deployed) == [("skipped", "condition"), ("acted", "")]
        assert told(deployed) == ["always for Acme"]


def test_a_provider_that_is_busy_for_a_moment_is_tried_again_without_waiting_elsewhere(monkeypatch):
    with world(ACCOUNT, DEAL, workflow(mail("first")), start=START) as deployed:
        refusing(monkeypatch, DeliveryThrottled("slow down"), times=2)
        post(deployed, name="Acme", stage=UNASSIGNED)

        assert told(deployed) == ["first for Acme"]
        assert deployed.executions(machine="scenario") == []


@pytest.mark.parametrize(
    "error",
    [DeliveryThrottled("slow down"), DeliveryUnavailable("nobody there")],
    ids=lambda error: type(error).__name__,
)
def test_a_provider_that_stays_busy_is_left_to_the_scenario_machine_which_goes_on_with_the_run(monkeypatch, error):
    with world(ACCOUNT, DEAL, workflow(mail("first"), mail("second")), start=START) as deployed:
        refusing(monkeypatch, error, times=6)
        post(deployed, name="Acme", stage=UNASSIGNED)

        (express,), (standard,) = deployed.executions(machine="workflow"), deployed.executions(machine="scenario")
        assert (express["status"], standard["status"]) == ("SUCCEEDED", "SUCCEEDED")
        assert express["name"] == standard["name"]
        assert told(deployed) == ["first for Acme", "second for Acme"]
        assert steps(deployed) == [("acted", ""), ("acted", "")]


def test_a_provider_that_stays_busy_for_hours_fails_the_step_and_the_run_goes_on(monkeypatch):
    with world(ACCOUNT, DEAL, workflow(mail("first"), text("second")), start=START) as deployed:
        refusing(monkeypatch, DeliveryThrottled("slow down"), times=1000)
        post(deployed, name="Acme", stage=UNASSIGNED)

        assert steps(deployed) == [("failed", "DeliveryThrottled"), ("acted", "")]
        (delivery,) = [
            d for d in wiring.deliveries().of_run(deployed.runs("deal", "deal-7")[0].id).items if d.step == "first"
        ]
        assert (delivery.state, delivery.reason) == ("failed", "retries_exhausted")


def test_an_action_that_crashes_is_given_up_and_the_run_goes_on(monkeypatch):
    with world(ACCOUNT, DEAL, workflow(mail("first"), text("second")), start=START) as deployed:
        refusing(monkeypatch, ValueError("a bug"), times=1)
        post(deployed, name="Acme", stage=UNASSIGNED)

        assert steps(deployed) == [("failed", "ValueError"), ("acted", "")]
        assert deployed.executions(machine="scenario") == []


@pytest.mark.parametrize("death", ["Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown"])
def test_an_action_whose_process_dies_is_called_again_by_the_scenario_machine(monkeypatch, death):
    with world(ACCOUNT, DEAL, workflow(mail("first"), text("second")), start=START) as deployed:
        dying(monkeypatch, death, times=1)
        post(deployed, name="Acme", stage=UNASSIGNED)

        assert told(deployed) == ["first for Acme"]
        assert steps(deployed) == [("acted", ""), ("acted", "")]
        assert len(deployed.executions(machine="scenario")) == 1


def test_an_action_whose_process_dies_each_time_fails_and_the_run_goes_on(monkeypatch):
    with world(ACCOUNT, DEAL, workflow(mail("first"), text("second")), start=START) as deployed:
        dying(monkeypatch, "Runtime.ExitError", times=4)
        post(deployed, name="Acme", stage=UNASSIGNED)

        assert told(deployed) == []
        assert steps(deployed) == [("failed", "Runtime.ExitError"), ("acted", "")]


def test_an_action_that_cannot_even_be_given_up_is_left_to_the_scenario_machine(monkeypatch):
    send_email, crashes = ACTIONS["stagebell-send-email"], iter([True] * 2)

    def crashing(event: Any, context: Any) -> Any:
        if next(crashes, False):
            raise ValueError("a bug")
        return send_email(event, context)

    with world(ACCOUNT, DEAL, workflow(mail("first"), text("second")), start=START) as deployed:
        monkeypatch.setitem(ACTIONS, "stagebell-send-email", crashing)
        post(deployed, name="Acme", stage=UNASSIGNED)

        assert len(deployed.executions(machine="scenario")) == 1
        assert steps(deployed) == [("failed", "ValueError"), ("acted", "")]


def test_a_run_that_no_machine_takes_has_failed_and_says_so(monkeypatch):
    with world(ACCOUNT, DEAL, workflow(mail("first")), start=START) as deployed:
        refusing(monkeypatch, DeliveryThrottled("slow down"), times=1000)
        wiring.client("stepfunctions").delete_state_machine(stateMachineArn=machine_arn("scenario"))
        post(deployed, name="Acme", stage=UNASSIGNED)

        (run,) = deployed.runs("deal", "deal-7")
        (delivery,) = wiring.deliveries().of_run(run.id).items
        assert (run.status, run.reason) == ("failed", "machine_failed")
        assert delivery.state in ("failed", "unknown")
        assert [execution["status"] for execution in deployed.executions(machine="workflow")] == ["FAILED"]


def test_an_execution_that_is_started_again_does_nothing_again():
    with world(ACCOUNT, DEAL, workflow(mail("first"), text("second")), start=START) as deployed:
        post(deployed, name="Acme", stage=UNASSIGNED)
        (execution,) = deployed.executions(machine="workflow")
        sfn = wiring.client("stepfunctions")
        state = sfn.describe_execution(executionArn=execution["executionArn"])["input"]
        before = deployed.runs("deal", "deal-7")

        sfn.start_execution(stateMachineArn=machine_arn("workflow"), name="again", input=state)
        again = deployed.executions(machine="workflow")

        assert sorted(execution["status"] for execution in again) == ["SUCCEEDED", "SUCCEEDED"]
        assert deployed.runs("deal", "deal-7") == before
        assert told(deployed) == ["first for Acme"]


def test_a_run_whose_execution_was_lost_is_taken_up_when_its_workflow_is_activated_once_more(monkeypatch):
    with world(ACCOUNT, DEAL, workflow(mail("first"), mail("second")), start=START) as deployed:
        with monkeypatch.context() as lost:
            lost.setattr(StepFunctionsScheduler, "start", lambda _self, _wake: None)
            post(deployed, name="Acme", stage=UNASSIGNED)
        before = steps(deployed)

        wiring.commander().carry_out(Command("resume", "w", id="activated-again"))
        deployed.machines.advance(deployed.clock.now())

        assert before == [("waiting", ""), ("waiting", "")]
        assert told(deployed) == ["first for Acme", "second for Acme"]


def test_a_change_that_is_delivered_twice_starts_one_run():
    with world(ACCOUNT, DEAL, workflow(mail("first")), start=START) as deployed:
        for _ in range(2):
            post(deployed, 0, name="Acme", stage=UNASSIGNED)

        assert len(deployed.runs("deal", "deal-7")) == 1
        assert told(deployed) == ["first for Acme"]


def test_an_execution_that_gets_old_continues_on_the_scenario_machine(monkeypatch):
    send_email = ACTIONS["stagebell-send-email"]

    with world(ACCOUNT, DEAL, workflow(mail("first"), mail("second")), start=START) as deployed:

        def slow(event: Any, context: Any) -> Any:
            answer = send_email(event, context)
            deployed.clock.advance(deployed.clock.now() + timedelta(seconds=91))
            return answer

        monkeypatch.setitem(ACTIONS, "stagebell-send-email", slow)
        post(deployed, name="Acme", stage=UNASSIGNED)

        (run,) = deployed.runs("deal", "deal-7")
        (execution,) = deployed.executions(machine="scenario")
        assert execution["name"] == f"{run.id}-2"
        assert (run.status, run.execution) == ("completed", 2)
        assert told(deployed) == ["first for Acme", "second for Acme"]


def test_attempts_that_took_too_long_are_carried_on_by_the_scenario_machine(monkeypatch):
    """An Express execution that is cut off tells nobody."""
    send_email = ACTIONS["stagebell-send-email"]

    with world(ACCOUNT, DEAL, workflow(mail("first"), mail("second")), start=START) as deployed:
        attempts: list[str] = []

        def slow(event: Any, context: Any) -> Any:
            attempts.append(event["step"])
            if len(attempts) == 1:
                deployed.clock.advance(deployed.clock.now() + timedelta(seconds=91))
                raise RecordBusy("changed by others all the time")
            return send_email(event, context)

        monkeypatch.setitem(ACTIONS, "stagebell-send-email", slow)
        post(deployed, name="Acme", stage=UNASSIGNED)

        (run,) = deployed.runs("deal", "deal-7")
        (execution,) = deployed.executions(machine="scenario")
        assert execution["name"] == f"{run.id}-2"
        assert attempts == ["first", "first", "first", "second"]
        assert run.status == "completed"
        assert told(deployed) == ["first for Acme", "second for Acme"]


def test_a_workflow_with_times_runs_on_the_scenario_machine():
    timed = workflow(mail("at-once", at={"after": "0 minutes"}), mail("later", at={"after": "2 hours"}))
    with world(ACCOUNT, DEAL, timed, start=START) as deployed:
        post(deployed, name="Acme", stage=UNASSIGNED)
        at_once = told(deployed)
        deployed.machines.advance(START + timedelta(hours=2))

        assert (at_once, told(deployed)) == (["at-once for Acme"], ["at-once for Acme", "later for Acme"])
        assert deployed.executions(machine="workflow") == []


def test_a_date_that_moves_re_times_a_workflow_that_waits_for_it():
    due = workflow(mail("due"), trigger={"on": "date", "field": "due_on", "offset": "-1 day", "time": "09:00"})
    with world(ACCOUNT, DEAL, due, start=START) as deployed:
        post(deployed, 0, name="Acme", due_on="2026-03-20")
        first = deployed.machines.next_due
        post(deployed, 5, due_on="2026-03-10")
        deployed.machines.advance(START + timedelta(days=60))

        day = START.replace(hour=9)
        assert first == day.replace(day=19)
        assert told(deployed) == ["due for Acme"]
        (acted,) = [run for run in deployed.runs("deal", "deal-7") if run.status == "completed"]
        assert acted.steps[0].settled_at == day.replace(day=9)


def test_what_the_machines_hand_to_each_other_is_ids_only(monkeypatch):
    with world(ACCOUNT, DEAL, workflow(mail("first")), start=START) as deployed:
        refusing(monkeypatch, DeliveryThrottled("slow down, desk@example.com"), times=6)
        post(deployed, name="Acme", stage=UNASSIGNED)

        (execution,) = deployed.executions(machine="scenario")
        state = wiring.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])["input"]
        assert set(json.loads(state)) == {
            "version",
            "run",
            "step",
            "execution",
            "function",
            "wait_until",
            "born",
            "express",
        }
