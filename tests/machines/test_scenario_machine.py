"""The scenario machine end to end: signed webhooks in, messages out, weeks in milliseconds."""

from datetime import timedelta

import pytest

from functions.actions.send_email.app import lambda_handler as send_email
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import DeliveryThrottled
from stagebell.runtime import actions, wiring
from tests.machines.world import ACTIONS, World, world
from tests.stage import ACCOUNT, DEAL, LADDER, QUOTATION, START, UNASSIGNED, mail, scenario


def change(minutes: float, **fields):
    at = START + timedelta(minutes=minutes)
    return {"object": "deal", "id": "deal-7", "type": "updated", "occurred_at": at.isoformat(), "fields": fields}


def post(deployed: World, minutes: float, **fields) -> None:
    """A change at its time; what is due before it has acted."""
    deployed.machines.advance(START + timedelta(minutes=minutes), inclusive=False)
    answer = deployed.post(change(minutes, **fields), delivery=f"msg_{minutes}")
    assert answer["statusCode"] == 202, answer["body"]


def runs():
    return wiring.runs().of_record(RecordKey("deal", "deal-7")).items


@pytest.mark.parametrize(
    ("moves", "subjects", "statuses", "reason"),
    [
        ((), ["first-mail", "second-mail", "last-mail"], ["completed"], "nobody acts"),
        (((3, QUOTATION),), [], ["cancelled"], "the stage is left before five minutes"),
        (((60, QUOTATION),), ["first-mail"], ["cancelled"], "the stage is left between the first and the second"),
        (
            ((60, QUOTATION), (61, UNASSIGNED)),
            ["first-mail", "first-mail", "second-mail", "last-mail"],
            ["completed", "cancelled"],
            "left and come back: the new entry has its own run",
        ),
    ],
)
def test_the_example_of_three_messages_unless_changed(moves, subjects, statuses, reason):
    with world(ACCOUNT, DEAL, LADDER, start=START) as deployed:
        post(deployed, 0, name="Acme", stage=UNASSIGNED)
        for minutes, stage in moves:
            post(deployed, minutes, stage=stage)
        deployed.machines.advance(START + timedelta(days=2))

        assert [m.subject for m in deployed.emails] == [f"{name} for Acme" for name in subjects], reason
        assert [run.status for run in runs()] == statuses, reason
        assert deployed.machines.sleeping == 0


def test_leaving_the_stage_stops_the_execution_at_once():
    with world(ACCOUNT, DEAL, LADDER, start=START) as deployed:
        post(deployed, 0, stage=UNASSIGNED)
        sleeping = deployed.machines.sleeping
        post(deployed, 3, stage=QUOTATION)

        assert (sleeping, deployed.machines.sleeping) == (1, 0)
        assert [e["status"] for e in deployed.executions()] == ["ABORTED"]


def test_a_webhook_delivered_twice_starts_one_run():
    with world(ACCOUNT, DEAL, LADDER, start=START) as deployed:
        for _ in range(2):
            deployed.post(change(0, stage=UNASSIGNED), delivery="msg_1")
        deployed.machines.advance(START + timedelta(days=1))

        assert len(runs()) == len(deployed.executions()) == 1
        assert len(deployed.emails) == 3


def test_a_step_takes_three_transitions():
    with world(ACCOUNT, DEAL, LADDER, start=START) as deployed:
        post(deployed, 0, stage=UNASSIGNED)
        deployed.machines.advance(START + timedelta(days=1))

        (execution,) = deployed.executions()
        entered = [event for event in deployed.history(execution) if event.endswith("StateEntered")]
        assert entered == ["WaitStateEntered", "TaskStateEntered", "ChoiceStateEntered"] * 3 + ["SucceedStateEntered"]


