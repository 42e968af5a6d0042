"""Sleeping runs on Step Functions: what is started, what is stopped, and that twice is harmless."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.stub import ANY, Stubber
from moto import mock_aws

from stagebell.adapters.clocks import LogicalClock
from stagebell.adapters.stepfunctions import StepFunctionsScheduler
from stagebell.domain.errors import ChannelMisconfigured, RecordBusy, StagebellError
from stagebell.domain.orders import Halt, Wake
from stagebell.ports.runs import Scheduler

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:stagebell-scenario"
WORKFLOWS = "arn:aws:states:eu-central-1:123456789012:stateMachine:stagebell-workflow"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:stagebell-scenario:run_1-2"
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
WAKE = Wake("run_1", 2, "first-mail", "send_email", NOW + timedelta(hours=6))
HALT = Halt("run_1", 2, "stage_changed")
STARTED = {"executionArn": EXECUTION, "startDate": NOW}


class StandingClock:
    """Real time stands at NOW; business time is real time."""

    def now(self) -> datetime:
        return NOW

    def real(self, moment: datetime) -> datetime:
        return moment

    def real_now(self) -> datetime:
        return NOW


@pytest.fixture
def client() -> Any:
    return botocore.session.get_session().create_client("stepfunctions", region_name="eu-central-1")


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub


def scheduler(client: Any, clock: Any = None, machine: str = MACHINE) -> Scheduler:
    return StepFunctionsScheduler(client, clock or StandingClock(), machine, WORKFLOWS, "stagebell")


def state(**changed: Any) -> str:
    plain = {
        "version": 1,
        "run": "run_1",
        "step": "first-mail",
        "execution": 2,
        "function": "stagebell-send-email",
        "wait_until": "2026-11-20T14:00:00.000Z",
        "born": "2026-11-20T08:00:00.000Z",
    }
    return json.dumps(plain | changed)


def test_a_run_sleeps_in_an_execution_of_its_own_name(client: Any, stub: Stubber) -> None:
    stub.add_response("start_execution", STARTED, {"stateMachineArn": MACHINE, "name": "run_1-2", "input": state()})

    scheduler(client).start(WAKE)

    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("at", "wait_until"),
    [
        pytest.param(NOW - timedelta(days=3), "2026-11-20T08:00:00.000Z", id="what is overdue does not wait"),
        pytest.param(NOW + timedelta(microseconds=1), "2026-11-20T08:00:00.001Z", id="never before its time"),
        pytest.param(NOW + timedelta(days=900), "2027-09-16T08:00:00.000Z", id="no longer than an execution may live"),
    ],
)
def test_the_wait_is_a_time_the_machine_can_keep(client: Any, stub: Stubber, at: datetime, wait_until: str) -> None:
    expected = {"stateMachineArn": MACHINE, "name": "run_1-2", "input": state(wait_until=wait_until)}
    stub.add_response("start_execution", STARTED, expected)

    scheduler(client).start(Wake("run_1", 2, "first-mail", "send_email", at))

    stub.assert_no_pending_responses()


def test_waits_are_real_time_where_business_time_runs_faster(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    started = datetime.now(UTC)
    clock = LogicalClock(NOW, started, rate=3600)
    given: dict[str, str] = {}
    monkeypatch.setattr(client, "start_execution", lambda **parameters: given.update(parameters))

    scheduler(client, clock).start(WAKE)

    wait_until = datetime.fromisoformat(json.loads(given["input"])["wait_until"])
    assert timedelta() <= wait_until - (started + timedelta(seconds=6)) <= timedelta(milliseconds=1)


def test_a_run_is_stopped_with_its_reason(client: Any, stub: Stubber) -> None:
    stub.add_response("stop_execution", {"stopDate": NOW}, {"executionArn": EXECUTION, "error": "stage_changed"})

    scheduler(client).stop(HALT)

    stub.assert_no_pending_responses()


def test_what_is_done_already_is_no_failure(client: Any, stub: Stubber) -> None:
    stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    stub.add_client_error("stop_execution", "ExecutionDoesNotExist", http_status_code=400)
    stub.add_client_error("stop_execution", "ValidationException", "Execution is not running", http_status_code=400)

    scheduler(client).start(WAKE)
    scheduler(client).stop(HALT)
    scheduler(client).stop(HALT)

    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("ThrottlingException", 400, RecordBusy),
        ("TooManyRequestsException", 429, RecordBusy),
        ("ExecutionLimitExceeded", 400, RecordBusy),
        ("InternalServerException", 500, RecordBusy),
        ("ServiceUnavailable", 503, RecordBusy),
        ("StateMachineDoesNotExist", 400, ChannelMisconfigured),
        ("AccessDeniedException", 400, ChannelMisconfigured),
    ],
)
def test_what_may_pass_is_tried_again(
    client: Any, stub: Stubber, code: str, status: int, meaning: type[StagebellError]
) -> None:
    for _ in range(5):  # the client itself tries again first
        stub.add_client_error(
            "start_execution", code, "no", status, expected_params={"stateMachineArn": ANY, "name": ANY, "input": ANY}
        )

    with pytest.raises(meaning):
        scheduler(client).start(WAKE)


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://states", error="slow"),
        ReadTimeoutError(endpoint_url="https://states", error="slow"),
    ],
    ids=["never connected", "answer lost: starting again is harmless"],
)
def test_a_lost_call_is_tried_again(client: Any, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(client, "stop_execution", fail)

    with pytest.raises(RecordBusy):
        scheduler(client).stop(HALT)


@mock_aws
def test_the_service_lets_a_run_be_started_and_stopped_twice() -> None:
    client = botocore.session.get_session().create_client("stepfunctions", region_name="eu-central-1")
    definition = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'
    role = "arn:aws:iam::123456789012:role/stagebell"
    machine = client.create_state_machine(name="stagebell-scenario", definition=definition, roleArn=role)[
        "stateMachineArn"
    ]
    runs = scheduler(client, machine=machine)

    for _ in range(2):
        runs.start(WAKE)
    for halt in (HALT, HALT, Halt("run_never_started", 1, "superseded")):
        runs.stop(halt)

    (execution,) = client.list_executions(stateMachineArn=machine)["executions"]
    assert (execution["name"], execution["status"]) == ("run_1-2", "ABORTED")
