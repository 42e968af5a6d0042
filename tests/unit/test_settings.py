"""Settings: every concern reads its own variables, when it is needed, and says what is missing."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stagebell.adapters.clocks import LogicalClock, SystemClock
from stagebell.runtime import settings
from stagebell.runtime.settings import SettingWrong

PACKAGE = Path(settings.__file__).parents[1]


def test_a_table_is_read_when_it_is_asked_for() -> None:
    tables = settings.TableSettings({"RECORDS_TABLE": "stagebell-records"})

    assert tables.records == "stagebell-records"
    with pytest.raises(SettingWrong, match="RUNS_TABLE is not set: set it to the name of the DynamoDB table of runs"):
        _ = tables.runs


def test_every_table_has_its_own_variable() -> None:
    kinds = ("definitions", "records", "runs", "deliveries", "people", "access")
    tables = settings.TableSettings({f"{kind.upper()}_TABLE": f"t-{kind}" for kind in kinds})

    assert [getattr(tables, kind) for kind in kinds] == [f"t-{kind}" for kind in kinds]


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGES_QUEUE_URL", "https://sqs.example/1/changes.fifo")
    monkeypatch.setenv("PEOPLE_TABLE", "stagebell-people")

    assert settings.QueueSettings.read().url == "https://sqs.example/1/changes.fifo"
    assert settings.TableSettings().people == "stagebell-people"


def test_settings_are_read_as_they_are_meant() -> None:
    environment = {
        "SCENARIO_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:stagebell-scenario",
        "WORKFLOW_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:stagebell-workflow",
        "FUNCTION_PREFIX": "stagebell",
        "SECRETS_PREFIX": "stagebell/sources/",
        "WEBHOOK_SECRETS_PREFIX": "stagebell/webhooks/",
        "WEBHOOK_ADDRESSES": "any",
        "SENDER_ADDRESS": "crm@example.com",
        "CONFIGURATION_SET": "stagebell",
        "SMS_SENDER_ID": "Stagebell",
        "PHONE_REGION": "DE",
        "TIME_ZONE": "Europe/Berlin",
        "HISTORY_DAYS": "400",
    }

    assert settings.MachineSettings.read(environment).arn.endswith(":stagebell-scenario")
    assert settings.MachineSettings.read(environment).function_prefix == "stagebell"
    assert settings.SecretSettings(environment).sources == "stagebell/sources/"
    assert settings.SecretSettings(environment).webhooks == "stagebell/webhooks/"
    assert settings.WebhookSettings.read(environment).any_address
    assert settings.MailSettings.read(environment) == settings.MailSettings("crm@example.com", "stagebell")
    assert settings.SmsSettings.read(environment) == settings.SmsSettings("Stagebell", "DE")
    assert settings.ZoneSettings.read(environment).zone == ZoneInfo("Europe/Berlin")
    assert settings.HistorySettings.read(environment).days == 400


def test_what_may_be_left_out_has_a_default() -> None:
    environment = {"SENDER_ADDRESS": "crm@example.com"}

    assert settings.MailSettings.read(environment).configuration_set == ""
    assert settings.SmsSettings.read(environment) == settings.SmsSettings("", None)
    assert not settings.WebhookSettings.read(environment).any_address
    assert settings.ZoneSettings.read(environment).zone.utcoffset(None) in (None, timedelta())
    assert isinstance(settings.ClockSettings.read(environment).clock, SystemClock)


def test_a_logical_clock_comes_from_its_variable() -> None:
    clock = settings.ClockSettings.read({"LOGICAL_CLOCK": "2016-02-29T00:00:00Z@1795160000x60"}).clock

    assert isinstance(clock, LogicalClock)
    assert clock.start.tzinfo is UTC


@pytest.mark.parametrize(
    ("read", "variable"),
    [
        (settings.QueueSettings.read, "CHANGES_QUEUE_URL"),
        (settings.MachineSettings.read, "SCENARIO_MACHINE_ARN"),
        (settings.function_prefix, "FUNCTION_PREFIX"),
        (lambda e: settings.SecretSettings(e).sources, "SECRETS_PREFIX"),
        (lambda e: settings.SecretSettings(e).webhooks, "WEBHOOK_SECRETS_PREFIX"),
        (settings.MailSettings.read, "SENDER_ADDRESS"),
        (settings.HistorySettings.read, "HISTORY_DAYS"),
    ],
)
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_a_missing_variable_is_named_with_what_belongs_there(
    read: Callable[[Mapping[str, str]], Any], variable: str, value: str | None
) -> None:
    environment = {} if value is None else {variable: value}

    with pytest.raises(SettingWrong, match=f"the environment variable {variable} is not set: set it to "):
        read(environment)


@pytest.mark.parametrize(
    ("read", "variable", "value"),
    [
        pytest.param(settings.ZoneSettings.read, "TIME_ZONE", "Mars/Olympus", id="no such zone"),
        pytest.param(settings.ZoneSettings.read, "TIME_ZONE", "../../etc/passwd", id="a path"),
        pytest.param(settings.ZoneSettings.read, "TIME_ZONE", "Europe", id="a folder of zones"),
        pytest.param(settings.HistorySettings.read, "HISTORY_DAYS", "0", id="nothing kept"),
        pytest.param(settings.HistorySettings.read, "HISTORY_DAYS", "a year", id="words"),
        pytest.param(settings.HistorySettings.read, "HISTORY_DAYS", "99999", id="beyond reason"),
        pytest.param(settings.WebhookSettings.read, "WEBHOOK_ADDRESSES", "all", id="no choice"),
        pytest.param(settings.ClockSettings.read, "LOGICAL_CLOCK", "fast", id="no clock"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    read: Callable[[Mapping[str, str]], Any], variable: str, value: str
) -> None:
    with pytest.raises(SettingWrong, match=variable):
        read({variable: value})


def test_no_other_module_reads_the_environment() -> None:
    functions = [path for path in PACKAGE.rglob("*.py") if "cli" not in path.parts]
    readers = {path.name for path in functions if re.search(r"\bos\.environ|\bgetenv", path.read_text())}

    assert readers == {"settings.py"}
