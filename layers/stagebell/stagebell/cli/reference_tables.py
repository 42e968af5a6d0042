"""Pages of the reference that are tables of the code: operators, errors, limits."""

from collections.abc import Iterator, Sequence

from stagebell.api import endpoints, request
from stagebell.cli.markdown import code, codes, page, table, yaml
from stagebell.contracts.definitions import (
    calls,
    follow_ups,
    functions,
    json_values,
    objects,
    recipients,
    record_changes,
    templates,
)
from stagebell.contracts.problem_documents import KINDS
from stagebell.domain import changes, conditions, errors, executions, limits, paths, records, scenarios, sms
from stagebell.domain import fields as field_rules
from stagebell.domain.errors import StagebellError
from stagebell.domain.operators import LISTS, MOMENT, NUMBER, OPERATORS, TEXT, Operator
from stagebell.ports.definitions import ACTIVE_LIMIT
from stagebell.runtime import settings
from stagebell.services import copies, receive, requests

FAMILIES = (("texts", TEXT), ("numbers", NUMBER), ("dates and times", MOMENT), ("lists", LISTS))
NEEDS = {
    "nothing": "none",
    "value": "one value, or a field",
    "list": "a list of values",
    "value_or_list": "a value or a list of values",
    "pair": "two values, low and high",
    "duration": "a duration such as `3 business days`",
    "text": "a text, or a field",
}
CONDITION = """
only_if:
  all:
    - {field: amount, op: gte, value: 1000}
    - {field: account.owner.department.name, op: eq, value: Sales}
    - any:
        - {field: due_on, op: within_next, value: 3 business days}
        - not: {field: owner, op: eq, value: {field: account.owner}}
"""


def operators_page() -> str:
    rows = [
        (
            code(name),
            op.meaning,
            _types(op),
            NEEDS[op.needs] + ("; looks at the record's own change" if op.own_field else ""),
        )
        for name, op in OPERATORS.items()
    ]
    return page(
        "Operators",
        "A condition is `all`, `any` or `not` around comparisons `{field, op, value}`. `field` may follow references, "
        "and where a row says so `value` may be `{field: …}`.",
        yaml(CONDITION),
        table(("operator", "holds where the field", "field types", "value"), rows),
        "A comparison with a missing value is false; only `empty`, `ne`, `not_in` and `not_contains` accept one. Text "
        "is compared by code points with its case; numbers as exact decimals; times as instants; dates as days in the "
        "definition's time zone. A created record counts as changed from nothing.",
        "Field types: "
        + ", ".join(f"{name} are {codes(sorted(types))}" for name, types in FAMILIES)
        + "; and `boolean`.",
    )


def _types(operator: Operator) -> str:
    left = set(operator.types)
    names = [name for name, types in FAMILIES if types <= left]
    left -= frozenset().union(*(types for _, types in FAMILIES if types <= left))
    return ", ".join([*names, *(code(kind) for kind in sorted(left))])


def _errors() -> Iterator[type[StagebellError]]:
    here = (errors, endpoints, request, requests, settings)
    for module in here:
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, StagebellError) and found.__module__ == module.__name__:
                yield found


def errors_page() -> str:
    rows = sorted(_error_rows())
    return page(
        "Errors",
        "The API answers errors as problem documents (RFC 9457) with a stable `code`; `problems` names everything "
        "that is wrong with a request, each by its path and rule. The same codes stand in runs, deliveries and logs.",
        table(("code", "HTTP status", "name in machines", "what it means"), rows),
        f"Machines try again after {codes(error.__name__ for error in errors.RETRIED_BY_MACHINES)}; any "
        "other error fails the step, and later steps go on. Answers with status 503 say in `retry-after` when to come "
        "again.",
        'The gateway in front of the API answers some requests itself, with `{"message": …}` and no code: 401 without '
        "an API key, 403 with one that is not known or was revoked, 404 to a path that is not below `/v1`, 429 to too "
        "many requests at once.",
    )


