"""The meaning of actions, functions and workflows: every mistake that can be known before anything acts."""

# ruff: noqa: E501  # a table is read in rows

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from stagebell.cli.tools import offline_tools
from stagebell.domain.built_ins import DOCUMENTS
from stagebell.domain.conditions import compile_condition
from stagebell.domain.errors import Problem
from stagebell.domain.fields import FIELD_TYPES
from stagebell.domain.objects import BUILT_IN
from stagebell.services.check import check_definitions
from stagebell.services.checks.record_changes import _FITS
from stagebell.services.checks.steps import CHECKS
from stagebell.services.checks.world import Nothing
from tests.stage import ACCOUNT, DEAL
from tests.unit.test_action_forms import LEAST, action

TOOLS = offline_tools()
PARTNER = {
    "kind": "object",
    "name": "account",
    "fields": {
        **ACCOUNT["fields"],
        "name": {"type": "text", "required": True},
        "email": {"type": "email"},
        "fee": {"type": "currency", "currency": "USD"},
        "parent": {"type": "reference", "object": "account"},
        "stage": {"type": "select", "options": ["lead", "customer"]},
    },
}
OTHER = {"kind": "workflow", "name": "other", "object": "deal", "trigger": {"on": "manual"}, "actions": [action("lock_record", {})]}  # fmt: skip
SCORE = {"kind": "function", "name": "score", "arn": "arn:aws:lambda:eu-central-1:123456789012:function:score"}
TEMPLATES = [
    {"kind": "template", "name": "letter", "channel": "email", "subject": "S", "text": "T"},
    {"kind": "template", "name": "bell", "channel": "inbox", "text": "{{ deal.name }}"},
    {"kind": "template", "name": "bell-of-account", "channel": "inbox", "text": "{{ account.name }}"},
    {"kind": "template", "name": "short", "channel": "sms", "text": "T"},
]
HELPER = {"type": "reference", "object": "user"}
AROUND: Sequence[Mapping[str, Any]] = [DEAL, PARTNER, OTHER, SCORE, *TEMPLATES]


def problems_of(document: Mapping[str, Any], *beside: Mapping[str, Any], tools: Any = TOOLS) -> tuple[Problem, ...]:
    return check_definitions([*AROUND, *beside, document], Nothing(), tools)[-1].problems


