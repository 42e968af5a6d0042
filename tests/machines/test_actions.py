"""Every action kind through the real machine and its real function: what it leaves behind, and where.

The deal belongs to Mia, its account is Acme; the workflow `w` follows when the deal's field `go` is set."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.domain.changes import RecordKey
from stagebell.ports.calls import Posted
from stagebell.runtime import wiring
from tests.machines.deals import CRM, DEALS, EVERYTHING, FUNCTION, OTHER, PARTNER, SCORE, begin, post, score, workflow
from tests.machines.world import World, machine_arn, world
from tests.stage import ACCOUNT, START, WON

type Probe = Callable[[World], Any]


def steps(deployed: World) -> list[tuple[str, str]]:
    (run,) = [run for run in deployed.runs("deal", "deal-7") if run.definition == "w"]
    return [(step.status, step.reason) for step in run.steps]


def deliveries(deployed: World) -> list[tuple[str, str, str]]:
    (run,) = [run for run in deployed.runs("deal", "deal-7") if run.definition == "w"]
    found = wiring.deliveries().of_run(run.id).items
    return sorted((d.channel, d.recipient, d.state) for d in found if d.channel != "write_back")


def field(name: str, object_name: str = "deal", id: str = "deal-7") -> Probe:
    return lambda deployed: deployed.record(object_name, id).current.get(name)


def follow_ups(*names: str) -> Probe:
    def look(_: World) -> list[Any]:
        found = wiring.records().follow_ups(RecordKey("deal", "deal-7")).items
        return [tuple(record.current.get(name) for name in names) for record in found]

    return look


def inbox(deployed: World) -> list[tuple[str, str, str]]:
    deployed.machines.settle()
    return [(n.subject, n.body, n.url) for n in wiring.inbox().notices("mia").items]


def emails(deployed: World) -> list[tuple[str, str]]:
    return sorted((m.subject, m.destinations["ToAddresses"][0]) for m in deployed.emails)


def told(deployed: World) -> list[tuple[str, dict[str, Any]]]:
    """What the CRM was told: the type and the fields of each message."""
    bodies = [json.loads(p.body) for p in deployed.webhooks.posted if p.url == CRM["write_back"]]
    return [(body["type"], body["data"]["fields"]) for body in bodies]


def posted(deployed: World) -> list[Any]:
    return [json.loads(p.body) for p in deployed.webhooks.posted if p.url == PARTNER]


def locked(deployed: World) -> str | None:
    lock = deployed.record("deal", "deal-7").lock
    return lock.why if lock else None


def rotation(_: World) -> str:
    return wiring.records().rotation("w.step-1").last


def other_runs(deployed: World) -> list[str]:
    return [run.status for run in deployed.runs("deal", "deal-7") if run.definition == "other"]


ACTED, NOTHING = [("acted", "")], [("acted", "unchanged")]
CASES = [
    pytest.param(
        [
            {
                "type": "notify",
                "to": [{"field": "owner"}],
                "subject": "{{ deal.name }}",
                "body": "At {{ deal.account.name }}",
            }
        ],
        {inbox: [("Big", "At Acme", "https://crm.example.com/deals/deal-7")], deliveries: [("inbox", "mia", "sent")]},
        id="notify: the owner finds it in the inbox, with the way back to the record",
    ),
    pytest.param(
        [{"type": "notify", "to": [{"field": "owner"}], "via": ["inbox", "email"], "subject": "Hello", "body": "Look"}],
        {
            deliveries: [("email", "mia@example.com", "sent"), ("inbox", "mia", "sent")],
            emails: [("Hello", "mia@example.com")],
        },
        id="notify: by both ways it is two deliveries",
    ),
    pytest.param(
        [{"type": "send_email", "to": [{"field": "contact"}], "subject": "Hi {{ deal.name }}", "text": "x"}],
        {emails: [("Hi Big", "cleo@example.com")], deliveries: [("email", "cleo@example.com", "sent")]},
        id="send_email: to the address in a field",
    ),
    pytest.param(
        [{"type": "send_sms", "to": [{"role": "sales"}], "text": "{{ deal.name }}"}],
        {deliveries: [("sms", "+491701234567", "sent")]},
        id="send_sms: to those of a group that have a number",
    ),
    pytest.param(
        [{"type": "update_field", "set": {"count": {"add": 2}, "urgent": True, "due_on": {"add": "3 days"}}}],
        {
            field("count"): 5,
            field("urgent"): True,
            field("due_on"): "2026-03-23",
            told: [("record.updated", {"count": 5, "due_on": "2026-03-23", "urgent": True})],
        },
        id="update_field: arithmetic on old values, and the CRM is told of all of it at once",
    ),
    pytest.param(
        [{"type": "update_field", "set": {"name": {"template": "{{ deal.account.name }}!"}, "tags": {"add": ["hot"]}}}],
        {field("name"): "Acme!", field("tags"): ["hot", "new"]},
        id="update_field: a template, and words added to a list",
    ),
    pytest.param(
        [{"type": "update_field", "related": "account", "set": {"employees": {"field": "count"}}}],
        {
            field("employees", "account", "acme"): 3,
            field("count"): 3,
            told: [("record.updated", {"employees": 3})],
        },
        id="update_field: the account instead, with a value of the deal",
    ),
    pytest.param(
        [
            {"type": "update_field", "set": {"count": {"template": "many"}, "name": "Bigger"}},
            {"type": "update_field", "set": {"urgent": True}},
        ],
        {
            steps: [("failed", "invalid_input"), ("acted", "")],
            field("count"): 3,
            field("name"): "Big",
            field("urgent"): True,
        },
        id="update_field: a value that breaks the rule leaves everything as it was, and does not stop what follows",
    ),
    pytest.param(
        [{"type": "update_field", "set": {"count": 3}}],
        {steps: NOTHING, told: []},
        id="update_field: what changes nothing is no change, and nobody is told",
    ),
    pytest.param(
        [
            {"type": "set_stage", "field": "stage", "to": WON},
            {"type": "notify", "to": [{"field": "owner"}], "body": "{{ deal.stage }}"},
        ],
        {
            steps: [("acted", ""), ("acted", "")],
            field("stage"): WON,
            inbox: [("", WON, "https://crm.example.com/deals/deal-7")],
            told: [("record.updated", {"stage": WON})],
        },
        id="set_stage: a later action sees it",
    ),
    pytest.param(
        [{"type": "assign_owner", "to": {"field": "account.owner"}}],
        {field("owner"): "ben", told: [("record.updated", {"owner": "ben"})]},
        id="assign_owner: to a person that a path leads to",
    ),
    pytest.param(
        [{"type": "assign_owner", "among": [{"role": "sales"}], "by": "least_open"}],
        {field("owner"): "ben"},
        id="assign_owner: to whom the fewest open deals belong",
    ),
    pytest.param(
        [{"type": "assign_owner", "among": [{"role": "sales"}], "by": "round_robin"}],
        {field("owner"): "ben", rotation: "ben"},
        id="assign_owner: in turn, which is remembered",
    ),
    pytest.param(
        [{"type": "lock_record", "why": "{{ deal.name }} is signed"}, {"type": "update_field", "set": {"count": 1}}],
        {
            steps: [("acted", ""), ("failed", "record_locked")],
            locked: "Big is signed",
            field("count"): 3,
            told: [("record.locked", {})],
        },
        id="lock_record: no action changes the record afterwards",
    ),
    pytest.param(
        [{"type": "lock_record"}, {"type": "unlock_record"}, {"type": "update_field", "set": {"count": 1}}],
        {
            steps: [("acted", "")] * 3,
            locked: None,
            told: [("record.locked", {}), ("record.unlocked", {}), ("record.updated", {"count": 1})],
        },
        id="unlock_record: then they do again, and the CRM is told in that order",
    ),
    pytest.param(
        [{"type": "start_process", "process": "other"}],
        {other_runs: ["completed"], field("count"): 99},
        id="start_process: the other one runs for the same record",
    ),
    pytest.param(
        [{"type": "start_process", "process": "nobody"}],
        {steps: [("failed", "inactive_process")], other_runs: []},
        id="start_process: one that is not active is a failed step with the reason",
    ),
    pytest.param(
        [
            {
                "type": "create_task",
                "title": "Call {{ deal.account.name }}",
                "assignee": [{"field": "owner"}],
                "due": "1 day",
            }
        ],
        {
            follow_ups("title", "assignee", "due_at", "state"): [
                ("Call Acme", "mia", "2026-03-03T09:01:00.000000Z", "open")
            ]
        },
        id="create_task: listed under the record",
    ),
    pytest.param(
        [
            {
                "type": "create_event",
                "title": "Meet",
                "starts": {"date": "due_on", "time": "10:00"},
                "attendees": [{"field": "contact"}],
            }
        ],
        {
            follow_ups("title", "starts_at", "ends_at", "organizer"): [
                ("Meet", "2026-03-20T10:00:00.000000Z", "2026-03-20T11:00:00.000000Z", "mia")
            ],
            lambda deployed: [m.destinations["ToAddresses"] for m in deployed.emails]: [["cleo@example.com"]],
        },
        id="create_event: listed under the record, and the attendee is invited",
    ),
    pytest.param(
        [{"type": "create_sales_record", "entry": "call", "text": "Rang {{ deal.name }}"}],
        {follow_ups("kind", "text", "author"): [("call", "Rang Big", "mia")]},
        id="create_sales_record: listed under the record, by its owner",
    ),
    pytest.param(
        [{"type": "run_function", "function": "score", "parameters": {"name": {"field": "name"}}}],
        {
            field("count"): 42,
            lambda deployed: deployed.functions.invoked[0]["parameters"]: {"name": "Big"},
            deliveries: [("function", "score", "sent")],
            told: [("record.updated", {"count": 42})],
        },
        id="run_function: what it answers is set",
    ),
    pytest.param(
        [{"type": "run_function", "function": "score", "parameters": {"broken": True}}],
        {steps: [("failed", "delivery_rejected")], field("count"): 3},
        id="run_function: an error is an outcome",
    ),
    pytest.param(
        [{"type": "call_webhook", "url": PARTNER, "secret": "partner", "body": {"deal": "{{ deal.name }}"}}],
        {posted: [{"deal": "Big"}], deliveries: [("webhook", PARTNER, "sent")]},
        id="call_webhook: a body of its own",
    ),
    pytest.param(
        [{"type": "call_webhook", "url": PARTNER, "secret": "nobody"}],
        {steps: [("failed", "channel_misconfigured")], posted: []},
        id="call_webhook: nothing leaves unsigned",
    ),
]


def test_every_action_kind_has_its_cases():
    kinds = {action["type"] for case in CASES for action in case.values[0]}

    assert kinds == set(ACTION_MODELS)


@pytest.mark.parametrize(("actions", "expected"), CASES)
def test_an_action_leaves_behind(actions, expected):
    with world(ACCOUNT, DEALS, FUNCTION, OTHER, workflow(*actions), start=START) as deployed:
        deployed.activate(CRM)
        deployed.functions.handlers[SCORE] = score
        begin(deployed)
        post(deployed, "deal", "deal-7", 1, go=1)

        found = {probe: probe(deployed) for probe in {steps: ACTED, **expected}}
        assert found == {steps: ACTED * len(actions), **expected}
        assert not deployed.executions("FAILED") and not deployed.executions("FAILED", machine="workflow")


def test_an_address_that_is_gone_is_not_posted_to_again():
    hook = {"type": "call_webhook", "url": PARTNER, "secret": "partner"}
    with world(ACCOUNT, DEALS, workflow(hook), start=START) as deployed:
        deployed.webhooks.answer = lambda _: Posted(410)
        post(deployed, "deal", "deal-7", 0, go=1)
        post(deployed, "deal", "deal-7", 1, go=2)

        second, first = deployed.runs("deal", "deal-7")
        assert len(deployed.webhooks.posted) == 1
        assert (first.steps[0].status, second.steps[0].status) == ("failed", "skipped")
        assert second.steps[0].reason == "gone"


def test_a_task_reminds_while_it_is_open_and_moves_with_its_due_date():
    remind = [{"before_due": "1 hour", "via": ["inbox", "email", "sms"]}, {"after_due": "1 hour"}]
    task = {"type": "create_task", "title": "Call", "assignee": [{"user": "mia"}], "due": "1 day", "remind": remind}
    with world(ACCOUNT, DEALS, workflow(task), start=START) as deployed:
        begin(deployed)
        post(deployed, "deal", "deal-7", 1, go=1)
        (made,) = wiring.records().follow_ups(RecordKey("deal", "deal-7")).items
        planned = deployed.machines.next_due
        post(deployed, "task", made.key.id, 2, due_at="2026-03-10T09:00:00Z")
        moved = deployed.machines.next_due
        deployed.machines.advance(START.replace(day=10, hour=8, minute=30))
        before = [notice.subject for notice in wiring.inbox().notices("mia").items]
        post(deployed, "task", made.key.id, 8 * 24 * 60, state="done")
        deployed.machines.advance(START + timedelta(days=30))

        assert planned == START + timedelta(days=1, minutes=1, hours=-1)
        assert moved == START.replace(day=10, hour=8)
        assert before == ["Call"]
        assert len(deployed.texts) == len(deployed.emails) == 1
        assert [notice.subject for notice in wiring.inbox().notices("mia").items] == ["Call"]


def test_the_echo_of_a_write_back_starts_nothing():
    win = workflow({"type": "set_stage", "field": "stage", "to": WON})
    cheer = workflow({"type": "notify", "to": [{"user": "mia"}], "body": "Won!"}, name="cheer", field="stage")
    with world(ACCOUNT, DEALS, win, cheer, start=START) as deployed:
        deployed.activate(CRM)
        begin(deployed)
        post(deployed, "deal", "deal-7", 1, go=1)
        ((kind, fields),) = told(deployed)
        before = deployed.runs("deal", "deal-7")
        post(deployed, "deal", "deal-7", 2, **fields)

        assert (kind, fields) == ("record.updated", {"stage": WON})
        assert sorted(run.definition for run in before) == ["cheer", "w"]
        assert deployed.runs("deal", "deal-7") == before
        assert len(told(deployed)) == 1


def test_an_execution_that_is_started_again_does_nothing_again_whatever_its_actions():
    with world(ACCOUNT, DEALS, FUNCTION, OTHER, workflow(*EVERYTHING), start=START) as deployed:
        deployed.activate(CRM)
        deployed.functions.handlers[SCORE] = score
        begin(deployed)
        post(deployed, "deal", "deal-7", 1, go=1)
        (first,) = [e for e in deployed.executions(machine="workflow") if e["name"].startswith(_run(deployed))]
        before = _everything(deployed)

        sfn = wiring.client("stepfunctions")
        state = sfn.describe_execution(executionArn=first["executionArn"])["input"]
        sfn.start_execution(stateMachineArn=machine_arn("workflow"), name="again", input=state)
        deployed.drain()

        assert deployed.executions(machine="workflow")[0]["status"] == "SUCCEEDED"
        assert _everything(deployed) == before


def _run(deployed: World) -> str:
    return next(run.id for run in deployed.runs("deal", "deal-7") if run.definition == "w")


def _everything(deployed: World) -> list[Any]:
    """All that the actions left behind."""
    probes = [steps, deliveries, follow_ups("title", "text"), inbox, emails, told, posted, other_runs]
    records = [deployed.record("deal", "deal-7"), deployed.record("account", "acme")]
    return [probe(deployed) for probe in probes] + records + [len(deployed.functions.invoked), len(deployed.texts)]
