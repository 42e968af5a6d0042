"""Pages of the reference that are tables of the code: operators, errors, settings, limits, states."""

from collections.abc import Iterator, Sequence

from stagebell.api import endpoints, request
from stagebell.cli.markdown import code, codes, page, table, yaml
from stagebell.contracts.definitions import objects, recipients, templates
from stagebell.contracts.problem_documents import KINDS
from stagebell.domain import changes, conditions, errors, executions, paths, planning, records, scenarios, sms
from stagebell.domain import fields as field_rules
from stagebell.domain.errors import StagebellError
from stagebell.domain.operators import LISTS, MOMENT, NUMBER, OPERATORS, TEXT, Operator
from stagebell.ports import ACTIVE_LIMIT
from stagebell.runtime import settings
from stagebell.services import receive, requests

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
    )


def _error_rows() -> Iterator[tuple[str, ...]]:
    for error in _errors():
        kind = KINDS.get(error.code)
        meaning = (error.__doc__ or "").strip()
        if error is StagebellError:
            meaning = "A mistake of Stagebell's own; it is logged, and the answer tells nothing of its insides."
        yield code(error.code), str(kind.status) if kind else "", code(error.__name__), meaning


SETTINGS: Sequence[tuple[str, str, str]] = (
    ("DEFINITIONS_TABLE", "name of the table of definitions", "required"),
    ("RECORDS_TABLE", "name of the table of records", "required"),
    ("RUNS_TABLE", "name of the table of runs", "required"),
    ("DELIVERIES_TABLE", "name of the table of deliveries", "required"),
    ("PEOPLE_TABLE", "name of the table of people's data: suppressed addresses", "required"),
    ("ACCESS_TABLE", "name of the table of API keys and remembered requests", "required"),
    ("CHANGES_QUEUE_URL", "URL of the changes queue (SQS FIFO)", "required"),
    ("SCENARIO_MACHINE_ARN", "ARN of the scenario state machine", "required"),
    ("FUNCTION_PREFIX", "name of the stack, with which the names of the action functions begin", "required"),
    ("SECRETS_PREFIX", "beginning of the names of the sources' secrets: `<stack>/sources/`", "required"),
    ("SENDER_ADDRESS", "the verified address that e-mails come from", "required"),
    ("CONFIGURATION_SET", "SES configuration set, through which feedback comes back", "none"),
    ("SMS_SENDER_ID", "sender name of SMS, where the country allows one", "the carrier's number"),
    ("PHONE_REGION", "country (ISO 3166) of phone numbers without a country code", "none: such numbers are refused"),
    ("TIME_ZONE", "time zone of definitions and owners that name none", "`UTC`"),
    ("HISTORY_DAYS", "days that changes, ended runs and deliveries are kept, 1 to 36500", "required"),
    ("LOGICAL_CLOCK", "a sped-up clock as `START@REALxRATE`, for one machine; empty in AWS", "real time"),
    ("POWERTOOLS_SERVICE_NAME", "name of the service in logs", "the stack's name"),
    ("POWERTOOLS_LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`", "`INFO`"),
)
COMMAND_LINE = (
    ("STAGEBELL_URL", "address of the API, for `stagebell apply`, `diff`, `explain`, `keys`, `secrets`"),
    ("STAGEBELL_KEY", "an API key for it"),
)


