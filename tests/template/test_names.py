"""The naming law: folder ↔ resource ↔ function name, and the variables each function is given."""

from pathlib import Path
from typing import Any

Template = dict[str, Any]


def test_every_function_bears_the_name_of_its_folder(functions: dict[str, Template]) -> None:
    for resource, function in functions.items():
        folder = Path(function["CodeUri"]).name

        assert resource == _camel(folder) + "Function"
        assert function["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-" + folder.replace("_", "-")}


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


def test_changes_stay_invisible_for_six_times_what_their_consumer_may_take(
    written: Template, functions: dict[str, Template]
) -> None:
    visibility = written["Resources"]["ChangesQueue"]["Properties"]["VisibilityTimeout"]
    timeout = functions["ApplyChangeFunction"].get("Timeout", written["Globals"]["Function"]["Timeout"])

    assert visibility >= 6 * timeout


def test_every_dead_letter_queue_has_an_alarm_that_tells_someone(translated: Template) -> None:
    resources = translated["Resources"]
    queues = {name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue" and "Dead" in name}

    alarms = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    watched = {_queue(alarm) for alarm in alarms}

    assert queues <= watched
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms)


def test_errors_and_throttles_of_every_function_are_watched(
    translated: Template, functions: dict[str, Template]
) -> None:
    for alarm, metric in (("FunctionErrorsAlarm", "Errors"), ("FunctionThrottlesAlarm", "Throttles")):
        queries = translated["Resources"][alarm]["Properties"]["Metrics"]
        watched = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]

        assert {one["Dimensions"][0]["Value"]["Ref"] for one in watched} == functions.keys()
        assert {one["MetricName"] for one in watched} == {metric}


def _camel(folder: str) -> str:
    return "".join(part.capitalize() for part in folder.split("_"))


def _queue(alarm: Template) -> str | None:
    value = alarm.get("Dimensions", [{}])[0].get("Value", {})
    return value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else None
