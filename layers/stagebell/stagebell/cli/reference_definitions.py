"""The page of definitions: every kind with its keys, and an example of each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from stagebell.cli.markdown import code, codes, page, table, yaml
from stagebell.contracts.definitions import calendars, moments, objects, recipients, steps, triggers
from stagebell.contracts.definitions.kinds import KINDS
from stagebell.contracts.schemas import schema_of

EXAMPLES: Mapping[str, str] = {
    "object": """
kind: object
name: deal
alias: Project              # a second name in templates: {{ Project.name }}
title: "{{ name }}"
owner_field: owner
record_url: https://crm.example.com/deals/{{ id }}
closed_if: {field: stage, op: in, value: [Won, Lost]}
fields:
  name: {type: text, required: true}
  amount: {type: currency, currency: EUR}
  stage: {type: select, options: [Salesperson not assigned, Quotation in progress, Won, Lost]}
  owner: {type: reference, object: user}
  due_on: {type: date}
""",
    "calendar": """
kind: calendar
name: office
timezone: Europe/Berlin
holidays: {country: DE, subdivision: BE}
working_hours:
  mon: ["09:00-12:30", "13:30-17:30"]
  fri: ["09:00-15:00"]
dates: [2026-12-24]
working_dates: [2026-12-19]
""",
    "source": """
kind: source
name: erp
format: stagebell
""",
    "template": """
kind: template
name: unassigned
channel: email
subject: "{{ deal.name }} has no salesperson"
html: "<p>{{ deal.name }} waits since {{ entered_at | datetime }}.</p>"
""",
    "function": """
kind: function
name: score
arn: arn:aws:lambda:eu-central-1:123456789012:function:deal-score:live
timeout: 5
sets: {deal: [amount]}      # what its answer may set
""",
    "workflow": """
kind: workflow
name: quotation-begun
object: deal
trigger: {on: stage_entered, field: stage, is: Quotation in progress}
only_if: {field: owner, op: not_empty}
actions:
  - {name: tell, type: notify, to: [{field: owner}], body: "{{ deal.name }}: please write the quotation."}
  - name: task
    type: create_task
    title: "Quotation for {{ deal.name }}"
    assignee: [{field: owner}]
    due: 3 business days
---
kind: workflow
name: due-tomorrow
object: deal
trigger: {on: date, field: due_on, offset: -1 day, time: "09:00"}
only_if: {field: stage, op: ne, value: Won}     # looked at when the date is reached
actions:
  - {name: ring, type: notify, to: [{field: owner}], body: "{{ deal.name }} is due tomorrow."}
""",
    "scenario": """
kind: scenario
name: salesperson-not-assigned
object: deal
stage: {field: stage, is: Salesperson not assigned}
only_if: {field: amount, op: gte, value: 1000}
cancel_if: {field: owner, op: not_empty}
timezone: Europe/Berlin
calendar: office
steps:
  - name: first-mail
    at: {after: 5 minutes}
    unless_changed: true
    type: send_email
    to: [{role: sales_manager}]
    template: unassigned
  - name: before-it-is-due
    at: {date: due_on, offset: -3 business days, time: "09:00"}
    quiet_hours: {from: "20:00", to: "07:00"}
    type: send_sms
    to: [{field: owner}]
    text: "{{ deal.name }} is due on {{ deal.due_on | date }}"
""",
}
PARTS: Mapping[str, Sequence[tuple[str, str, type[BaseModel]]]] = {
    "object": (
        (
            "fields of most types",
            "`type` is one of " + codes(("text", "integer", "decimal", "boolean")) + " …",
            objects.PlainField,
        ),
        ("select fields", "`type` is `select` or `multi_select`", objects.SelectField),
        ("amounts of money", "`type` is `currency`", objects.CurrencyField),
        ("references", "`type` is `reference`", objects.ReferenceField),
    ),
    "calendar": (("`holidays`", "the public holidays it keeps", calendars.Holidays),),
    "workflow": (
        ("`stage`", "what lets a record in", triggers.Stage),
        ("`trigger`", "or a change of it", triggers.OnChange),
        ("`trigger`", "or entering or leaving a stage", triggers.OnStage),
        ("`trigger`", "or a date", triggers.OnDay),
        ("an action", "adds to its [kind](actions.md), where it does not act at once", steps.MaybeTimed),
        ("`at`", "after an origin", moments.After),
        ("`at`", "or on a date", moments.OnDate),
        ("`quiet_hours`", "when nobody is disturbed", moments.QuietHours),
        ("a recipient", "exactly one of these keys", recipients.Recipient),
    ),
    "scenario": (
        (
            "a step",
            "adds to its [kind of action](actions.md); triggers, times and recipients as in workflows",
            steps.Timed,
        ),
    ),
}


def definitions_page() -> str:
    return page(
        "Definitions",
        "Definitions are YAML documents, several to a file where they are divided by `---`. `stagebell validate DIR` "
        "checks them without an AWS account, and [schemas](schemas) complete them in an editor. Conditions are "
        "explained under [operators](operators.md).",
        *(block for kind in KINDS for block in _kind(kind)),
    )


def _kind(kind: str) -> Iterator[str]:
    model = KINDS[kind]
    yield f"## {code(kind)}"
    yield (model.__doc__ or "").strip()
    yield yaml(EXAMPLES[kind])
    yield keys(model)
    for name, what, part in PARTS.get(kind, ()):
        yield f"{name[0].upper()}{name[1:]}, {what}:"
        yield keys(part)


def keys(model: type[BaseModel]) -> str:
    """The keys of a model as a table."""
    schema = schema_of(model)
    required, defined = schema.get("required", ()), schema.get("$defs", {})
    rows = [
        (code(name), _shape(spec, defined), _needed(name in required, spec), _described(spec, defined))
        for name, spec in schema["properties"].items()
    ]
    return table(("key", "value", "needed", "meaning"), rows)


def _resolved(spec: Mapping[str, Any], defined: Mapping[str, Any]) -> Mapping[str, Any]:
    name = spec.get("$ref", "").rpartition("/")[2]
    return {**_resolved(defined[name], defined), **spec} if name else spec


def _needed(required: bool, spec: Mapping[str, Any]) -> str:
    if required:
        return "yes"
    match spec.get("default"):
        case None:
            return "no"
        case bool(default):
            return f"no: {code(str(default).lower())}"
        case list(default):
            return f"no: {codes(default)}"
        case default:
            return f"no: {code(str(default))}"


def _described(spec: Mapping[str, Any], defined: Mapping[str, Any]) -> str:
    return str(spec.get("description") or _resolved(spec, defined).get("description") or "")


def _shape(spec: Mapping[str, Any], defined: Mapping[str, Any]) -> str:
    full = _resolved(spec, defined)
    match full:
        case {"const": True}:
            return code("true")
        case {"const": word}:
            return code(str(word))
        case {"enum": words}:
            return codes(map(str, words))
        case {"type": "array", "items": items}:
            return f"list of {_plural(_shape(items, defined))}"
        case {"oneOf": parts}:
            shapes = [_shape(part, defined) for part in parts]
            return "mapping" if set(shapes) == {"mapping"} else f"{shapes[0]} or mapping"
        case {"type": "object"}:
            return "mapping"
        case {"anyOf": _}:
            return "mapping" if "Condition" in spec.get("$ref", "") else "value or list"
        case {"type": kind}:
            return {"string": "text", "boolean": "true or false"}.get(str(kind), str(kind))
        case _:
            return "mapping"


def _plural(shape: str) -> str:
    return {"text": "texts", "mapping": "mappings"}.get(shape, shape)