def workflow(*actions: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    whole = {"kind": "workflow", "name": "w", "object": "deal", "trigger": {"on": "saved"}, "actions": list(actions)}
    return {**whole, **parts}


def told(kind: str, **parts: Any) -> list[tuple[str, str]]:
    found = problems_of(workflow(action(kind, parts)))
    return [(p.path.removeprefix("actions[0]."), p.rule) for p in found]


def test_every_kind_of_action_is_checked_and_the_least_of_each_is_right():
    assert set(CHECKS) == set(LEAST)
    assert [told(kind) for kind in LEAST] == [[]] * len(LEAST)


# kind, parts, rule, path, and why it is wrong
WRONG = [
    ("notify", {"to": [{"field": "contact"}]}, "recipient_field", "to[0].field", "an address has no inbox"),
    ("notify", {"to": [{"address": "a@b.example"}]}, "recipient_channel", "to[0].address", "and a given one neither"),
    ("notify", {"to": [{"phone": "+49 30 901820"}], "via": ["email"], "subject": "S"}, "recipient_channel", "to[0].phone", "a phone takes no e-mail"),
    ("notify", {"to": [{"field": "boss"}]}, "known_field", "to[0].field", "a path to nowhere"),
    ("notify", {"to": [{"manager_of": "account"}]}, "recipient_field", "to[0].manager_of", "an account has no manager"),
    ("notify", {"body": "{{ deal.nmae }}"}, "known_field", "body", "a field there is not"),
    ("notify", {"body": "{{ deal.name"}, "template", "body", "no template"),
    ("notify", {"body": None, "template": "none"}, "known_template", "template", "a template there is not"),
    ("notify", {"body": None, "template": "letter"}, "template_channel", "template", "a letter for the inbox"),
    ("notify", {"body": None, "template": "short", "via": ["email"]}, "template_channel", "template", "an SMS for e-mail"),
    ("notify", {"body": None, "template": "bell", "via": ["inbox", "email"]}, "needs_subject", "template", "a template without the subject"),
    ("notify", {"body": None, "template": "bell-of-account"}, "template_fit", "template", "a template about others"),
    ("notify", {"body": "{{ deal.amount.curency }}"}, "known_field", "body", "a part that money has not"),
    ("notify", {"body": "{{ deal.due_on.hour }}"}, "known_field", "body", "a date has no hours"),
    ("notify", {"body": "{{ entered_at.yaer }}"}, "known_field", "body", "a part that a moment has not"),
    ("send_sms", {"to": [{"field": "contact"}]}, "recipient_field", "to[0].field", "an e-mail address takes no SMS"),
    ("update_field", {"set": {"price": 1}}, "known_field", "set.price", "a field there is not"),
    ("update_field", {"set": {"stage": "Wno"}}, "select", "set.stage", "no option"),
    ("update_field", {"set": {"count": 1.5}}, "integer", "set.count", "no integer"),
    ("update_field", {"set": {"urgent": "yes"}}, "boolean", "set.urgent", "no boolean"),
    ("update_field", {"set": {"due_on": "tomorrow"}}, "date", "set.due_on", "no date"),
    ("update_field", {"set": {"contact": "ada"}}, "email", "set.contact", "no address"),
    ("update_field", {"set": {"tags": ["warm"]}}, "multi_select", "set.tags", "no option of a list"),
    ("update_field", {"set": {"name": ["a"]}}, "text", "set.name", "a list for a text"),
    ("update_field", {"set": {"name": {"field": "title"}}}, "known_field", "set.name.field", "copied from nowhere"),
    ("update_field", {"set": {"name": {"field": "urgent"}}}, "same_type", "set.name.field", "a boolean is no text"),
    ("update_field", {"set": {"owner": {"field": "account"}}}, "same_type", "set.owner.field", "an account owns nothing"),
    ("update_field", {"set": {"name": {"template": "{{ deal.title }}"}}}, "known_field", "set.name.template", "a template's field"),
    ("update_field", {"set": {"name": {"template": "{% if %}"}}}, "template", "set.name.template", "a template's syntax"),
    ("update_field", {"set": {"name": {"add": 1}}}, "operation_type", "set.name", "text cannot be reckoned with"),
    ("update_field", {"set": {"amount": {"add": "3 days"}}}, "number", "set.amount.add", "days are no amount"),
    ("update_field", {"set": {"amount": {"add": {"field": "name"}}}}, "number", "set.amount.add.field", "a text is no amount"),
    ("update_field", {"set": {"amount": {"add": {"field": "price"}}}}, "known_field", "set.amount.add.field", "nor is nothing"),
    ("update_field", {"set": {"due_on": {"multiply": 2}}}, "operation_type", "set.due_on", "a date cannot be doubled"),
    ("update_field", {"set": {"due_on": {"add": "3 dais"}}}, "duration", "set.due_on.add", "no duration"),
    ("update_field", {"set": {"stage": {"add": ["Won"]}}}, "operation_type", "set.stage", "one choice, no list"),
    ("update_field", {"set": {"tags": {"add": ["warm"]}}}, "multi_select", "set.tags.add", "no option"),
    ("update_field", {"set": {"name": {"now": True}}}, "operation_type", "set.name", "a text is no time"),
    ("update_field", {"related": "account", "set": {"name": {"clear": True}}}, "required", "set.name", "what is required stays"),
    ("update_field", {"related": "acount"}, "known_field", "related", "no such reference"),
    ("update_field", {"related": "name"}, "reference", "related", "a text leads nowhere"),
    ("update_field", {"related": "account.parent", "set": {"urgent": True}}, "known_field", "set.urgent", "a field of the other record is meant"),
    ("update_field", {"set": {"name": "{{ deal.account.name }}"}}, "needs_template", "set.name", "a template would be written as it stands"),
    ("update_field", {"set": {"owner": "{{ deal.account.owner }}"}}, "needs_field", "set.owner", "and this one would show a name"),
    ("update_field", {"set": {"amount": {"field": "account.fee"}}}, "same_currency", "set.amount.field", "dollars are no euros"),
    ("update_field", {"set": {"amount": {"add": {"field": "account.fee"}}}}, "same_currency", "set.amount.add.field", "nor can they be added"),
    ("update_field", {"related": "account", "set": {"fee": {"subtract": {"field": "amount"}}}}, "same_currency", "set.fee.subtract.field", "whichever way round"),
    ("update_field", {"set": {"due_on": {"add": "24 hours"}}}, "whole_days", "set.due_on.add", "a day of 25 hours would not end"),
    ("update_field", {"set": {"due_on": {"subtract": "1 day 2 hours"}}}, "whole_days", "set.due_on.subtract", "a date has no hours"),
    ("update_field", {"set": {"due_on": {"add": "4 business hours"}}}, "whole_days", "set.due_on.add", "nor working ones"),
    ("update_field", {"set": {"owner": {"template": "{{ deal.account.owner }}"}}}, "needs_field", "set.owner.template", "the owner's name is no id"),
    ("update_field", {"set": {"owner": {"template": " {{- Project.Account.OWNER }}"}}}, "needs_field", "set.owner.template", "in any spelling"),
    ("update_field", {"set": {"due_on": {"template": "{{ deal.met_at }}"}}}, "needs_field", "set.due_on.template", "dates are shown as people read them"),
    ("update_field", {"set": {"share": {"template": "{{ deal.amount }}"}}}, "needs_field", "set.share.template", "and money with its sign"),
    ("update_field", {"related": "account", "set": {"owner": {"template": "{{ record.owner }}"}}}, "needs_field", "set.owner.template", "also of another record"),
    ("set_stage", {"field": "phase"}, "known_field", "field", "no such field"),
    ("set_stage", {"field": "name"}, "stage_field", "field", "a text is no stage"),
    ("set_stage", {"to": "Wno"}, "select", "to", "no such stage"),
    ("assign_owner", {"to": {"field": "account"}}, "recipient_field", "to.field", "an account owns nothing"),
    ("assign_owner", {"to": {"address": "a@b.example"}}, "recipient_channel", "to.address", "an address owns nothing"),
    ("assign_owner", {"to": None, "among": [{"field": "mobile"}], "by": "round_robin"}, "recipient_field", "among[0].field", "nor a phone"),
    ("assign_owner", {"field": "salesperson"}, "known_field", "field", "no such field"),
    ("assign_owner", {"field": "account"}, "user_field", "field", "an account for a user"),
    ("lock_record", {"why": "{{ deal.price }}"}, "known_field", "why", "a template's field"),
    ("unlock_record", {"why": "{{"}, "template", "why", "a template's syntax"),
    ("start_process", {"process": "nothing"}, "known_process", "process", "nothing of that name"),
    ("start_process", {"process": "w"}, "starts_itself", "process", "for ever"),
    ("create_task", {"title": "{{ deal.price }}"}, "known_field", "title", "a template's field"),
    ("create_task", {"assignee": [{"field": "contact"}]}, "recipient_field", "assignee[0].field", "a task is a user's"),
    ("create_task", {"due": "soon"}, "duration", "due", "no duration"),
    ("create_task", {"due": "-1 day"}, "not_negative", "due", "in the past"),
    ("create_task", {"due": {"date": "name"}}, "date_field", "due.date", "a text is no date"),
    ("create_task", {"due": {"date": "due"}}, "known_field", "due.date", "no such field"),
    ("create_task", {"due": {"date": "due_on", "offset": "soon"}}, "duration", "due.offset", "no duration"),
    ("create_task", {"due": {"date": "due_on", "time": "25:00"}}, "time_of_day", "due.time", "no time of day"),
    ("create_task", {"remind": [{"before_due": "1 hour"}, {"after_due": "-1 day"}]}, "not_negative", "remind[1].after_due", "say before_due"),
    ("create_task", {"remind": [{"before_due": "1 hour", "body": "{{ deal.name }}"}]}, "known_field", "remind[0].body", "a reminder speaks of the task"),
    ("create_event", {"starts": {"date": "stage"}}, "date_field", "starts.date", "a stage is no date"),
    ("create_event", {"lasts": "-1 hour"}, "not_negative", "lasts", "it would end before it starts"),
    ("create_event", {"attendees": [{"phone": "+49 30 901820"}]}, "recipient_channel", "attendees[0].phone", "no way to invite"),
    ("create_event", {"organizer": {"field": "contact"}}, "recipient_field", "organizer.field", "a user organizes"),
    ("create_event", {"location": "{{ account.city }}"}, "known_field", "location", "nothing is called so"),
    ("create_sales_record", {"author": {"address": "a@b.example"}}, "recipient_channel", "author.address", "a user writes"),
    ("create_sales_record", {"text": "{{ deal.price }}"}, "known_field", "text", "a template's field"),
    ("run_function", {"function": "scores"}, "known_function", "function", "no such function"),
    ("run_function", {"parameters": {"a": {"field": "price"}}}, "known_field", "parameters.a.field", "no such field"),
    ("run_function", {"parameters": {"a": {"template": "{{ deal.price }}"}}}, "known_field", "parameters.a.template", "a template's field"),
    ("run_function", {"parameters": {"a": "{{ deal.name }}"}}, "needs_template", "parameters.a", "a template would be handed over as it stands"),
    ("run_function", {"parameters": {"a": ["x", "{% if deal.name %}y{% endif %}"]}}, "needs_template", "parameters.a", "in a list too"),
    ("notify", {"to": [{"user": "{{ deal.owner }}"}]}, "needs_field", "to[0].user", "an id is no template"),
    ("create_task", {"assignee": [{"role": "{{ deal.stage }}"}]}, "needs_field", "assignee[0].role", "nor is a role"),
    ("call_webhook", {"body": {"a": {"b": ["{{ deal.price }}"]}}}, "known_field", "body.a.b[0]", "a template's field"),
    ("call_webhook", {"url": "http://crm.example.com/"}, "address", "url", "in plain words over the net"),
    ("notify", {"only_if": {"field": "price", "op": "empty"}}, "known_field", "only_if.field", "a condition's field"),
    ("notify", {"only_if": {"any": [{"field": "stage", "op": "changed_to", "value": "Won"}]}}, "no_before", "only_if.any[0].op", "nothing changes when it acts"),
    ("notify", {"unless_changed": True}, "needs_time", "unless_changed", "nothing changes at once"),
    ("notify", {"cancel_if": {"field": "stage", "op": "changed"}}, "needs_time", "cancel_if", "nothing cancels at once"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "parts", "rule", "path", "reason"), WRONG, ids=[f"{row[0]}: {row[4]}" for row in WRONG]
)
def test_a_mistake_of_meaning_is_named_where_it_is(kind, parts, rule, path, reason):
    found = [mistake for mistake in told(kind, **parts) if mistake != ("unless_changed", "needs_stage")]

    assert found == [(path, rule)], reason


RIGHT = [
    ("notify", {"to": [{"field": "contact"}, {"address": "a@b.example"}], "via": ["inbox", "email"], "subject": "S"}, "addresses, where e-mail goes out too"),
    ("notify", {"body": "{{ Deal.Amount.Currency }} {{ deal.met_at.hour }} {{ entered_at.Year }} {{ deal.account.fee.amount }}"}, "parts of values"),
    ("notify", {"body": None, "template": "letter", "via": ["email", "inbox"]}, "a letter, where e-mail goes out too"),
    ("update_field", {"set": {"name": {"template": "{{ deal.account.name }}"}, "amount": {"divide": {"field": "count"}}, "met_at": {"field": "due_on"}, "share": {"field": "amount"}, "stage": {"field": "account.tier"}}}, "what fits"),
    ("update_field", {"related": "account.parent", "set": {"employees": {"add": {"field": "count"}}, "owner": {"field": "owner"}}}, "a record two references away"),
    ("update_field", {"set": {"owner": {"template": "{{ deal.account.owner.id }}"}, "account": {"template": "{{ deal.contact }}"}, "due_on": {"template": "{{ deal.due_on.year }}-12-31"}, "name": {"template": "{{ deal.account }}"}, "count": {"template": "{{ deal.share }}"}}}, "templates that show what the field takes"),
    ("update_field", {"related": "account", "set": {"fee": {"multiply": {"field": "share"}}, "employees": {"add": {"field": "amount"}}}}, "a share of money, and money as a plain number"),
    ("update_field", {"set": {"amount": {"add": {"field": "amount"}}, "due_on": {"add": "1 month 2 days"}, "met_at": {"add": "4 business hours"}, "name": {"template": "{{ '{{' }}"}}}, "days of a date, hours of a time, braces that are meant"),
    ("assign_owner", {"to": {"manager_of": "account.owner"}, "field": "owner"}, "a manager"),
    ("start_process", {"process": "other"}, "another one of the same set"),
    ("create_task", {"remind": [{"before_due": "1 hour", "subject": "{{ task.title }}", "body": "{{ record.due_at | datetime }}"}]}, "a reminder of the task"),
    ("create_event", {"attendees": [{"field": "contact"}, {"role": "sales"}]}, "users and addresses"),
    ("call_webhook", {"url": "https://hooks.example.com:8443/x?y=1", "body": {"a": "{{ deal.account.name }}", "b": None}}, "a port of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parts", "reason"), RIGHT, ids=[f"{row[0]}: {row[2]}" for row in RIGHT])
def test_what_is_right_is_let_through(kind, parts, reason):
    assert told(kind, **parts) == [], reason


def test_the_fewest_open_records_are_counted_by_the_owner_and_by_no_other_field():
    helped = {**DEAL, "name": "order", "fields": {**DEAL["fields"], "helper": HELPER}}
    unowned = {key: value for key, value in helped.items() if key != "owner_field"}

    def told_of(kind: Mapping[str, Any], **parts: Any) -> list[tuple[str, str]]:
        step = action("assign_owner", {"to": None, "among": [{"role": "desk"}], **parts})
        return [(p.path, p.rule) for p in problems_of(workflow(step, object="order"), kind)]

    assert told_of(helped, by="least_open", field="helper") == [("actions[0].by", "owner_field")]
    assert told_of(unowned, by="least_open", field="helper") == [("actions[0].by", "owner_field")]
    assert told_of(helped, by="least_open", field="owner") == []
    assert told_of(helped, by="round_robin", field="helper") == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://10.0.0.7/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data",
        "https://[::1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://0.0.0.0/", "https://localhost/",
        "https://api.localhost/", "https://crm/", "https://crm.local./", "https://2130706433/", "https://127.1/",
        "https://0x7f.0.0.0x1/", "https://crm.example.com:25/", "http://crm.example.com/", "https://[::ffff:10.0.0.1]/",
        "https://crm.example.com:port/",
    ],
)  # fmt: skip
def test_an_address_in_a_private_network_is_refused_unless_the_stack_is_for_local_use(url):
    step = workflow(action("call_webhook", {"url": url}))
    source = {"kind": "source", "name": "erp", "write_back": url}
    anywhere = replace(TOOLS, any_address=True)

    assert [(p.path, p.rule) for p in problems_of(step)] == [("actions[0].url", "address")]
    assert [(p.path, p.rule) for p in problems_of(source)] == [("write_back", "address")]
    assert problems_of(step, tools=anywhere) == problems_of(source, tools=anywhere) == ()


