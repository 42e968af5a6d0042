"""The form of actions: what each kind takes, which mistake is named where, and that the schemas say the same."""

# ruff: noqa: E501  # a table is read in rows

import json
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.contracts.definitions.kinds import read_definition
from stagebell.contracts.schemas import schemas

OWNER = {"field": "owner"}
LEAST: dict[str, dict[str, Any]] = {
    "notify": {"to": [OWNER], "body": "Hello"},
    "send_email": {"to": [OWNER], "subject": "Hello", "text": "Hello"},
    "send_sms": {"to": [OWNER], "text": "Hello"},
    "update_field": {"set": {"amount": 1}},
    "set_stage": {"field": "stage", "to": "Won"},
    "assign_owner": {"to": OWNER},
    "lock_record": {},
    "unlock_record": {},
    "start_process": {"process": "other"},
    "create_task": {"title": "Call", "assignee": [OWNER], "due": "2 days"},
    "create_event": {"title": "Visit", "starts": "2 days"},
    "create_sales_record": {"entry": "note", "text": "Hello"},
    "run_function": {"function": "score"},
    "call_webhook": {"url": "https://crm.example.com/hook", "secret": "crm"},
}
"""For each kind the least that it takes."""
SCHEMAS = schemas()


def action(kind: str, parts: dict[str, Any]) -> dict[str, Any]:
    """The least one with other parts; None takes a part out."""
    written = {"name": "a", "type": kind, **LEAST[kind], **parts}
    return {key: value for key, value in written.items() if value is not None}


def workflow(*actions: dict[str, Any], **parts: Any) -> dict[str, Any]:
    whole = {"kind": "workflow", "name": "w", "object": "deal", "trigger": {"on": "saved"}, "actions": list(actions)}
    return {**whole, **parts}


def read(kind: str, **parts: Any) -> Any:
    found = read_definition(workflow(action(kind, parts)))
    assert not found.problems
    return (found.document or {})["actions"][0]


def fits_the_schema(document: dict[str, Any]) -> bool:
    plain = json.loads(json.dumps(document, default=float))
    return bool(jsonschema.Draft202012Validator(SCHEMAS["workflow.schema.json"]).is_valid(plain))


# kind, parts that stand there besides the least (None: left out), and why it is right
RIGHT = [
    ("notify", {"via": ["inbox", "email"], "subject": "Hi"}, "both ways"),
    ("notify", {"template": "t", "body": None, "via": ["email"]}, "a template instead of a body"),
    ("update_field", {"set": {"a": "x", "b": 1, "c": Decimal("2.5"), "d": False, "e": ["x", "y"]}}, "literals"),
    ("update_field", {"set": {"a": {"field": "account.owner.email"}, "b": {"template": "{{ deal.name }}"}}}, "looked up"),
    ("update_field", {"set": {"a": {"add": 1}, "b": {"subtract": Decimal("0.5")}, "c": {"multiply": {"field": "x"}}, "d": {"divide": -3}}}, "reckoned"),
    ("update_field", {"set": {"a": {"add": "3 business days"}, "b": {"subtract": "PT2H"}}}, "dates moved"),
    ("update_field", {"set": {"a": {"add": ["x"]}, "b": {"remove": ["x", "y"]}, "c": {"now": True}, "d": {"clear": True}}}, "words, now and nothing"),
    ("update_field", {"related": "account.parent"}, "another record"),
    ("assign_owner", {"to": None, "among": [{"role": "sales"}], "by": "least_open", "rotation": "sales", "field": "owner"}, "a group"),
    ("lock_record", {"why": "{{ deal.name }} is won"}, "a reason"),
    ("create_task", {"due": {"date": "due_on", "offset": "-3 days", "time": "09:00"}, "remind": [{"before_due": "1 hour"}, {"after_due": "1 day", "via": ["sms", "inbox"], "subject": "S", "body": "B"}]}, "on a date, with reminders"),
    ("create_event", {"lasts": "30 minutes", "attendees": [OWNER, {"address": "a@b.example"}], "organizer": OWNER, "invite": False, "location": "Here"}, "in full"),
    ("run_function", {"parameters": {"a": 1, "b": Decimal("2.5"), "c": [True, "x"], "d": {"field": "amount"}, "e": {"template": "x"}}}, "parameters"),
    ("call_webhook", {"body": {"a": "{{ deal.id }}", "b": [1, Decimal("2.5"), None, {"c": True}]}}, "a body of its own"),
    ("call_webhook", {"url": "http://localhost:8080/hook"}, "where it may lead is for the stack to say"),
    ("notify", {"at": {"after": "2 hours"}, "cancel_if": {"field": "stage", "op": "changed"}, "quiet_hours": {"from": "20:00", "to": "07:00"}}, "a time of its own"),
]  # fmt: skip

