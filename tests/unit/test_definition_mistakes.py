"""A set of definitions with one mistake of each kind: which rule names it, at which path, in which line."""

# ruff: noqa: E501  # a table is read in rows

import copy
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stagebell.cli.files import located, read_directory
from stagebell.cli.tools import offline_tools
from stagebell.services.check import check_definitions
from stagebell.services.checks.world import Nothing

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE_SETS = ["deals", "incidents", "loans", "projects", "work_orders"]
HERE = "#HERE"

# reason, file, what stands there, what is written instead (the marked line is the one to be named), rule, path
MISTAKES = [
    # -- form
    ("a kind there is not", "objects", "kind: calendar", f"kind: calender {HERE}", "known_kind", "kind"),
    ("a kind of a later version", "objects", "kind: calendar", f"kind: pipeline {HERE}", "available", "kind"),
    ("a definition without a kind", "objects", "kind: calendar\nname", f"label: Office {HERE}\nname", "required", "kind"),
    ("a name with a space", "objects", "name: office", f"name: our office {HERE}", "form", "name"),
    ("an object name in capitals", "objects", "name: account\n", f"name: Account {HERE}\n", "form", "name"),
    ("a mistyped key", "scenarios", "reentry: every", f"re_entry: every_entry {HERE}\n#", "unknown_key", "re_entry"),
    ("a missing part", "scenarios", "is: Quotation in progress}", f"}} {HERE}", "required", "stage.is"),
    ("a word that is not a choice", "scenarios", "reentry: every_entry", f"reentry: twice {HERE}", "one_of", "reentry"),
    ("text for a boolean", "objects", "authoritative: true", f"authoritative: yes {HERE}", "boolean", "authoritative"),
    ("a number for text", "objects", "label: ERP", f"label: 7 {HERE}", "text", "label"),
    ("a mapping for a list", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: {{role: a}} {HERE}", "list", "steps[1].cc"),
    ("text for a mapping", "scenarios", "at: {after: 5 minutes}", f"at: 5 minutes {HERE}", "moment", "steps[0].at"),
    ("an empty list", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [] {HERE}", "count", "steps[1].cc"),
    ("a text that is too long", "objects", "label: ERP", f"label: {'x' * 201} {HERE}", "length", "label"),
    ("a source over plain http", "objects", "https://crm", f"http://crm.example.com {HERE}\n#", "address", "write_back"),
    ("a source of a later format", "objects", "label: ERP", f"format: hubspot {HERE}", "one_of", "format"),
    ("a field type there is not", "objects", "due_on: {type: date}", f"due_on: {{type: day}} {HERE}", "field_type", "fields.due_on.type"),
    ("a field called id", "objects", "website: {", f"id: {{type: text}} {HERE}\n  website: {{", "reserved", "fields.id"),
    ("a field name in capitals", "objects", "website: {", f"Web: {{type: text}} {HERE}\n  website: {{", "form", "fields.Web"),
    ("an option twice", "objects", "Won, Lost]}", f"Won, Won]}} {HERE}", "unique_option", "fields.stage.options"),
    ("money without currency", "objects", "currency, currency: EUR}", f"currency}} {HERE}", "required", "fields.amount.currency"),
    ("options of a text", "objects", "country: {type: text}", f"country: {{type: text, options: [a]}} {HERE}", "unknown_key", "fields.country.options"),
    ("a step type there is not", "scenarios", "type: send_sms", f"type: send_fax {HERE}", "action_type", "steps[2].type"),
    ("two recipients in one", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [{{role: a, user: b}}] {HERE}", "exactly_one", "steps[1].cc[0]"),
    ("too many recipients", "scenarios", "  - name: second-mail", f"  - bcc: [{', '.join(['{role: a}'] * 50)}] {HERE}\n    name: second-mail", "recipient_limit", "steps[1]"),
    ("template and text", "scenarios", "  - name: last-sms", f"  - text: Hello {HERE}\n    name: last-sms", "one_content", "steps[2]"),
    ("two steps of one name", "scenarios", "name: second-mail", f"name: first-mail {HERE}", "unique_name", "steps[1].name"),
    ("stage and trigger", "scenarios", "kind: scenario\nname: quotation-due", f"kind: scenario {HERE}\nname: quotation-due\ntrigger: {{on: created}}", "stage_or_trigger", ""),
    ("a trigger of a later version", "scenarios", "stage: {field: stage, is: Quotation in progress}", f"trigger: {{on: stage_overdue}} {HERE}", "available", "trigger.on"),
    ("a condition without a shape", "scenarios", "only_if: {field: due_on, op: not_empty}", f"only_if: due_on {HERE}", "mapping", "only_if"),
    ("a template of a later channel", "templates", "channel: sms", f"channel: wechat_official {HERE}", "available", "channel"),
    ("an e-mail without a subject", "templates", 'kind: template\nname: unassigned\nchannel: email\nsubject: "{{ deal.name }} has no salesperson"', f"kind: template {HERE}\nname: unassigned\nchannel: email", "template_parts", ""),
    ("a sender id of digits", "scenarios", "    template: unassigned-sms", f'    template: unassigned-sms\n    sender_id: "12345" {HERE}', "form", "steps[2].sender_id"),
    # -- text
    ("a key twice", "objects", "label: ERP", f"label: ERP\nlabel: SAP {HERE}", "duplicate_key", ""),
    ("a merge key", "objects", "website: {type: url}", f"website: {{type: url, <<: {{}}}} {HERE}", "key", "fields.website"),
    ("a tag of Python", "objects", "label: ERP", f"label: !!python/name:os.system '' {HERE}", "tag", "label"),
    # -- objects
    ("a reference to nothing", "objects", "account: {type: reference, object: account}", f"account: {{type: reference, object: acount}} {HERE}", "known_object", "fields.account.object"),
    ("an owner who is no user", "objects", "owner_field: owner\nfields:\n  name: {type: text, required: true}\n  amount", f"owner_field: account {HERE}\nfields:\n  name: {{type: text, required: true}}\n  amount", "user_field", "owner_field"),
    ("an owner field there is not", "objects", "owner_field: owner\nfields:\n  name: {type: text, required: true}\n  amount", f"owner_field: boss {HERE}\nfields:\n  name: {{type: text, required: true}}\n  amount", "known_field", "owner_field"),
    ("an alias that is taken", "objects", "owner_field: owner\nfields:\n  name: {type: text, required: true}\n  phone", f"alias: Deal {HERE}\nowner_field: owner\nfields:\n  name: {{type: text, required: true}}\n  phone", "unique_alias", "alias"),
    ("an alias that means something", "objects", "owner_field: owner\nfields:\n  name: {type: text, required: true}\n  phone", f"alias: Recipient {HERE}\nowner_field: owner\nfields:\n  name: {{type: text, required: true}}\n  phone", "reserved", "alias"),
    ("a title with a wrong field", "objects", 'label: Account\ntitle: "{{ name }}"', f'label: Account\ntitle: "{{{{ nmae }}}}" {HERE}', "known_field", "title"),
    # -- calendars
    ("a time zone there is not", "objects", "timezone: Europe/Berlin", f"timezone: Europe/Potsdam {HERE}", "timezone", "timezone"),
    ("a country without holidays", "objects", "holidays: {country: DE, subdivision: BE}", f"holidays: {{country: XX}} {HERE}", "holidays", "holidays"),
    ("a date there is not", "objects", "dates: [2026-12-24, 2026-12-31]", f"dates: [2026-02-30] {HERE}", "dates", "dates"),
    ("hours that end before they start", "objects", "working_hours:\n  mon: [\"09:00-17:30\"]", f"working_hours: {HERE}\n  mon: [\"17:30-09:00\"]", "working_hours", "working_hours"),
    # -- templates
    ("template syntax", "templates", 'subject: "{{ deal.name }} has', f'subject: "{{{{ deal.name }} has" {HERE}\n#', "template", "subject"),
    ("reaching into Python", "templates", 'subject: "{{ deal.name }} has', f"subject: \"{{{{ ''.__class__ }}}}\" {HERE}\n#", "template", "subject"),
    ("a field there is not", "templates", 'subject: "{{ deal.name }} has', f'subject: "{{{{ deal.acount.name }}}}" {HERE}\n#', "known_field", "subject"),
    ("a field of a value", "templates", 'subject: "{{ deal.name }} has', f'subject: "{{{{ deal.name.first }}}}" {HERE}\n#', "known_field", "subject"),
    ("a thing there is not", "templates", 'subject: "{{ deal.name }} has', f'subject: "{{{{ lead.name }}}}" {HERE}\n#', "known_field", "subject"),
    ("an SMS that can never fit", "templates", 'text: "{{ deal.name }} ({{', f'text: "{"much " * 400}" {HERE}\n#', "sms_size", "text"),
    # -- scenarios
    ("an object there is not", "scenarios", "object: deal\nstage: {field: stage, is: Quotation", f"object: lead {HERE}\nstage: {{field: stage, is: Quotation", "known_object", "object"),
    ("a stage that is no option", "scenarios", "is: Quotation in progress}", f"is: Quotation}} {HERE}", "select", "stage.is"),
    ("a stage field there is not", "scenarios", "{field: stage, is: Quotation in progress}", f"{{field: phase, is: Quotation}} {HERE}", "stage_field", "stage.field"),
    ("a condition on a field there is not", "scenarios", "{field: amount, op: gte, value: 1000}", f"{{field: amont, op: gte, value: 1000}} {HERE}", "known_field", "only_if.field"),
    ("an operator there is not", "scenarios", "op: gte, value: 1000}", f"op: ge, value: 1000}} {HERE}", "known_operator", "only_if.op"),
    ("an operator of another type", "scenarios", "op: gte, value: 1000}", f"op: starts_with, value: a}} {HERE}", "operator_type", "only_if.op"),
    ("a value of another type", "scenarios", "op: gte, value: 1000}", f"op: gte, value: much}} {HERE}", "currency", "only_if.value"),
    ("a duration that is none", "scenarios", "after: 5 minutes", f"after: 5 minuts}} {HERE}\n    #", "duration", "steps[0].at.after"),
    ("a delay of more than five years", "scenarios", "after: 5 minutes", f"after: 6 years}} {HERE}\n    #", "duration", "steps[0].at.after"),
    ("a time of day that is none", "scenarios", 'offset: -3 business days, time: "09:00"}', f'offset: -3 days, time: "25:00"}} {HERE}', "time_of_day", "steps[0].at.time"),
    ("a date that is a text", "scenarios", "date: due_on, offset", f"date: name}} {HERE}\n    #", "date_field", "steps[0].at.date"),
    ("quiet hours that are none", "scenarios", 'to: "07:00"}', f'to: "7"}} {HERE}', "quiet_hours", "steps[2].quiet_hours"),
    ("a calendar there is not", "scenarios", "calendar: office", f"calendar: factory {HERE}", "known_calendar", "calendar"),
    ("a zone there is not", "scenarios", "past_due: skip\ntimezone: Europe/Berlin", f"past_due: skip\ntimezone: Berlin {HERE}", "timezone", "timezone"),
    ("a template there is not", "scenarios", "template: unassigned-sms", f"template: assigned-sms {HERE}", "known_template", "steps[2].template"),
    ("a template of another channel", "scenarios", "template: unassigned-sms", f"template: unassigned {HERE}", "template_channel", "steps[2].template"),
    ("a recipient who is no user", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [{{field: account}}] {HERE}", "recipient_field", "steps[1].cc[0].field"),
    ("a phone for an e-mail", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [{{field: account.phone}}] {HERE}", "recipient_field", "steps[1].cc[0].field"),
    ("the manager of a text", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [{{manager_of: name}}] {HERE}", "recipient_field", "steps[1].cc[0].manager_of"),
    ("a recipient's path to nowhere", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [{{field: account.boss}}] {HERE}", "known_field", "steps[1].cc[0].field"),
    ("a workflow's field there is not", "orders/workflows", "due: 1 business day", f"due: {{date: due}} {HERE}", "known_field", "actions[1].due.date"),
    ("a value that does not fit", "orders/workflows", "set: {tags: {add: [over-budget]}}}", f"set: {{tags: {{add: [late]}}}}}} {HERE}", "multi_select", "actions[0].set.tags.add"),
    ("a process there is not", "orders/workflows", "process: before-it-is-due}", f"process: before-it-is-over}} {HERE}", "known_process", "actions[4].process"),
    ("a function there is not", "orders/workflows", "function: score", f"function: scores {HERE}", "known_function", "actions[1].function"),
    ("a step without a time", "orders/workflows", 'name: ring\n    at: {date: due_on, offset: -7 days, time: "09:00"}', f"name: ring {HERE}", "required", "steps[0].at"),
    ("a stage that is no stage", "orders/workflows", "to: In progress}", f"to: Begun}} {HERE}", "select", "actions[1].to"),
    ("a function that sets what there is not", "orders/objects", "[risk, tags]", f"[risk, tag] {HERE}", "known_field", "sets.work_order[1]"),
    ("an end that depends on others", "orders/objects", "closed_if: {field: status, op: in, value: [Delivered, Lost]}", f"closed_if: {{field: customer.name, op: empty}} {HERE}", "own_field", "closed_if.field"),
    ("an address that is none", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [{{address: ada}}] {HERE}", "email", "steps[1].cc[0].address"),
    ("a given phone for an e-mail", "scenarios", "cc: [{manager_of: account.owner}]", f"cc: [{{phone: '+49 30 901820'}}] {HERE}", "recipient_channel", "steps[1].cc[0].phone"),
]  # fmt: skip


def found_in(place: Path) -> list[tuple[int, str, str]]:
    library = read_directory(place)
    checked = check_definitions(library.documents, Nothing(), offline_tools())
    return [(p.line, p.rule, p.path) for p in located(library, [result.problems for result in checked])]


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "path"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_mistake_is_named_with_its_line_rule_and_path(
    tmp_path: Path, file: str, old: str, new: str, rule: str, path: str
) -> None:
    example = "work_orders" if file.startswith("orders/") else "deals"
    place = shutil.copytree(EXAMPLES / example, tmp_path / example)
    file = file.removeprefix("orders/")
    text = (place / f"{file}.yaml").read_text()
    assert old in text
    changed = text.replace(old, new, 1)
    (place / f"{file}.yaml").write_text(changed.replace(HERE, "# here"))

    found = found_in(place)

    line = next(n for n, words in enumerate(changed.splitlines(), start=1) if HERE in words)
    assert (line, rule, path) in found


@pytest.mark.parametrize("name", EXAMPLE_SETS)
def test_the_examples_have_no_mistake(name: str) -> None:
    assert found_in(EXAMPLES / name) == []


def test_the_examples_can_be_active_together() -> None:
    together: dict[tuple[str, str], Mapping[str, Any]] = {}
    for document in (d for name in EXAMPLE_SETS for d in read_directory(EXAMPLES / name).documents):
        key = (document["kind"], document["name"])
        assert together.setdefault(key, document) == document, f"{key} is not the same in two of the sets"

    assert [r.problems for r in check_definitions([*together.values()], Nothing(), offline_tools()) if r.problems] == []


def test_mistakes_of_form_and_of_meaning_are_told_in_one_go(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        """\
kind: scenario
name: welcome
object: user
steps:
  - 3
  - name: mail
    at: {after: 5 minuts}
    unless_change: true
    type: send_email
    to: [{}, {field: boss}]
    subject: "{{ user.nam }}"
    text: Hello
"""
    )

    assert found_in(tmp_path) == [
        (1, "stage_or_trigger", ""),
        (5, "action_type", "steps[0]"),
        (7, "duration", "steps[1].at.after"),
        (8, "unknown_key", "steps[1].unless_change"),
        (10, "exactly_one", "steps[1].to[0]"),
        (10, "known_field", "steps[1].to[1].field"),
        (11, "known_field", "steps[1].subject"),
    ]


def test_a_mistake_in_an_object_is_not_told_again_for_everything_that_uses_it(tmp_path: Path) -> None:
    place = shutil.copytree(EXAMPLES / "deals", tmp_path / "deals")
    text = (place / "objects.yaml").read_text()
    (place / "objects.yaml").write_text(text.replace("due_on: {type: date}", "due_on: {type: day}"))

    assert [(rule, path) for _, rule, path in found_in(place)] == [("field_type", "fields.due_on.type")]


TOOLS = offline_tools()
JUNK = [None, 3, "", [], {}, [[]], True, "{{", "\x00\ud800"]


@pytest.mark.parametrize(
    "file", ["deals/objects", "deals/scenarios", "deals/templates", "work_orders/objects", "work_orders/workflows"]
)
def test_no_junk_anywhere_makes_the_check_itself_fail(file: str) -> None:
    documents = read_directory(EXAMPLES / f"{file}.yaml").documents
    objects = [d for d in read_directory(EXAMPLES / "work_orders/objects.yaml").documents if "workflows" in file]
    for document in documents:
        for path in _paths(document):
            for junk in JUNK:  # beside its objects, so that all of it is looked at
                check_definitions([*objects, _with(document, path, junk)], Nothing(), TOOLS)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _paths(part, (*path, key))


def _with(document: Any, path: tuple[Any, ...], junk: object) -> Any:
    changed = copy.deepcopy(document)
    around = changed
    for key in path[:-1]:
        around = around[key]
    around[path[-1]] = junk
    return changed