def test_every_type_of_field_says_what_it_may_take_over():
    assert set(_FITS) == set(FIELD_TYPES)
    assert all(kind in takes and takes <= set(FIELD_TYPES) for kind, takes in _FITS.items())


def test_a_process_is_found_only_for_its_own_object_and_also_where_it_is_still_mistaken():
    foreign = {**OTHER, "name": "foreign", "object": "account"}
    mistaken = {**OTHER, "name": "mistaken", "reentry": "twice"}
    start = [action("start_process", {"name": name, "process": name}) for name in ("foreign", "mistaken")]

    found = problems_of(workflow(*start), foreign, mistaken)

    assert [(p.path, p.rule) for p in found] == [("actions[0].process", "known_process")], (
        "its own mistake is told there"
    )


def test_two_workflows_may_start_each_other_where_they_come_together():
    one = workflow(action("start_process", {"process": "two"}), name="one")
    two = workflow(action("start_process", {"process": "one"}), name="two")

    assert [c.problems for c in check_definitions([DEAL, ACCOUNT, one, two], Nothing(), TOOLS)] == [()] * 4


# --- triggers -------------------------------------------------------------------------------------------------------

TRIGGERS = [
    ({"on": "stage_entered", "field": "stage", "is": "Won"}, [], "a stage"),
    ({"on": "stage_left", "field": "stage", "is": ["Won", "Lost"]}, [], "stages that are left"),
    ({"on": "date", "field": "due_on", "offset": "-1 day", "time": "09:00"}, [], "a date"),
    ({"on": "stage_entered", "field": "stage", "is": "Wno"}, [("trigger.is", "select")], "no option"),
    ({"on": "stage_left", "field": "phase", "is": "Won"}, [("trigger.field", "stage_field")], "no field"),
    ({"on": "stage_entered", "field": "stage"}, [("trigger.is", "required")], "which stage?"),
    ({"on": "stage_entered", "field": "stage", "is": []}, [("trigger.is", "count")], "which stage?"),
    ({"on": "date"}, [("trigger.field", "required")], "which date?"),
    ({"on": "date", "field": "name"}, [("trigger.field", "date_field")], "a text is no date"),
    ({"on": "date", "field": "account.since"}, [("trigger.field", "form")], "a date of the record itself"),
    ({"on": "updated", "fields": ["phase"]}, [("trigger.fields[0]", "known_field")], "no field"),
    ({"on": "created", "fields": ["stage"]}, [("trigger", "trigger_fields")], "everything is new"),
    ({"on": "created", "field": "stage"}, [("trigger.field", "unknown_key")], "fields of an update"),
    ({"on": "stage_exited"}, [("trigger.on", "available")], "an event of pipelines"),
    ({"on": "pipeline_won"}, [("trigger.on", "available")], "an event of pipelines"),
    ({"on": "changed"}, [("trigger.on", "one_of")], "no event"),
    ({}, [("trigger.on", "required")], "which event?"),
    (None, [("", "stage_or_trigger")], "when?"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "mistakes", "reason"), TRIGGERS, ids=[f"{t}: {r}" for t, _, r in TRIGGERS])