# kind, parts, rule, path below the action, whether the schema can say so too, and why it is wrong
WRONG = [
    ("notify", {"body": None}, "one_content", "", False, "nothing to say"),
    ("notify", {"template": "t"}, "one_content", "", False, "two things to say"),
    ("notify", {"subject": "S", "body": None}, "one_content", "", False, "a subject says nothing"),
    ("notify", {"via": ["email"]}, "needs_subject", "", False, "an e-mail has a subject"),
    ("notify", {"via": []}, "count", "via", True, "no way to tell"),
    ("notify", {"via": ["inbox", "inbox"]}, "unique", "via", True, "the same twice"),
    ("notify", {"via": ["sms"]}, "one_of", "via[0]", True, "an SMS is another action"),
    ("notify", {"via": "inbox"}, "list", "via", True, "a word for a list"),
    ("update_field", {"set": {}}, "count", "set", True, "nothing to set"),
    ("update_field", {"set": {f"f{i}": 1 for i in range(51)}}, "count", "set", True, "too much to set"),
    ("update_field", {"set": {"id": 1}}, "reserved", "set.id", False, "an id stays"),
    ("update_field", {"set": {"Amount": 1}}, "form", "set.Amount", True, "no name of a field"),
    ("update_field", {"set": {"a": None}}, "present", "set.a", True, "nothing is said by clear"),
    ("update_field", {"set": {"a": ""}}, "present", "set.a", True, "and empty text neither"),
    ("update_field", {"set": {"a": []}}, "count", "set.a", True, "and an empty list neither"),
    ("update_field", {"set": {"a": [1]}}, "text", "set.a[0]", True, "options are texts"),
    ("update_field", {"set": {"a": {}}}, "value_form", "set.a", True, "a form without a key"),
    ("update_field", {"set": {"a": {"plus": 1}}}, "value_form", "set.a", True, "a form there is not"),
    ("update_field", {"set": {"a": {"add": 1, "multiply": 2}}}, "unknown_key", "set.a.multiply", True, "two at once"),
    ("update_field", {"set": {"a": {"now": False}}}, "one_of", "set.a.now", True, "now is now"),
    ("update_field", {"set": {"a": {"add": True}}}, "number", "set.a.add", True, "true is no number"),
    ("update_field", {"set": {"a": {"add": {"path": "x"}}}}, "required", "set.a.add.field", True, "not how a field is named"),
    ("update_field", {"set": {"a": {"multiply": "3 days"}}}, "form", "set.a.multiply", True, "days cannot be multiplied"),
    ("update_field", {"set": {"a": {"subtract": ["x"]}}}, "number", "set.a.subtract", True, "words are removed"),
    ("update_field", {"set": {"a": {"divide": 0}}}, "not_zero", "set.a.divide", True, "division by zero"),
    ("update_field", {"set": {"a": {"add": Decimal("1E+60")}}}, "number", "set.a.add", False, "more than a field holds"),
    ("update_field", {"set": {"a": {"remove": []}}}, "count", "set.a.remove", True, "nothing to remove"),
    ("update_field", {"related": "Account"}, "form", "related", True, "no path"),
    ("set_stage", {"to": 3}, "text", "to", True, "an option is a text"),
    ("set_stage", {"to": ""}, "length", "to", True, "no option"),
    ("set_stage", {"field": "account.stage"}, "form", "field", True, "a stage of its own only"),
    ("assign_owner", {"to": None}, "to_or_among", "", False, "to nobody"),
    ("assign_owner", {"among": [OWNER], "by": "round_robin"}, "to_or_among", "", False, "to one and to a group"),
    ("assign_owner", {"to": None, "among": [OWNER]}, "to_or_among", "", False, "by which rule?"),
    ("assign_owner", {"by": "round_robin"}, "to_or_among", "", False, "among whom?"),
    ("assign_owner", {"rotation": "r"}, "to_or_among", "", False, "one person takes no turns"),
    ("assign_owner", {"to": {"role": "a", "user": "b"}}, "exactly_one", "to", True, "two in one"),
    ("assign_owner", {"to": [OWNER]}, "mapping", "to", True, "a list for one"),
    ("lock_record", {"why": ""}, "length", "why", True, "an empty reason"),
    ("unlock_record", {"reason": "x"}, "unknown_key", "reason", True, "another word for why"),
    ("start_process", {"process": None}, "required", "process", True, "which one?"),
    ("start_process", {"process": "a b"}, "form", "process", True, "no name"),
    ("create_task", {"title": None}, "required", "title", True, "what to do?"),
    ("create_task", {"due": None}, "required", "due", True, "until when?"),
    ("create_task", {"due": {"after": "2 days"}}, "moment", "due", True, "a duration stands by itself"),
    ("create_task", {"due": 3}, "moment", "due", True, "three what?"),
    ("create_task", {"due": {"offset": "2 days"}}, "required", "due.date", True, "from which date?"),
    ("create_task", {"assignee": OWNER}, "list", "assignee", True, "one for a list"),
    ("create_task", {"remind": [{}]}, "exactly_one", "remind[0]", False, "when?"),
    ("create_task", {"remind": [{"before_due": "1 day", "after_due": "1 day"}]}, "exactly_one", "remind[0]", False, "before or after?"),
    ("create_task", {"remind": [{"before_due": "1 hour"}] * 11}, "count", "remind", True, "too often"),
    ("create_event", {"starts": None}, "required", "starts", True, "when?"),
    ("create_event", {"invite": "yes"}, "boolean", "invite", True, "text for a boolean"),
    ("create_event", {"attendees": []}, "count", "attendees", True, "an empty list"),
    ("create_sales_record", {"entry": "mail"}, "one_of", "entry", True, "no kind of entry"),
    ("create_sales_record", {"text": None}, "required", "text", True, "an empty entry"),
    ("run_function", {"parameters": {"a-b": 1}}, "form", "parameters.a-b", True, "no name of a parameter"),
    ("run_function", {"parameters": {"a": None}}, "literal", "parameters.a", True, "nothing"),
    ("run_function", {"parameters": {"a": {"now": True}}}, "value_form", "parameters.a", True, "a function has a clock"),
    ("run_function", {"parameters": {"a": [[1]]}}, "literal", "parameters.a", True, "a list of lists"),
    ("run_function", {"parameters": {f"p{i}": 1 for i in range(51)}}, "count", "parameters", True, "too many"),
    ("call_webhook", {"url": "crm.example.com"}, "form", "url", True, "no address"),
    ("call_webhook", {"url": "https://ada:secret@crm.example.com/"}, "form", "url", True, "secrets live elsewhere"),
    ("call_webhook", {"url": "https://{{ deal.host }}/"}, "form", "url", True, "an address is literal"),
    ("call_webhook", {"secret": None}, "required", "secret", True, "unsigned"),
    ("call_webhook", {"body": "text"}, "mapping", "body", True, "no JSON object"),
    ("call_webhook", {"body": {"a": [0] * 1_000}}, "count", "body", False, "too large"),
    ("call_webhook", {"body": {"a": Decimal("0.12345678901234567890")}}, "number", "body", False, "JSON would round it"),
    ("notify", {"name": None}, "required", "name", True, "an action has a name"),
    ("notify", {"on_failure": "retry"}, "one_of", "on_failure", True, "no choice"),
    ("notify", {"at": "2 hours"}, "moment", "at", True, "after or on a date?"),
]  # fmt: skip


