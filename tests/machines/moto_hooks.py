"""Where tests reach into moto 5.2: waits that read a virtual clock, and functions that are our handlers.

Everything here is moto's inside, pinned and watched by `test_moto_hooks.py`; nothing else may import it.
"""

import heapq
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from stagebell.adapters.memory.clock import VirtualClock

PATIENCE = 30.0  # real seconds: a machine that neither sleeps nor ends by then is stuck

type Function = Callable[[dict[str, Any]], Any]


@dataclass(order=True)
class Sleeper:
    """One execution in its Wait state."""

    due: datetime
    number: int
    env: Any = field(compare=False)
    woken: threading.Event = field(default_factory=threading.Event, compare=False)
    asleep: bool = field(default=True, compare=False)


class VirtualMachines:
    """Executions sleep until the virtual clock is told to pass; retries wait for nothing."""

    def __init__(self, clock: VirtualClock, functions: Callable[[str, dict[str, Any]], Any]) -> None:
        self.clock = clock
        self.transitions: dict[str, int] = {}
        self._functions = functions
        self._changed = threading.Condition()
        self._sleepers: list[Sleeper] = []
        self._numbers = itertools.count()
        self._awake = 0

    def advance(self, until: datetime, *, inclusive: bool = True) -> None:
        """Let time pass: executions due by then (or, exclusively, before then) wake in order of their times."""
        while (sleeper := self._next(until, inclusive)) is not None:
            self.clock.advance(sleeper.due)
            self._wake(sleeper)
        self.settle()
        self.clock.advance(until)

    def settle(self) -> None:
        """Wait until every execution sleeps or has ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._awake == 0, PATIENCE), "an execution neither sleeps nor ends"

    @property
    def sleeping(self) -> int:
        self.settle()
        return sum(sleeper.asleep for sleeper in self._sleepers)

    @property
    def next_due(self) -> datetime | None:
        self.settle()
        return min((s.due for s in self._sleepers if s.asleep), default=None)

    def _next(self, until: datetime, inclusive: bool) -> Sleeper | None:
        self.settle()
        with self._changed:
            while self._sleepers and not self._sleepers[0].asleep:
                heapq.heappop(self._sleepers)
            first = self._sleepers[0] if self._sleepers else None
            if first is None or first.due > until or (first.due == until and not inclusive):
                return None
            return heapq.heappop(self._sleepers)

    def _wake(self, sleeper: Sleeper) -> None:
        with self._changed:
            if sleeper.asleep:
                sleeper.asleep = False
                self._awake += 1
        sleeper.woken.set()

    def _sleep(self, wait: Timestamp, env: Any) -> None:
        wait.string.eval(env=env)
        due = datetime.fromisoformat(env.stack.pop()).astimezone(UTC)
        sleeper = Sleeper(due, next(self._numbers), env)
        with self._changed:
            heapq.heappush(self._sleepers, sleeper)
            self._awake -= 1
            self._changed.notify_all()
        assert sleeper.woken.wait(10 * PATIENCE), "nobody let time pass"

    def _invoke(self, parameters: dict[str, Any], *_more: Any, **_named: Any) -> dict[str, Any]:
        """Lambda's Invoke, without the client that moto would make anew for each call."""
        answer = {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
        try:
            event = json.loads(parameters["Payload"])
            return answer | {"Payload": json.loads(json.dumps(self._functions(parameters["FunctionName"], event)))}
        except Exception as error:
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return answer | {"FunctionError": "Unhandled", "Payload": told}

    @contextmanager
    def installed(self) -> Iterator["VirtualMachines"]:
        """While this lasts, moto's machines are ours."""
        start, logic, stop = ExecutionWorker.start, ExecutionWorker._execution_logic, ExecutionWorker.stop

        def counted_start(worker: Any) -> None:
            with self._changed:
                self._awake += 1
            start(worker)

        def counted_logic(worker: Any) -> None:
            try:
                logic(worker)
            finally:
                with self._changed:
                    self._awake -= 1
                    self._changed.notify_all()

        def stop_and_wake(worker: Any, **told: Any) -> None:
            self.settle()  # our handlers never stop an execution that is at work
            stop(worker, **told)
            for sleeper in [
                s for s in self._sleepers if s.asleep and s.env.program_state_event is worker.env.program_state_event
            ]:
                self._wake(sleeper)

        parse = ExecutionWorker._get_evaluation_entrypoint
        programs: dict[str, Any] = {}

        def parsed_once(worker: Any) -> Any:
            text = worker._evaluation_details.state_machine_details.definition
            return programs.get(text) or programs.setdefault(text, parse(worker))

        with ExitStack() as hooks:
            for place, name, hook in (
                (ExecutionWorker, "start", counted_start),  # to know when nothing is at work
                (ExecutionWorker, "_execution_logic", counted_logic),
                (ExecutionWorker, "stop", stop_and_wake),  # one that sleeps would never see that it was stopped
                (Timestamp, "_eval_body", lambda wait, env: self._sleep(wait, env)),  # the virtual clock
                (ExecutionWorker, "_get_evaluation_entrypoint", parsed_once),  # each execution would parse it anew
                (lambda_eval_utils, "_invoke_lambda_function", self._invoke),  # our handlers, in this process
                (StateTaskServiceSfn, "_normalise_parameters", _parameters_for_boto),  # moto's own mistakes
                (StateTaskServiceSfn, "_normalise_response", _response_for_states),
                (retrier_decl, "time", _NoWaiting),  # retries wait for nothing
            ):
                hooks.enter_context(mock.patch.object(place, name, hook))
            yield self
            self.settle()


class _NoWaiting:
    """`time` as a retrier sees it."""

    @staticmethod
    def sleep(_seconds: float) -> None:
        return


def _parameters_for_boto(_service: Any, parameters: dict[str, Any], *_more: Any, **_named: Any) -> None:
    """moto hands `StateMachineArn` to a client that knows `stateMachineArn`."""
    for key in list(parameters):
        value = parameters.pop(key)
        parameters[key[0].lower() + key[1:]] = value if isinstance(value, str) else json.dumps(value)


def _response_for_states(_service: Any, response: dict[str, Any], *_more: Any, **_named: Any) -> None:
    """moto leaves datetimes in what must be JSON."""
    for key in list(response):
        value = response.pop(key)
        response[key[0].upper() + key[1:]] = value if isinstance(value, str) else str(value)