def test_a_throttled_message_is_retried_by_the_machine_and_goes_out_once(monkeypatch):
    with world(ACCOUNT, DEAL, LADDER, start=START) as deployed:
        refusals = iter([True, True, False, False, False])
        mailer = actions.send_email().mailer
        send = type(mailer).send

        def refusing(self, email):
            if next(refusals):
                raise DeliveryThrottled("slow down")
            return send(self, email)

        monkeypatch.setattr(type(mailer), "send", refusing)
        post(deployed, 0, name="Acme", stage=UNASSIGNED)
        deployed.machines.advance(START + timedelta(minutes=30))

        assert [m.subject for m in deployed.emails] == ["first-mail for Acme"]
        (run,) = runs()
        assert run.steps[0].status == "acted"


def test_when_retries_are_used_up_the_step_fails_with_its_reason_and_the_run_goes_on(monkeypatch):
    steps = [mail("first", {"after": "5 minutes"}), mail("second", {"after": "1 hour"})]
    with world(ACCOUNT, DEAL, scenario(steps=steps), start=START) as deployed:
        mailer = actions.send_email().mailer
        send = type(mailer).send

        def refusing(self, email):
            if email.subject.startswith("first"):
                raise DeliveryThrottled("slow down")
            return send(self, email)

        monkeypatch.setattr(type(mailer), "send", refusing)
        post(deployed, 0, name="Acme", stage=UNASSIGNED)
        deployed.machines.advance(START + timedelta(days=1))

        (run,) = runs()
        assert [(step.status, step.reason) for step in run.steps] == [("failed", "DeliveryThrottled"), ("acted", "")]
        assert run.status == "failed"
        assert [m.subject for m in deployed.emails] == ["second for Acme"]


def test_a_step_beyond_a_year_continues_in_a_new_execution():
    far = scenario(steps=[mail("late", {"after": "3 years"})])
    with world(ACCOUNT, DEAL, far, start=START) as deployed:
        post(deployed, 0, stage=UNASSIGNED)
        deployed.machines.advance(START + timedelta(days=3 * 365 - 2))
        early = len(deployed.emails)
        deployed.machines.advance(START + timedelta(days=3 * 365 + 2))

        assert (early, len(deployed.emails)) == (0, 1)
        assert [run.status for run in runs()] == ["completed"]
        names = sorted(e["name"] for e in deployed.executions())
        assert len(names) > 1 and all(name.startswith(runs()[0].id) for name in names)


def test_a_date_that_moves_re_times_the_waiting_step():
    due = scenario(steps=[mail("due", {"date": "due_on", "offset": "-1 day", "time": "09:00"})])
    with world(ACCOUNT, DEAL, due, start=START) as deployed:
        post(deployed, 0, stage=UNASSIGNED, due_on="2026-03-20")
        first = deployed.machines.next_due
        post(deployed, 5, due_on="2026-03-10")
        earlier = deployed.machines.next_due
        post(deployed, 10, due_on=None)
        emptied = deployed.machines.sleeping
        post(deployed, 15, due_on="2026-04-01")
        deployed.machines.advance(START + timedelta(days=60))

        day = START.replace(hour=9)
        assert (first, earlier, emptied) == (day.replace(day=19), day.replace(day=9), 0)
        assert len(deployed.emails) == 1
        assert runs()[0].steps[0].settled_at == day.replace(day=31)


def test_an_execution_that_dies_fails_its_run_and_leaves_nothing_undecided(monkeypatch):
    def die(*_anything):
        raise ValueError("a bug")

    def given_up_too_soon(event, context):
        return die() if "failure" in event else send_email(event, context)

    with world(ACCOUNT, DEAL, LADDER, start=START) as deployed:
        monkeypatch.setattr(type(actions.send_email().mailer), "send", die)
        monkeypatch.setitem(ACTIONS, "stagebell-send-email", given_up_too_soon)
        post(deployed, 0, stage=UNASSIGNED)
        deployed.machines.advance(START + timedelta(minutes=30))
        (failed,) = deployed.executions("FAILED")
        deployed.run_ended(failed)

        (run,) = runs()
        (delivery,) = wiring.deliveries().of_run(run.id).items
        assert (run.status, run.reason) == ("failed", "machine_failed")
        assert (delivery.state, delivery.reason) == ("unknown", "machine_failed")