def test_every_kind_has_its_least_form_here():
    assert set(LEAST) == set(ACTION_MODELS)


@pytest.mark.parametrize("kind", LEAST)
def test_every_kind_can_be_written_and_reads_the_same_once_stored(kind):
    document = workflow(action(kind, {}))

    found = read_definition(document)

    assert found.problems == ()
    assert read_definition(found.document).document == found.document
    assert fits_the_schema(document) and fits_the_schema(dict(found.document or {}))


@pytest.mark.parametrize("kind", LEAST)
def test_a_scenario_takes_every_kind_with_its_time_and_never_without(kind):
    begin = {"kind": "scenario", "name": "s", "object": "deal", "stage": {"field": "stage", "is": "Won"}}
    timed = action(kind, {"at": {"after": "1 hour"}, "unless_changed": True})

    assert read_definition({**begin, "steps": [timed]}).problems == ()
    problems = read_definition({**begin, "steps": [action(kind, {})]}).problems
    assert [(p.path, p.rule) for p in problems] == [("steps[0].at", "required")]


@pytest.mark.parametrize(("kind", "parts", "reason"), RIGHT, ids=[f"{row[0]}: {row[2]}" for row in RIGHT])
def test_what_is_right_is_right_for_models_and_schemas(kind, parts, reason):
    document = workflow(action(kind, parts))

    found = read_definition(document)

    assert found.problems == (), reason
    assert json.loads(json.dumps(found.document)) == found.document, "and can be stored"
    assert read_definition(found.document).document == found.document, "and reads the same then"
    assert fits_the_schema(document) and fits_the_schema(dict(found.document or {}))
    schema = jsonschema.Draft202012Validator(SCHEMAS[f"actions/{kind}.schema.json"])
    own = {key: part for key, part in document["actions"][0].items() if key not in ("at", "cancel_if", "quiet_hours")}
    assert schema.is_valid(json.loads(json.dumps(own, default=float)))