def test_what_lets_a_record_in(trigger, mistakes, reason):
    of_workflow = problems_of(workflow(action("lock_record", {}), trigger=trigger))
    timed = action("lock_record", {"at": {"after": "1 hour"}})
    scenario = {"kind": "scenario", "name": "s", "object": "deal", "trigger": trigger, "steps": [timed]}

    assert [(p.path, p.rule) for p in of_workflow] == mistakes, reason
    assert [(p.path, p.rule) for p in problems_of(scenario)] == mistakes, "and the same for a scenario"


@pytest.mark.parametrize(
    ("kind", "parts", "allowed"),
    [
        ("notify", {}, True),
        ("update_field", {"related": "account", "set": {"employees": 1}}, True),
        ("update_field", {}, False),
        ("set_stage", {}, False),
        ("lock_record", {}, False),
        ("start_process", {"process": "other"}, False),
    ],
)
def test_what_is_deleted_is_told_of_and_not_changed(kind, parts, allowed):
    found = problems_of(workflow(action(kind, parts), trigger={"on": "deleted"}))

    assert [(p.path, p.rule) for p in found] == ([] if allowed else [("actions[0].type", "needs_record")])


def test_a_workflow_that_waits_may_be_cancelled_and_one_that_does_not_may_not():
    cancel = {"field": "stage", "op": "changed"}
    late = action("lock_record", {"at": {"after": "1 hour"}, "cancel_if": cancel})

    assert problems_of(workflow(late, cancel_if=cancel)) == ()
    at_once = problems_of(workflow(action("lock_record", {}), cancel_if=cancel))
    assert [(p.path, p.rule) for p in at_once] == [("cancel_if", "needs_time")]


