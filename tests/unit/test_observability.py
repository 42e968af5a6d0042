"""One JSON line per outcome, with ids only; metrics as lines of log."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from stagebell.domain.runs import StepState
from stagebell.runtime import observability
from tests.stage import LADDER, UNASSIGNED, Stage, scenario

CONTEXT = SimpleNamespace(
    function_name="stagebell-receive-change",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:stagebell-receive-change",
    aws_request_id="request-1",
)


@pytest.fixture
def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> pytest.CaptureFixture[str]:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)  # loggers of one name share their output stream
    observability.logger.cache_clear()
    return capsys


def test_an_outcome_is_one_json_line_with_its_verb_and_ids(printed: pytest.CaptureFixture[str]) -> None:
    observability.log_outcome("delivery_rejected", level="warning", run="run_1", delivery="dlv_1", step=None)

    (line,) = printed.readouterr().out.splitlines()
    entry = json.loads(line)
    assert entry["action"] == entry["message"] == "delivery_rejected"
    assert (entry["level"], entry["run"], entry["delivery"]) == ("WARNING", "run_1", "dlv_1")
    assert entry["service"].startswith("test_an_outcome")
    assert entry["location"].startswith("test_an_outcome_is_one_json_line")
    assert "step" not in entry


def test_a_handler_logs_its_request_but_never_its_event(
    printed: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")

    @observability.observed
    def lambda_handler(event: dict[str, Any], context: Any) -> str:
        observability.log_outcome("changes_accepted", source=event["source"])
        return "answer"

    assert lambda_handler({"source": "sales", "body": "private"}, CONTEXT) == "answer"
    printed_lines = printed.readouterr().out
    (line,) = printed_lines.splitlines()
    assert "private" not in printed_lines
    assert json.loads(line)["function_request_id"] == "request-1"


@pytest.mark.parametrize(
    ("status", "reason", "level", "counted"),
    [
        ("acted", "", "INFO", []),
        ("skipped", "condition", "INFO", []),
        ("failed", "render_failed", "ERROR", ["StepsFailed"]),
        ("acted", "delivery_unknown", "INFO", ["DeliveriesUnknown"]),
        ("failed", "loop_stopped", "ERROR", ["StepsFailed", "LoopsStopped"]),
        ("failed", "too_many_runs", "ERROR", ["StepsFailed", "Refused"]),
    ],
)
def test_a_step_is_one_line_and_what_went_wrong_is_counted(
    printed: pytest.CaptureFixture[str], status: Any, reason: str, level: str, counted: list[str]
) -> None:
    stage = Stage(LADDER)
    run = stage.run(stage.enter("deal-7", UNASSIGNED))

    observability.note_step(run, StepState("first-mail", "send_email", status, reason=reason))

    line, *metrics = map(json.loads, printed.readouterr().out.splitlines())
    assert (line["action"], line["level"], line["run"]) == (f"step_{status}", level, run.id)
    assert [m["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for m in metrics] == counted


def test_a_loop_that_was_stopped_and_a_refused_change_are_counted(printed: pytest.CaptureFixture[str]) -> None:
    stage = Stage(scenario("saved", trigger={"on": "saved"}))
    looping = stage.post(name="Acme", causes_=tuple("abcdefgh"))

    observability.note_applied(looping)
    observability.note_applied(replace(looping, evaluations=(), event="refused"))

    told = [json.loads(line) for line in printed.readouterr().out.splitlines()]
    assert [entry.get("LoopsStopped", entry.get("Refused")) for entry in told] == [None, [1.0], None, [1.0]]


def test_what_is_special_about_a_change_is_in_its_line(printed: pytest.CaptureFixture[str]) -> None:
    observability.note_applied(Stage().post("ada", object="user", timezone="Mars"))

    (line,) = map(json.loads, printed.readouterr().out.splitlines())
    assert (line["action"], line["note"]) == ("change_applied", "unknown_zone_or_locale")


def test_there_is_one_logger() -> None:
    assert observability.logger() is observability.logger()


def test_a_count_is_one_line_in_embedded_metric_format(printed: pytest.CaptureFixture[str]) -> None:
    observability.count("Deliveries", 2)

    (line,) = printed.readouterr().out.splitlines()
    entry = json.loads(line)
    (metrics,) = entry["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Stagebell"
    assert metrics["Metrics"] == [{"Name": "Deliveries", "Unit": "Count"}]
    assert entry["Deliveries"] == [2.0]
    assert entry["service"] == observability.logger().service
