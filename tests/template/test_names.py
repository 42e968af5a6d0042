"""The naming law: folder ↔ resource ↔ function name, and the variables each function is given."""

from pathlib import Path
from typing import Any

import pytest

Template = dict[str, Any]


def test_every_function_bears_the_name_of_its_folder(functions: dict[str, Template]) -> None:
    for resource, function in functions.items():
        folder = Path(function["CodeUri"]).name

        assert resource == _camel(folder) + "Function"
        assert function["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-" + folder.replace("_", "-")}


def test_the_names_of_functions_fit_under_a_stack_name_as_long_as_the_docs_allow(
    root: Path, functions: dict[str, Template]
) -> None:
    longest = max(
        len(function["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}")) for function in functions.values()
    )

    assert f"{64 - longest} characters at most" in (root / "docs/how-to/deploy-to-aws.md").read_text()


def test_every_folder_with_a_handler_is_deployed(root: Path, functions: dict[str, Template]) -> None:
    folders = {str(app.parent.relative_to(root)) for app in (root / "functions").rglob("app.py")}

    assert folders == {function["CodeUri"].rstrip("/") for function in functions.values()}


def test_a_function_folder_holds_its_handler_only(root: Path, functions: dict[str, Template]) -> None:
    for function in functions.values():
        files = {path.name for path in (root / function["CodeUri"]).iterdir() if path.name != "__pycache__"}

        assert files == {"app.py"}, function["CodeUri"]


def test_every_function_writes_to_a_log_group_that_forgets(
    translated: Template, functions: dict[str, Template]
) -> None:
    for name, function in functions.items():
        group = translated["Resources"][function["LoggingConfig"]["LogGroup"]["Ref"]]

        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
        assert group["Properties"]["LogGroupName"]["Fn::Sub"].endswith(function["FunctionName"]["Fn::Sub"])


def test_every_log_group_forgets(translated: Template) -> None:
    groups = [one for one in translated["Resources"].values() if one["Type"] == "AWS::Logs::LogGroup"]

    assert groups
    assert all(one["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"} for one in groups)


def test_every_variable_of_a_function_is_read_in_the_settings(root: Path, functions: dict[str, Template]) -> None:
    given = {name for function in functions.values() for name in function["Environment"]["Variables"]}

    settings = (root / "layers/stagebell/stagebell/runtime/settings.py").read_text()

    assert {name for name in given if name.lower() not in settings.lower()} == set()


def test_tables_outlive_the_stack_and_can_be_restored(translated: Template) -> None:
    tables = {n: one for n, one in translated["Resources"].items() if one["Type"] == "AWS::DynamoDB::Table"}

    assert len(tables) == 6
    for name, table in tables.items():
        recovery = table["Properties"]["PointInTimeRecoverySpecification"]
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", name
        assert recovery == {"PointInTimeRecoveryEnabled": True}, name


@pytest.mark.parametrize(
    ("queue", "consumer"), [("ChangesQueue", "ApplyChangeFunction"), ("WriteBacksQueue", "WriteBackFunction")]
)
def test_messages_stay_invisible_for_six_times_what_their_consumer_may_take(
    written: Template, functions: dict[str, Template], queue: str, consumer: str
) -> None:
    visibility = written["Resources"][queue]["Properties"]["VisibilityTimeout"]
    timeout = functions[consumer].get("Timeout", written["Globals"]["Function"]["Timeout"])

    assert visibility >= 6 * timeout


def test_an_action_has_no_longer_than_its_machines_wait_for_it(
    written: Template, functions: dict[str, Template], machines: dict[str, Template]
) -> None:
    longest = max(function.get("Timeout", written["Globals"]["Function"]["Timeout"]) for function in functions.values())

    assert all(longest < machine["States"]["Act"]["TimeoutSeconds"] for machine in machines.values())


def test_every_dead_letter_queue_has_an_alarm_that_tells_someone(translated: Template) -> None:
    resources = translated["Resources"]
    queues = {name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue" and "Dead" in name}

    alarms = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    watched = {_queue(alarm) for alarm in alarms}

    assert queues <= watched
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms)


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_errors_and_throttles_of_every_function_are_watched(
    translated: Template, functions: dict[str, Template], metric: str
) -> None:
    watched = [
        query["MetricStat"]["Metric"]
        for alarm in _alarms(translated)
        for query in alarm.get("Metrics", [])
        if query.get("MetricStat", {}).get("Metric", {}).get("MetricName") == metric
    ]

    assert sorted(one["Dimensions"][0]["Value"]["Ref"] for one in watched) == sorted(functions)


def test_an_alarm_looks_at_ten_metrics_at_most(translated: Template) -> None:
    counts = [sum("MetricStat" in query for query in alarm.get("Metrics", [])) for alarm in _alarms(translated)]

    assert 0 < max(counts) <= 10  # a hard limit of CloudWatch


@pytest.mark.parametrize(
    ("machine", "metrics"),
    [
        ("ScenarioMachine", {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionThrottled"}),
        ("WorkflowMachine", {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionThrottled"}),
    ],
)
def test_executions_that_do_not_end_well_are_told(translated: Template, machine: str, metrics: set[str]) -> None:
    watched = {
        alarm["MetricName"]
        for alarm in _alarms(translated)
        if alarm.get("Dimensions") == [{"Name": "StateMachineArn", "Value": {"Ref": machine}}]
    }

    assert watched == metrics


def test_every_metric_of_our_own_that_an_alarm_watches_is_counted_somewhere(root: Path, translated: Template) -> None:
    watched = {alarm["MetricName"] for alarm in _alarms(translated) if alarm.get("Namespace") == "Stagebell"}

    code = "".join(path.read_text() for path in (root / "layers/stagebell/stagebell").rglob("*.py"))

    assert watched
    assert {metric for metric in watched if f'"{metric}"' not in code} == set()


def _alarms(translated: Template) -> list[Template]:
    return [one["Properties"] for one in translated["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]


def _camel(folder: str) -> str:
    return "".join(part.capitalize() for part in folder.split("_"))


def _queue(alarm: Template) -> str | None:
    value = alarm.get("Dimensions", [{}])[0].get("Value", {})
    return value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else None