@pytest.mark.parametrize(
    ("trigger", "asks_for_a_change"),
    [
        ({"on": "created"}, True),
        ({"on": "updated"}, True),
        ({"on": "saved"}, True),
        ({"on": "stage_left", "field": "stage", "is": "Won"}, True),
        ({"on": "deleted"}, False),
        ({"on": "manual"}, False),
        ({"on": "date", "field": "due_on"}, False),
    ],
)
def test_only_what_a_change_lets_in_may_ask_for_one(trigger, asks_for_a_change):
    wants = {"not": {"field": "amount", "op": "not_changed"}}

    found = problems_of(workflow(action("notify", {}), trigger=trigger, only_if=wants))

    assert [(p.path, p.rule) for p in found] == ([] if asks_for_a_change else [("only_if.not.op", "no_before")])


def test_the_problems_of_a_workflow_of_an_unknown_object_are_few():
    found = problems_of(workflow(action("set_stage", {}), object="lead"))

    assert [(p.path, p.rule) for p in found] == [("object", "known_object")]


# --- functions ------------------------------------------------------------------------------------------------------

FUNCTIONS = [
    ({"timeout": 60, "sets": {"deal": ["amount"]}}, [], "in full"),
    ({"arn": SCORE["arn"] + ":live"}, [], "an alias"),
    ({"arn": SCORE["arn"] + ":$LATEST"}, [], "a version"),
    ({"arn": "score"}, [("arn", "form")], "a name is no ARN"),
    ({"arn": "arn:aws:sqs:eu-central-1:123456789012:score"}, [("arn", "form")], "a queue"),
    ({"timeout": 0}, [("timeout", "range")], "no time at all"),
    ({"timeout": 61}, [("timeout", "range")], "longer than a step waits"),
    ({"timeout": "10 seconds"}, [("timeout", "integer")], "a number of seconds"),
    ({"sets": {"lead": ["name"]}}, [("sets.lead", "known_object")], "no object"),
    ({"sets": {"deal": ["price"]}}, [("sets.deal[0]", "known_field")], "no field"),
    ({"sets": {"deal": []}}, [("sets.deal", "count")], "nothing to set is said by leaving it out"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "mistakes", "reason"), FUNCTIONS, ids=[row[2] for row in FUNCTIONS])