def _error_rows() -> Iterator[tuple[str, ...]]:
    for error in _errors():
        kind = KINDS.get(error.code)
        meaning = (error.__doc__ or "").strip()
        if error is StagebellError:
            meaning = "A mistake of Stagebell's own; it is logged, and the answer tells nothing of its insides."
        yield code(error.code), str(kind.status) if kind else "", code(error.__name__), meaning


def limits_page() -> str:
    return page(
        "Limits",
        "Beyond a limit there is a clear error, and nothing is stored.",
        table(("what", "limit", "beyond it"), _limits()),
    )


def _limits() -> Iterator[Sequence[str]]:
    refused = "422, the problem is named"
    kib = f"{receive.BODY_LIMIT // 1024} KiB"
    yield "request body", kib, "413 `body_too_large`"
    yield "changes in a request", f"{changes.CHANGES_PER_REQUEST}", refused
    yield "nesting of a request", f"{receive.DEPTH_LIMIT} levels", "400 `malformed_body`"
    yield "time of a change ahead of ours", f"{_minutes(changes.CLOCK_SKEW.total_seconds())}", refused
    yield "age of a signature, both ways", "5 minutes", "401 `signature_rejected`"
    yield "one text", f"{field_rules.TEXT_LIMIT:,} characters", refused
    yield "one number", f"{field_rules.DIGITS} digits, 1E-{field_rules.EXPONENT} to 1E+{field_rules.DIGITS}", refused
    yield "one integer", "63 bits", refused
    yield "one record", f"{records.SIZE_LIMIT // 1024} KiB", "the change is not applied"
    yield "active definitions", f"{ACTIVE_LIMIT:,}", "409 `conflict`"
    yield "fields of an object", f"{objects.FIELD_LIMIT}", refused
    yield "options of a field", f"{objects.OPTION_LIMIT:,}", refused
    yield "depth of a condition", f"{conditions.DEPTH_LIMIT}", refused
    yield "comparisons in a condition", f"{conditions.CLAUSE_LIMIT}", refused
    yield "references a path follows", f"{paths.HOP_LIMIT}", refused
    yield "steps of a scenario, actions of a workflow", f"{scenarios.STEP_LIMIT}", refused
    yield "recipients of a step", f"{recipients.RECIPIENT_LIMIT}", refused
    left = "the others go with the next message; the step says who is left: `too_many_copies`"
    yield "copies that go with one e-mail", f"{copies.CARRIED}", left
    yield "fields that a step sets", f"{record_changes.FIELDS_LIMIT}", refused
    yield "parameters of a function", f"{calls.PARAMETER_LIMIT}", refused
    yield "answer of a function", f"{functions.TIMEOUT_LIMIT} seconds", "the delivery is `unknown`"
    yield "values in a webhook's body", f"{json_values.BODY_LIMIT:,}", refused
    yield "reminders of a task", f"{follow_ups.REMINDER_LIMIT}", refused
    yield "a duration", "5 years", refused
    yield "a template", f"{templates.SOURCE_LIMIT:,} characters", refused
    yield "a rendered message", "256 KiB and 250 ms", "the step fails with `render_failed`"
    yield "the text of a notice", "500 characters", "it is cut, and the delivery says so"
    yield "an SMS", f"{sms.MAX_PARTS} parts", "the step fails with `render_failed`"
    yield "runs one change begins", f"{limits.STARTS_PER_CHANGE}", _not_started("starts_per_change")
    yield "open runs of a record", f"{limits.OPEN_RUNS_PER_RECORD}", _not_started("open_runs_per_record")
    yield "runs of a definition and record in an hour", f"{limits.RUNS_PER_HOUR}", _not_started("runs_per_hour")
    yield "changes that lead to each other", f"{limits.DEPTH_LIMIT}", _not_started("depth")
    yield "one wait of a machine", f"{executions.LONGEST_WAIT.days} days", "it waits again"
    yield "one execution", f"{executions.LONGEST_EXECUTION.days} days", "the run goes on in a new one"


def _not_started(limit: limits.Limit) -> str:
    return f"nothing more is started: `{limits.REFUSALS[limit]}`, with the limit `{limit}`"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes"
