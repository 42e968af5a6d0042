"""The real handlers on moto, whose process may die just before and just after any call it makes to the outside.

Machines are played here, without waiting: what an execution was started with is handed to the function it names, its
answer is the next state, as the state machines do it. What died is delivered again, as the queue and the machines do.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Any
from unittest import mock

from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from moto.stepfunctions.models import stepfunctions_backends

from stagebell.adapters.memory.clock import VirtualClock
from stagebell.domain.errors import RETRIED_BY_MACHINES
from stagebell.ports.calls import Posted
from stagebell.runtime import wiring
from tests.contract.tables import table_definitions
from tests.crashes.crashing import Died, Fuse
from tests.machines import world as machines

START = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
OWN_CLIENTS = ("dynamodb", "sqs", "stepfunctions", "secretsmanager")
SENDING_CLIENTS = ("sesv2", "sns")
PATIENCE = 400


@dataclass
class Outside:
    """What is no AWS service: addresses that are posted to, and functions of the customer's. Each call may be the last.

    It answers as told, and remembers what arrived."""

    fuse: Fuse
    posted: list[Mapping[str, str]] = field(default_factory=list)
    invoked: list[Mapping[str, Any]] = field(default_factory=list)
    answer: Any = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Any:
        return self._mortal("poster.post", lambda: self.posted.append(dict(headers)) or Posted(200))

    def invoke(self, arn: str, payload: Mapping[str, Any], timeout: float) -> Any:
        return self._mortal("functions.invoke", lambda: self.invoked.append(dict(payload)) or self.answer)

    def _mortal(self, call: str, effect: Callable[[], Any]) -> Any:
        if self.fuse.passes(call):
            return effect()
        self.fuse.instead(call, {})
        effect()
        self.fuse.afterwards(call)
        raise AssertionError(f"the fuse that burnt at {call} did nothing")


@dataclass
class Deployment:
    """One stack. `work` is what is still to be done: each entry is carried out until it does not die."""

    clock: VirtualClock
    fuse: Fuse
    outside: Outside
    deaths: int = 0
    work: deque[Callable[[], None]] = field(default_factory=deque)
    played: set[str] = field(default_factory=set)
    tells: int = 0

    def mailed(self) -> list[tuple[str, ...]]:
        """E-mails and text messages that went out, as whom they went to and what they said first."""
        emails = ses_backends[DEFAULT_ACCOUNT_ID][machines.REGION].sent_messages
        texts = sns_backends[DEFAULT_ACCOUNT_ID][machines.REGION].sms_messages.values()
        letters = [(*mail.destinations["ToAddresses"], mail.subject) for mail in emails]
        return sorted([*letters, *((number, text) for number, text in texts)])

    def change(self, document: Mapping[str, Any], number: int) -> None:
        """A change that a source has posted, as the queue delivers it."""
        message = {
            "MessageId": f"m{number}",
            "Body": json.dumps(document),
            "Attributes": {"MessageGroupId": "g"},
            "ReceiptHandle": "r",
        }
        self._carry_out(lambda: self._consumed("apply_change", machines.queue_event([message])))
        self.settle()

    def _consumed(self, name: str, event: Mapping[str, Any]) -> None:
        """What failed, because a service did, comes again: the messages that were named, or all of them."""
        if not self._taken(name, event):
            assert self.fuse.burnt and self._taken(name, event), f"{name} failed without dying"

    def _taken(self, name: str, event: Mapping[str, Any]) -> bool:
        try:
            return bool(handler(name)(event, machines.Context()) == {"batchItemFailures": []})
        except RETRIED_BY_MACHINES:
            return False

    def settle(self) -> None:
        """Play everything that is due by now or waits for nothing else."""
        for _ in range(PATIENCE):
            self._collect()
            if not self.work:
                return
            self._carry_out(self.work.popleft())
        raise AssertionError("the deployment does not come to rest")

    def _carry_out(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Died:
            self._born_again()
            work()

    def _born_again(self) -> None:
        """What died remembers nothing."""
        self.deaths += 1
        wiring.reset(keep_clients=True)

    def _collect(self) -> None:
        """Executions that were started, and messages of the write-backs queue."""
        with self.fuse.ignored():
            self.work.extend(partial(self._play, state) for state in self.started())
        self._collect_tells()

    def started(self) -> list[dict[str, Any]]:
        """What executions were started with since this was asked last."""
        states, found = wiring.client("stepfunctions"), []
        for arn in (machines.machine_arn("scenario"), machines.machine_arn("workflow")):
            executions = states.list_executions(stateMachineArn=arn)["executions"]
            for execution in sorted(executions, key=lambda e: e["name"]):
                if execution["executionArn"] not in self.played:
                    self.played.add(execution["executionArn"])
                    told = states.describe_execution(executionArn=execution["executionArn"])
                    found.append(json.loads(told["input"]))
        return found

    def forget_executions(self) -> None:
        """As if none had ever been started."""
        forget_executions()
        self.played.clear()

    def _collect_tells(self) -> None:
        with self.fuse.ignored():
            sqs = wiring.client("sqs")
            url = machines.queue_url("write-backs")
            taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get(
                "Messages", []
            )
            for message in taken:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        for event in [machines.queue_event([message]) for message in taken]:
            self.work.append(partial(self._told, event))

    def _told(self, event: Mapping[str, Any]) -> None:
        self.tells += 1
        self._consumed("write_back", event)

    def _play(self, state: dict[str, Any]) -> None:
        """One execution to its end; a step whose function died is handed to it again."""
        for _ in range(PATIENCE):
            self.clock.advance(datetime.fromisoformat(state["wait_until"]))
            kind = state["function"].removeprefix(f"{machines.STACK}-").replace("-", "_")
            act = handler(f"actions.{kind}")
            try:
                answer = act(state, machines.Context())
            except Died:
                self._born_again()
                answer = act(state, machines.Context())
            except RETRIED_BY_MACHINES:
                answer = act(state, machines.Context())
            if answer["next"] == "done":
                return
            state = answer
        raise AssertionError("an execution does not end")


def handler(name: str) -> Callable[[Mapping[str, Any], Any], Any]:
    found: Callable[[Mapping[str, Any], Any], Any] = import_module(f"functions.{name}.app").lambda_handler
    return found


class Stack:
    """One stack with active definitions, on which many stories are played: each finds it as `prepare` has left it."""

    def __init__(self, answer: Any, prepare: Callable[[Deployment], None], *documents: Mapping[str, Any]) -> None:
        self._answer = answer
        self._contexts = ExitStack()
        self._contexts.enter_context(mock_aws())
        self._contexts.enter_context(mock.patch.dict("os.environ", machines.environment()))
        wiring.reset(keep_clients=True)
        machines.make_resources()
        machines.activate(*documents)
        with self.deployed(Fuse(quiet=True)) as made:
            prepare(made)
        self._tables = deepcopy(_database().tables)

    def close(self) -> None:
        self._contexts.close()
        wiring.reset(keep_clients=True)

    @contextmanager
    def deployed(self, fuse: Fuse) -> Iterator[Deployment]:
        """As it was prepared, with a fuse that burns while handlers work."""
        self._restore()
        clock, outside = VirtualClock(START), Outside(fuse, answer=self._answer)
        with ExitStack() as stack:
            stack.callback(wiring.reset, keep_clients=True)
            stack.enter_context(mock.patch.object(wiring, "clock", lambda: clock))
            stack.enter_context(mock.patch.object(wiring, "poster", lambda: outside))
            stack.enter_context(mock.patch.object(wiring, "functions", lambda: outside))
            stack.enter_context(_mortal_calls(fuse))
            yield Deployment(clock, fuse, outside)

    def _restore(self) -> None:
        wiring.reset(keep_clients=True)
        if not hasattr(self, "_tables"):
            return
        _database().tables = deepcopy(self._tables)
        forget_executions()
        ses_backends[DEFAULT_ACCOUNT_ID][machines.REGION].sent_messages.clear()
        sns_backends[DEFAULT_ACCOUNT_ID][machines.REGION].sms_messages.clear()


def forget_executions() -> None:
    for machine in stepfunctions_backends[DEFAULT_ACCOUNT_ID][machines.REGION].state_machines:
        machine.executions = []


def _database() -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][machines.REGION]


@contextmanager
def _mortal_calls(fuse: Fuse) -> Iterator[None]:
    """Every AWS call of the clients that handlers use may be the last one of their process."""
    state: dict[str, bool] = {}

    def before(model: Any, params: Mapping[str, Any], **_rest: Any) -> Any:
        call = f"{model.service_model.service_name}.{model.name}"
        state["burns"] = not fuse.passes(call)
        return fuse.instead(call, params) if state["burns"] else None

    def after(model: Any, **_rest: Any) -> None:
        if state.pop("burns", False):
            fuse.afterwards(f"{model.service_model.service_name}.{model.name}")

    clients = [wiring.client(name) for name in OWN_CLIENTS] + [wiring.sending_client(name) for name in SENDING_CLIENTS]
    for client in clients:
        client.meta.events.register("before-call", before)
        client.meta.events.register("after-call", after)
    yield
    for client in clients:
        client.meta.events.unregister("before-call", before)
        client.meta.events.unregister("after-call", after)


def tables() -> dict[str, list[Mapping[str, Any]]]:
    """Everything that is stored, by table."""
    database = wiring.client("dynamodb")
    return {name: database.scan(TableName=name)["Items"] for name in table_definitions()}