def test_what_a_function_says(parts, mistakes, reason):
    assert [(p.path, p.rule) for p in problems_of({**SCORE, "name": "f", **parts})] == mistakes, reason


# --- objects, templates, sources ------------------------------------------------------------------------------------

OBJECTS = [
    ({"closed_if": {"field": "name", "op": "eq", "value": "x"}}, [], "a condition on itself"),
    ({"closed_if": {"field": "nmae", "op": "empty"}}, [("closed_if.field", "known_field")], "no field"),
    ({"closed_if": {"any": [{"not": {"field": "owner.name", "op": "empty"}}]}}, [("closed_if.any[0].not.field", "own_field")], "another record's field"),
    ({"closed_if": {"field": "name", "op": "eq", "value": {"field": "owner.name"}}}, [("closed_if.value.field", "own_field")], "compared with another record"),
    ({"closed_if": {"field": "name", "op": "changed"}}, [("closed_if.op", "no_before")], "nothing was before"),
    ({"closed_if": {"field": "day", "op": "older_than", "value": "3 days"}}, [("closed_if.op", "no_time")], "nobody looks later"),
    ({"record_url": "https://crm.example.com/{{ id }}/{{ name }}"}, [], "own fields by bare names"),
    ({"record_url": "https://crm.example.com/{{ nmae }}"}, [("record_url", "known_field")], "no field"),
    ({"record_url": "https://crm.example.com/{{ id"}, [("record_url", "template")], "no template"),
    ({"record_url": "http://crm.example.com/{{ id }}"}, [("record_url", "address")], "in plain words over the net"),
    ({"record_url": "https://{{ name }}/"}, [("record_url", "form")], "anybody's host"),
    ({"record_url": "crm.example.com"}, [("record_url", "form")], "no address"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "mistakes", "reason"), OBJECTS, ids=[row[2] for row in OBJECTS])
