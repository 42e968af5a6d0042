"""Deals, accounts and people for tests of actions: the deal belongs to Mia, and the workflow `w` follows when its field
`go` is set."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from stagebell.contracts.definitions.kinds import read_definition
from tests.machines.world import SOURCE, World
from tests.stage import DEAL, START, UNASSIGNED

CRM = SOURCE | {"authoritative": True, "write_back": "https://crm.example.com/stagebell"}
PARTNER = "https://partner.example.com/hook"
SCORE = "arn:aws:lambda:eu-central-1:123456789012:function:score"
DEALS = DEAL | {
    "record_url": "https://crm.example.com/deals/{{ id }}",
    "fields": {**DEAL["fields"], "go": {"type": "integer"}},
}
FUNCTION = {"kind": "function", "name": "score", "arn": SCORE, "sets": {"deal": ["count"]}}
OTHER = {
    "kind": "workflow",
    "name": "other",
    "object": "deal",
    "trigger": {"on": "manual"},
    "actions": [{"name": "count", "type": "update_field", "set": {"count": 99}}],
}
MIA = {"name": "Mia", "email": "mia@example.com", "phone": "+491701234567", "roles": ["sales"], "active": True}
BEN = {"name": "Ben", "email": "ben@example.com", "roles": ["sales"], "active": True}
ACME = {"name": "Acme", "employees": 10, "owner": "ben"}
DEAL_7 = {"name": "Big", "owner": "mia", "account": "acme", "amount": "1000.00", "count": 3, "tags": ["new"]}
DEAL_7 |= {"due_on": "2026-03-20", "met_at": "2026-03-02T08:00:00Z", "contact": "cleo@example.com", "urgent": False}

TO_MIA = [{"user": "mia"}]
EVERYTHING = [
    {"type": "notify", "to": TO_MIA, "via": ["inbox", "email"], "subject": "x", "body": "x"},
    {"type": "send_email", "to": TO_MIA, "subject": "x", "text": "x"},
    {"type": "send_sms", "to": TO_MIA, "text": "x"},
    {"type": "update_field", "set": {"count": {"add": 1}}},
    {"type": "update_field", "related": "account", "set": {"employees": {"add": 1}}},
    {"type": "set_stage", "field": "stage", "to": UNASSIGNED},
    {"type": "assign_owner", "among": [{"role": "sales"}], "by": "least_open"},
    {"type": "lock_record"},
    {"type": "unlock_record"},
    {"type": "start_process", "process": "other"},
    {
        "type": "create_task",
        "title": "x",
        "assignee": TO_MIA,
        "due": "1 day",
        "remind": [{"before_due": "1 hour", "via": ["inbox", "email", "sms"]}],
    },
    {"type": "create_event", "title": "x", "starts": "1 day", "attendees": [{"field": "contact"}]},
    {"type": "create_sales_record", "entry": "note", "text": "x"},
    {"type": "run_function", "function": "score"},
    {"type": "call_webhook", "url": PARTNER, "secret": "partner"},
]
"""All kinds of action at once."""


def post(deployed: World, object_name: str, id: str, minutes: float = 0, **fields: Any) -> None:
    at = START + timedelta(minutes=minutes)
    deployed.machines.advance(at, inclusive=False)
    change = {"object": object_name, "id": id, "type": "updated", "occurred_at": at.isoformat(), "fields": fields}
    answer = deployed.post(change, delivery=f"msg_{object_name}_{id}_{minutes}")
    assert answer["statusCode"] == 202, answer["body"]
    deployed.machines.advance(deployed.clock.now())
    deployed.drain()


def workflow(*actions: Mapping[str, Any], name: str = "w", field: str = "go") -> dict[str, Any]:
    named = [{"name": f"step-{number}", **action} for number, action in enumerate(actions, 1)]
    trigger = {"on": "updated", "fields": [field]}
    document = {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": named}
    read = read_definition(document)
    assert read.document is not None, read.problems
    return dict(read.document)


def begin(deployed: World) -> None:
    post(deployed, "user", "mia", **MIA)
    post(deployed, "user", "ben", **BEN)
    post(deployed, "account", "acme", **ACME)
    post(deployed, "deal", "deal-7", **DEAL_7)


def score(payload: dict[str, Any], _context: None) -> dict[str, Any]:
    if payload["parameters"].get("broken"):
        return {"nonsense": True}
    return {"set": {"count": 42}, "message": "scored"}
