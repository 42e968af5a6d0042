"""The page of settings: what functions and the command line read from their environment."""

from collections.abc import Sequence

from stagebell.cli.markdown import code, page, table

SETTINGS: Sequence[tuple[str, str, str]] = (
    ("DEFINITIONS_TABLE", "name of the table of definitions", "required"),
    ("RECORDS_TABLE", "name of the table of records", "required"),
    ("RUNS_TABLE", "name of the table of runs", "required"),
    ("DELIVERIES_TABLE", "name of the table of deliveries", "required"),
    ("PEOPLE_TABLE", "name of the table of people's data: inboxes and suppressed addresses", "required"),
    ("ACCESS_TABLE", "name of the table of API keys and remembered requests", "required"),
    ("CHANGES_QUEUE_URL", "URL of the changes queue (SQS FIFO)", "required"),
    ("WRITE_BACKS_QUEUE_URL", "URL of the queue of changes that are written back (SQS FIFO)", "required"),
    ("SCENARIO_MACHINE_ARN", "ARN of the scenario state machine", "required"),
    ("WORKFLOW_MACHINE_ARN", "ARN of the state machine of workflows that wait for nothing", "required"),
    ("FUNCTION_PREFIX", "name of the stack, with which the names of the action functions begin", "required"),
    ("SECRETS_PREFIX", "beginning of the names of the sources' secrets: `<stack>/sources/`", "required"),
    ("WEBHOOK_SECRETS_PREFIX", "beginning of the names of the webhook secrets: `<stack>/webhooks/`", "required"),
    ("WEBHOOK_ADDRESSES", "`any` lets webhooks go to http and private addresses, for one machine", "`public`"),
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