def test_what_an_object_says_of_its_records(parts, mistakes, reason):
    fields = {"name": {"type": "text"}, "day": {"type": "date"}, "owner": {"type": "reference", "object": "user"}}

    found = problems_of({"kind": "object", "name": "thing", "fields": fields, **parts})

    assert [(p.path, p.rule) for p in found] == mistakes, reason


BUILT_INS = [
    ({"fields": {"room": {"type": "text"}}}, [], "a field of one's own"),
    ({"fields": {"state": {"type": "select"}}}, [], "a built-in field, as it is"),
    ({"fields": {"title": {"type": "integer"}}}, [("fields.title.type", "built_in")], "of another type"),
    ({"fields": {"state": {"type": "select", "options": ["on", "off"]}}}, [("fields.state.options", "built_in")], "with other options"),
    ({"fields": {"title": {"type": "text", "required": True}}}, [("fields.title.required", "built_in")], "asked for, though our own may lack it"),
    ({"fields": {"boss": {"type": "reference", "object": "user"}}, "owner_field": "boss"}, [("owner_field", "built_in")], "another owner"),
    ({"fields": {"room": {"type": "text"}}, "closed_if": {"field": "room", "op": "empty"}}, [("closed_if", "built_in")], "another end"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "mistakes", "reason"), BUILT_INS, ids=[row[2] for row in BUILT_INS])
