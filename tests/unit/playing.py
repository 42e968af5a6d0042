"""Definitions of deals and accounts that may do something to each other, and what is found out about them."""

from collections.abc import Mapping, Sequence
from typing import Any

from stagebell.domain.collisions import collisions
from stagebell.domain.errors import Problem
from stagebell.domain.interplay import Finding, Interplay
from stagebell.domain.objects import read_object, with_built_ins
from stagebell.domain.scenario_documents import read_scenario
from stagebell.domain.scenarios import Scenario

STAGES = ["New", "Quote", "Won", "Lost"]
DEAL = {
    "name": "deal",
    "owner_field": "owner",
    "fields": {
        "name": {"type": "text"},
        "amount": {"type": "decimal"},
        "rounds": {"type": "integer"},
        "stage": {"type": "select", "options": STAGES},
        "tier": {"type": "select", "options": ["silver", "gold"]},
        "tags": {"type": "multi_select", "options": ["hot", "cold"]},
        "hot": {"type": "boolean"},
        "due_on": {"type": "date"},
        "closed_at": {"type": "datetime"},
        "owner": {"type": "reference", "object": "user"},
        "account": {"type": "reference", "object": "account"},
    },
}
ACCOUNT = {
    "name": "account",
    "fields": {
        "name": {"type": "text"},
        "tier": {"type": "select", "options": ["silver", "gold"]},
        "parent": {"type": "reference", "object": "account"},
    },
}
SCHEMA = with_built_ins({"deal": read_object(DEAL), "account": read_object(ACCOUNT)})

ANY_UPDATE = {"on": "updated"}
CREATED = {"on": "created"}
STAGE_CHANGE = {"on": "updated", "fields": ["stage"]}


TELL = {"type": "notify"}
TO_U1 = {"type": "assign_owner", "to": {"user": "u1"}}
IN_TURN = {"type": "assign_owner", "among": [{"role": "sales"}], "by": "round_robin"}
SCORE = {"type": "run_function", "function": "score"}
START_SECOND = {"type": "start_process", "process": "second"}
CALL = {"type": "create_task", "title": "Call"}
CALLED = {"type": "create_sales_record", "entry": "call"}


def entered(*stages: str) -> dict[str, Any]:
    return {"on": "stage_entered", "field": "stage", "is": list(stages)}


def left(*stages: str) -> dict[str, Any]:
    return {"on": "stage_left", "field": "stage", "is": list(stages)}


def clause(field: str, op: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def all_of(*clauses: Mapping[str, Any]) -> dict[str, Any]:
    return {"all": list(clauses)}


def sets(**fields: object) -> dict[str, Any]:
    return {"type": "update_field", "set": fields}


def workflow(name: str, trigger: Mapping[str, Any], *actions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    named = [{"name": f"step-{number}", **action} for number, action in enumerate(actions, 1)]
    return {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": named, **more}


def scenario(name: str, trigger: Mapping[str, Any], *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    timed = [{"name": f"step-{number}", "at": {"after": "2 hours"}, **step} for number, step in enumerate(steps, 1)]
    return {"kind": "scenario", "name": name, "object": "deal", "trigger": trigger, "steps": timed, **more}


def read(document: Mapping[str, Any]) -> Scenario:
    problems: list[Problem] = []
    compiled = read_scenario(document, 1, SCHEMA, problems)
    assert compiled is not None
    assert problems == []
    return compiled


def interplay_of(documents: Sequence[Mapping[str, Any]], allowed: Any = None) -> Interplay:
    return Interplay(map(read, documents), SCHEMA, allowed or {})


def cycles(*documents: Mapping[str, Any], about: Sequence[str] = (), allowed: Any = None) -> list[Finding]:
    made = interplay_of(documents, allowed)
    return list(made.cycles(about or list(made.scenarios)))


def edges(*documents: Mapping[str, Any], allowed: Any = None) -> set[tuple[str, str]]:
    made = interplay_of(documents, allowed)
    return {(name, other) for name in made.scenarios for other in made.edges(name)}


def both_write(*documents: Mapping[str, Any], about: Sequence[str] = ()) -> list[Finding]:
    made = interplay_of(documents)
    return list(collisions(made, about or list(made.scenarios), SCHEMA))