@pytest.mark.parametrize(
    ("kind", "parts", "rule", "path", "in_schema", "reason"), WRONG, ids=[f"{row[0]}: {row[5]}" for row in WRONG]
)
def test_a_mistake_of_form_is_named_where_it_is(kind, parts, rule, path, in_schema, reason):
    document = workflow(action(kind, parts))

    problems = read_definition(document).problems

    first, *more = [(p.path, p.rule) for p in problems]
    assert first == (f"actions[0].{path}".removesuffix("."), rule), reason
    assert {rule for _, rule in more} <= {"unknown_key"}, "one mistake is not told in many ways"
    assert fits_the_schema(document) is not in_schema


def test_every_mistake_is_told_at_once():
    document = workflow(
        action("update_field", {"set": {"a": {"plus": 1}, "b": None}}),
        action("call_webhook", {"name": "b", "url": "x", "secret": None}),
        {"name": "c", "type": "send_fax"},
        action("create_task", {"name": "b", "remind": [{}, {"via": []}]}),
        trigger={"on": "stage_entered"},
        reentry="twice",
    )

    told = {(p.path, p.rule) for p in read_definition(document).problems}

    assert told == {
        ("trigger.field", "required"),
        ("trigger.is", "required"),
        ("reentry", "one_of"),
        ("actions[0].set.a", "value_form"),
        ("actions[0].set.b", "present"),
        ("actions[1].url", "form"),
        ("actions[1].secret", "required"),
        ("actions[2].type", "action_type"),
        ("actions[3].name", "unique_name"),
        ("actions[3].remind[0]", "exactly_one"),
        ("actions[3].remind[1].via", "count"),
        ("actions[3].remind[1]", "exactly_one"),
    }


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("notfy", 'the text "notfy" is no type; did you mean notify?', "a slip of the pen"),
        ("send_mail", 'the text "send_mail" is no type; did you mean send_email?', "another word for it"),
        ("fax", 'the text "fax" is no type; the types are notify, send_email, ', "nothing like it"),
        (None, "an action is a mapping with a type; the types are notify, send_email, ", "none at all"),
    ],
)
def test_a_type_that_there_is_not_is_named_with_the_one_that_was_meant(kind, message, reason):
    problem = read_definition(workflow({"name": "a", "type": kind})).problems[0]

    assert (problem.path, problem.rule) == ("actions[0].type", "action_type"), reason
    assert problem.message.startswith(message)


def test_numbers_keep_what_was_written():
    kept = read("update_field", set={"a": {"add": Decimal("2.50")}, "b": {"multiply": 1e-7}, "c": Decimal("1000.10")})
    given = read("run_function", parameters={"a": Decimal("2.50"), "b": 0.1, "c": 10**20})

    assert kept["set"] == {"a": {"add": "2.5"}, "b": {"multiply": "0.0000001"}, "c": "1000.10"}, "decimals, as text"
    assert given["parameters"] == {"a": 2.5, "b": 0.1, "c": 10**20}, "numbers, as JSON has them"


def test_a_webhooks_body_keeps_what_is_nothing():
    assert read("call_webhook", body={"a": None, "b": [None, ""]})["body"] == {"a": None, "b": [None, ""]}


def test_what_is_left_out_has_its_default_once_stored():
    assert read("notify")["via"] == ["inbox"]
    assert read("create_event") | {} == read("create_event", lasts="1 hour", invite=True)
    assert read("create_task", remind=[{"before_due": "1 day"}])["remind"] == [
        {"before_due": "1 day", "via": ["inbox"]}
    ]