@pytest.mark.parametrize("name", ["task", "calendar_event"])
def test_a_built_in_object_may_get_fields_and_keeps_what_it_has(name, parts, mistakes, reason):
    found = problems_of({"kind": "object", "name": name, **parts})

    assert [(p.path, p.rule) for p in found] == mistakes, reason


def test_a_built_in_field_that_takes_any_word_gets_no_options_that_nobody_would_hold_it_to():
    roles = {"type": "multi_select", "options": ["seller"]}

    found = problems_of({"kind": "object", "name": "user", "fields": {"roles": roles}})

    assert [(p.path, p.rule) for p in found] == [("fields.roles.options", "built_in")]
    assert "any word" in found[0].message


def test_the_built_in_objects_themselves_are_right():
    for name, document in DOCUMENTS.items():
        problems: list[Problem] = []
        if document.get("closed_if"):
            compile_condition(document["closed_if"], name, BUILT_IN, problems, "closed_if")
        assert problems == []


def test_the_attendees_of_an_event_are_recipients_of_any_message():
    attendees = [{"field": "attendees"}]
    about_events = workflow(
        action("notify", {"name": "a", "to": attendees}),
        action("send_email", {"name": "b", "to": attendees}),
        action("send_sms", {"name": "c", "to": attendees}),
        object="calendar_event",
    )

    assert problems_of(about_events) == ()
    nobodys = problems_of(workflow(action("notify", {"to": [{"field": "tags"}]})))
    assert [(p.path, p.rule) for p in nobodys] == [("actions[0].to[0].field", "recipient_field")]


PARTS = [
    ({"channel": "inbox", "text": "T"}, [], "a text"),
    ({"channel": "inbox", "text": "T", "subject": "S"}, [], "with a subject"),
    ({"channel": "inbox", "subject": "S"}, [("", "template_parts")], "a subject is no text"),
    ({"channel": "inbox", "text": "T", "html": "<p>"}, [("", "template_parts")], "an inbox shows plain text"),
    ({"channel": "wechat_official", "text": "T"}, [("channel", "available")], "a channel of a later version"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "mistakes", "reason"), PARTS, ids=[row[2] for row in PARTS])
def test_what_a_template_of_each_channel_has(parts, mistakes, reason):
    assert [(p.path, p.rule) for p in problems_of({"kind": "template", "name": "t", **parts})] == mistakes, reason


@pytest.mark.parametrize("name", ["stagebell", "api", "manual"])
def test_no_source_is_called_as_our_own_changes_are(name):
    assert [(p.path, p.rule) for p in problems_of({"kind": "source", "name": name})] == [("name", "reserved")]
