"""The canary: whether moto's insides still are where the hooks reach for them."""

import json
from datetime import timedelta
from importlib.metadata import version

from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp, TimestampPath
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from stagebell.runtime import wiring
from tests.machines.world import machine_arn, world
from tests.stage import ACCOUNT, DEAL, LADDER, START, UNASSIGNED


def test_moto_is_the_version_the_hooks_were_written_for():
    assert version("moto").startswith("5.2."), "read tests/machines/moto_hooks.py again for this version of moto"


def test_what_the_hooks_replace_is_there_under_its_name():
    assert issubclass(TimestampPath, Timestamp)
    assert {"start", "_execution_logic", "stop", "_get_evaluation_entrypoint"} <= set(vars(ExecutionWorker))
    assert callable(lambda_eval_utils._invoke_lambda_function)


def test_an_express_machine_runs_as_a_standard_one_so_that_its_executions_can_be_looked_at():
    state = {"version": 1, "run": "run_0", "step": "s", "execution": 1, "born": START.isoformat(), "express": True}
    with world(start=START) as deployed:
        text = json.dumps(state | {"function": "stagebell-send-email"})
        start = {"stateMachineArn": machine_arn("workflow"), "name": "run_0-1", "input": text}
        wiring.client("stepfunctions").start_execution(**start)

        (execution,) = deployed.executions(machine="workflow")
        assert (execution["name"], execution["status"]) == ("run_0-1", "SUCCEEDED")  # there is no such run


def test_a_wait_ends_when_the_virtual_clock_gets_there_and_not_before():
    change = {"object": "deal", "id": "deal-7", "type": "updated", "occurred_at": START.isoformat()}
    with world(ACCOUNT, DEAL, LADDER, start=START) as deployed:
        deployed.post(change | {"fields": {"stage": UNASSIGNED}}, delivery="msg_1")
        due = START + timedelta(minutes=5)

        deployed.machines.advance(due - timedelta(seconds=1))
        before = len(deployed.emails)
        deployed.machines.advance(due, inclusive=False)
        at_the_edge = len(deployed.emails)
        deployed.machines.advance(due)

        assert (before, at_the_edge, len(deployed.emails)) == (0, 0, 1)
        assert deployed.clock.now() == due
