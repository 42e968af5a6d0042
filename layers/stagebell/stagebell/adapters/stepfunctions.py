"""Runs at work: an execution of the workflow machine for those that wait for nothing, else one of the scenario machine,
named after the run."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.domain.errors import ChannelMisconfigured, RecordBusy, StagebellError
from stagebell.domain.executions import execution_name, machine_state
from stagebell.domain.orders import Halt, Wake
from stagebell.ports.clock import Clock

_ERROR_LIMIT = 256
_MISCONFIGURED = frozenset(
    {
        "AccessDeniedException",
        "InvalidArn",
        "InvalidExecutionInput",
        "InvalidName",
        "StateMachineDeleting",
        "StateMachineDoesNotExist",
        "UnrecognizedClientException",
        "ValidationException",
    }
)
_STARTED = frozenset({"ExecutionAlreadyExists"})
_ENDED = frozenset({"ExecutionDoesNotExist", "ValidationException"})  # the second: it has ended by itself


class StepFunctionsScheduler:
    """`client` is a botocore `stepfunctions` client; `function_prefix` begins the action functions' names.

    The workflow machine (Express) runs what it is given as often as it is given; its tasks find their steps settled. It
    knows no stopping: whoever ends a run there has ended it, and only where the scenario machine carries it on is there
    an execution to stop."""

    def __init__(self, client: Any, clock: Clock, machine_arn: str, workflow_arn: str, function_prefix: str) -> None:
        self._client = client
        self._clock = clock
        self._machine = machine_arn
        self._workflows = workflow_arn
        self._prefix = function_prefix

    def start(self, wake: Wake) -> None:
        now = self._clock.real_now()
        until = max(self._clock.real(wake.at), now)
        state = machine_state(wake, prefix=self._prefix, wait_until=until, now=now, born=now)
        parameters = {"name": execution_name(wake.run, wake.execution), "input": json.dumps(state)}
        machine = self._workflows if wake.express else self._machine
        self._call("start_execution", _STARTED, stateMachineArn=machine, **parameters)

    def stop(self, halt: Halt) -> None:
        execution = f"{execution_prefix(self._machine)}:{execution_name(halt.run, halt.execution)}"
        self._call("stop_execution", _ENDED, executionArn=execution, error=halt.reason[:_ERROR_LIMIT])

    def _call(self, operation: str, done: frozenset[str], **parameters: str) -> None:
        """Call; the error codes in `done` say that nothing is left to do."""
        try:
            getattr(self._client, operation)(**parameters)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in done:
                raise _translated(code, error) from error
        except BotoCoreError as error:
            raise RecordBusy(f"Step Functions could not be reached for {operation}: it is tried again") from error


def execution_prefix(machine_arn: str) -> str:
    """What the ARNs of a machine's executions begin with."""
    return machine_arn.replace(":stateMachine:", ":execution:", 1)


def _translated(code: str, error: ClientError) -> StagebellError:
    if code in _MISCONFIGURED:
        return ChannelMisconfigured(f"the machines cannot be used: {error}")
    return RecordBusy(f"Step Functions answered {code}: it is tried again")
