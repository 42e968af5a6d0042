"""Released payloads parse for ever: a run that sleeps today wakes under the code of years to come.

Files under `events/*/v1` are never edited; a new shape is a new file beside them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stagebell.adapters.sqs import read_message
from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.contracts.tasks import ActionTask, ExecutionEnded
from stagebell.domain import signatures
from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.executions import execution_name, function_name, machine_state
from stagebell.domain.orders import Wake
from stagebell.ports.queues import Command
from stagebell.runtime.webhooks import webhook

EVENTS = Path(__file__).parents[2] / "events"
NOW = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)


def sample(path: str) -> Any:
    return json.loads((EVENTS / path).read_text())


TASKS = sorted(p.name for p in (EVENTS / "tasks/v1").glob("*.json") if not p.name.startswith("close_run"))


@pytest.mark.parametrize("path", TASKS)
def test_every_released_task_is_understood(path: str) -> None:
    state = sample(f"tasks/v1/{path}")

    task = ActionTask.model_validate(state).to_domain()

    assert (task.run, task.step, task.execution) == (state["run"], state["step"], state["execution"])
    assert (task.failure or {}).get("Error") == state.get("failure", {}).get("Error")
    assert task.express == state.get("express", False)


def test_every_kind_of_action_has_a_released_task() -> None:
    assert {function_name("stagebell", kind) for kind in ACTION_MODELS} == {
        sample(f"tasks/v1/{path}")["function"] for path in TASKS
    }


def test_what_a_machine_is_started_with_today_has_every_key_of_the_released_task() -> None:
    wake = Wake("run_1", 1, "first-mail", "send_email", NOW)

    state = machine_state(wake, prefix="stagebell", wait_until=NOW, now=NOW, born=NOW)

    assert state.keys() == sample("tasks/v1/send_email.json").keys()
    assert state["function"] == "stagebell-send-email"


def test_what_the_workflow_machine_is_started_with_today_has_every_key_of_the_released_task() -> None:
    wake = Wake("run_1", 1, "tell-owner", "notify", NOW, express=True)

    state = machine_state(wake, prefix="stagebell", wait_until=NOW, now=NOW, born=NOW)

    assert state.keys() == sample("tasks/v1/notify.json").keys()


@pytest.mark.parametrize("path", ["close_run.json", "close_run_of_workflow.json"])
def test_the_end_of_an_execution_names_its_run(path: str) -> None:
    ended = ExecutionEnded.of(sample(f"tasks/v1/{path}"))

    assert execution_name(ended.run, ended.execution) == ended.detail.name


def test_every_released_message_of_the_queue_is_understood() -> None:
    change, command = (read_message(r["body"]) for r in sample("queue/v1/changes_and_command.json")["Records"])

    assert isinstance(change, Change)
    assert (change.key, change.fields["amount"], change.sequence) == (RecordKey("deal", "deal-7"), "48000", 7)
    assert isinstance(command, Command)
    assert (command.verb, command.definition) == ("pause", "salesperson-not-assigned")


def test_the_sample_webhook_is_signed_with_the_published_test_secret() -> None:
    source, headers, body = webhook(sample("sources/stagebell.json"))

    verified = signatures.verify(headers, body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], NOW)

    assert (source, verified) == ("erp", headers["webhook-id"])