def settings_page() -> str:
    rows = [(code(name), meaning, default) for name, meaning, default in SETTINGS]
    return page(
        "Settings",
        "Functions read their settings from the environment, which `template.yaml` fills; each has those it needs and "
        "no others. A setting that is missing or not usable fails the function with `setting_wrong` and names the "
        "variable.",
        table(("variable", "meaning", "where absent"), rows),
        "The command line reads these, where the options `--url` and `--key` are not given:",
        table(("variable", "meaning"), [(code(name), meaning) for name, meaning in COMMAND_LINE]),
    )


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
    yield "steps of a scenario", f"{scenarios.STEP_LIMIT}", refused
    yield "recipients of a step", f"{recipients.RECIPIENT_LIMIT}", refused
    yield "a duration", "5 years", refused
    yield "a template", f"{templates.SOURCE_LIMIT:,} characters", refused
    yield "a rendered message", "256 KiB and 250 ms", "the step fails with `render_failed`"
    yield "an SMS", f"{sms.MAX_PARTS} parts", "the step fails with `render_failed`"
    yield "runs one change begins", f"{planning.STARTS_PER_CHANGE}", "the rest is refused: `too_many_runs`"
    yield "open runs of a record", f"{planning.OPEN_RUNS_PER_RECORD}", "further ones are refused: `too_many_runs`"
    yield "runs of a definition and record in an hour", f"{planning.RUNS_PER_HOUR}", "refused: `loop_stopped`"
    yield "changes that lead to each other", f"{planning.DEPTH_LIMIT}", "refused: `loop_stopped`"
    yield "one wait of a machine", f"{executions.LONGEST_WAIT.days} days", "it waits again"
    yield "one execution", f"{executions.LONGEST_EXECUTION.days} days", "the run goes on in a new one"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes"


EVALUATIONS = {
    "started": "a run began",
    "not_matched": "the entry condition did not hold; `why` shows the values",
    "once_only": "`reentry: once`, and the record has had its run",
    "already_running": "`reentry: every_entry`, and the run that waits goes on",
    "loop_stopped": "too deep a chain of changes, or too many runs in an hour",
    "too_many_runs": "too many runs of this record are open, or began at once",
}
RUNS = {
    "running": "it waits for its next step, or acts",
    "paused": "an operator deactivated the scenario and chose `pause`",
    "completed": "every step has ended",
    "failed": "a step failed (`step_failed`), its definition does not fit any more, or its machine died (`machine_…`)",
    "cancelled": "`stage_changed`, `cancel_condition`, `record_deleted`, `cancelled_by_operator`, "
    "`definition_deactivated`",
    "superseded": "the record entered again (`new_entry`)",
}
STEPS = {
    "waiting": "its time has not come, or nothing says when; `quiet_hours`: it waits for their end",
    "acted": "it did what it is for; `delivery_unknown`: nobody knows whether the message went out",
    "skipped": "`condition`, `stage_changed`, `past_due`, or nobody to write to: `not_set`, `no_such_user`, "
    "`inactive_user`, `empty_group`, `no_email`, `no_phone`, `no_recipient`",
    "failed": "the code of an error, `past_due`, or the name of the error after which the machine gave up",
    "cancelled": "`cancel_condition`, `new_entry`, or the reason for which its run ended",
}
DELIVERIES = {
    "planned": "the provider was busy; it is tried again",
    "sending": "recorded, and handed to the provider; the answer is not known yet",
    "unknown": "the answer was lost: it may or may not have gone out; `on_unknown` decided",
    "sent": "the provider took it",
    "delivered": "the recipient's server took it",
    "bounced": "the recipient's server refused it",
    "failed": "the provider refused it, `retries_exhausted`, or `step_settled` while it waited for its next attempt",
    "suppressed": "not sent on purpose: `bounced` or `complained` earlier, `quiet_import`, `not_a_phone_number`",
}


def states_page() -> str:
    return page(
        "States and reasons",
        "Whatever happens or does not happen has a state and a reason, and both are stable words.",
        "## What a definition says to a change",
        _states(EVALUATIONS, "outcome"),
        "## Runs",
        _states(RUNS, "status"),
        "## Steps",
        _states(STEPS, "status"),
        "## Deliveries",
        "A delivery only moves forward: `planned`, `sending`, `sent`, `delivered`; feedback that comes late or twice "
        "does no harm.",
        _states(DELIVERIES, "state"),
    )


def _states(told: dict[str, str], head: str) -> str:
    return table((head, "what it means, and the reasons"), [(code(state), meaning) for state, meaning in told.items()])
