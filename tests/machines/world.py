"""The real handlers, the real adapters and both real machines, in this process: moto, and a virtual clock.

Fakes stand where the outside begins: `webhooks` takes what is posted, `functions` are the customer's."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from functions.apply_change.app import lambda_handler as apply_change
from functions.close_run.app import lambda_handler as close_run
from functions.receive_change.app import lambda_handler as receive_change
from functions.write_back.app import lambda_handler as write_back
from stagebell.adapters.memory.clock import VirtualClock
from stagebell.adapters.memory.functions import MemoryFunctions
from stagebell.adapters.memory.poster import MemoryPoster
from stagebell.domain import signatures
from stagebell.domain.changes import RecordKey
from stagebell.domain.records import Record
from stagebell.domain.runs import Run
from stagebell.ports.definitions import Definition
from stagebell.runtime import wiring
from stagebell.services.shelves import shelf_of
from tests.machines.moto_hooks import VirtualMachines
from tests.machines.recorder import Recorder, acting
from tests.machines.resources import REGION, SECRET, STACK, environment, machine_arn, make_resources, queue_url

ROOT = Path(__file__).parents[2]
PATIENCE = 50  # batches: as long as none fails, no test queues more
SOURCE = {"kind": "source", "name": "crm", "format": "stagebell"}
type Handler = Callable[[dict[str, Any], Any], Any]
ACTIONS: dict[str, Handler] = {
    f"{STACK}-{folder.name.replace('_', '-')}": import_module(f"functions.actions.{folder.name}.app").lambda_handler
    for folder in sorted(app.parent for app in (ROOT / "functions" / "actions").glob("*/app.py"))
}
FUNCTIONS = ACTIONS | {f"{STACK}-close-run": close_run}


class Context:
    """What Powertools' logger reads of a Lambda context."""

    function_name = memory_limit_in_mb = aws_request_id = invoked_function_arn = "test"


@dataclass
class World:
    """A deployed Stagebell. `post` sends signed webhooks through every stage; nothing is real but the code."""

    clock: VirtualClock
    machines: VirtualMachines
    queue: str
    write_backs: str
    webhooks: MemoryPoster
    functions: MemoryFunctions
    recorder: Recorder

    @property
    def calls(self) -> list[str]:
        """The AWS calls made, as `dynamodb.Query`."""
        return self.recorder.calls

    def activate(self, *documents: Mapping[str, Any]) -> None:
        activate(*documents)

    def post(self, body: Any, *, delivery: str, secret: str = SECRET) -> dict[str, Any]:
        """The webhook's answer; what was accepted has been applied when it returns."""
        with acting(f"{STACK}-receive-change"):
            answer = receive_change(webhook(body, delivery, self.clock.real_now(), secret), Context())
        self.drain()
        return answer

    def drain(self) -> list[Any]:
        """Let apply_change consume its queue, then write_back its own; what failed stays in them."""
        answers = self._consumed(self.queue, "apply-change", apply_change)
        self._consumed(self.write_backs, "write-back", write_back)
        return answers

    def _consumed(self, queue: str, name: str, consumer: Handler) -> list[Any]:
        answers: list[Any] = []
        sqs = wiring.client("sqs")
        while True:
            taken = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"])
            if not taken.get("Messages"):
                return answers
            with acting(f"{STACK}-{name}"):
                answers.append(consumer(queue_event(taken["Messages"]), Context()))
            failed = {f["itemIdentifier"] for f in answers[-1]["batchItemFailures"]}
            assert len(answers) < PATIENCE, f"{queue} is consumed again and again: {failed}"
            for message in taken["Messages"]:
                if message["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            self.machines.settle()

    def runs(self, object_name: str, id: str) -> Sequence[Run]:
        """Newest first."""
        self.machines.settle()
        return wiring.runs().of_record(RecordKey(object_name, id)).items

    def record(self, object_name: str, id: str) -> Record:
        return wiring.records().load(RecordKey(object_name, id)).record

    @property
    def emails(self) -> Sequence[Any]:
        return list(ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages)

    @property
    def texts(self) -> Mapping[str, Any]:
        return dict(sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages)

    def executions(self, status: str | None = None, machine: str = "scenario") -> list[dict[str, Any]]:
        """Newest first."""
        self.machines.settle()
        found = wiring.client("stepfunctions").list_executions(stateMachineArn=machine_arn(machine))["executions"]
        return [e for e in found if status is None or e["status"] == status]

    def history(self, execution: Mapping[str, Any]) -> list[str]:
        sfn = wiring.client("stepfunctions")
        events = sfn.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)["events"]
        return [event["type"] for event in events]

    def run_ended(self, execution: Mapping[str, Any]) -> None:
        """What EventBridge tells of an execution that failed."""
        with acting(f"{STACK}-close-run"):
            close_run({"detail": {"name": execution["name"], "status": execution["status"]}}, Context())


def activate(*documents: Mapping[str, Any]) -> None:
    """Make documents the active definitions."""
    definitions = wiring.definitions()
    for document in documents:
        kind, name = str(document["kind"]), str(document["name"])
        head = definitions.head(kind, name)
        latest = head.latest if head else 0
        definition = Definition(kind, name, latest + 1, document, datetime.now(UTC))
        definitions.save(definition, latest)
        saved = definitions.head(kind, name)
        assert saved is not None
        definitions.point(replace(saved, active=latest + 1, shelf=shelf_of(document)), saved, definition)


def webhook(body: Any, delivery: str, now: datetime, secret: str = SECRET) -> dict[str, Any]:
    """An API Gateway event (HTTP API, payload 2.0) of a signed webhook."""
    text = body if isinstance(body, str) else json.dumps(body)
    seconds = int(now.timestamp())
    headers = {
        "webhook-id": delivery,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signatures.sign(delivery, seconds, text.encode(), secret),
    }
    return {"pathParameters": {"source": "crm"}, "headers": headers, "body": text, "isBase64Encoded": False}


def queue_event(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What Lambda's poller makes of received messages."""
    return {
        "Records": [
            {
                "messageId": m["MessageId"],
                "receiptHandle": m["ReceiptHandle"],
                "body": m["Body"],
                "attributes": m["Attributes"],
                "eventSource": "aws:sqs",
            }
            for m in messages
        ]
    }


@contextmanager
def world(*documents: Mapping[str, Any], start: datetime, zone: str = "UTC") -> Iterator[World]:
    """A fresh deployment with active definitions. moto copies all tables at each transaction: keep each world small."""
    clock, webhooks, functions = VirtualClock(start), MemoryPoster(), MemoryFunctions()
    config: Any = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    fakes = {"clock": lambda: clock, "poster": lambda: webhooks}
    with mock_aws(config=config), mock.patch.dict("os.environ", environment(zone)):
        wiring.reset(keep_clients=True)
        machines = VirtualMachines(clock, _invoked)
        invoking = mock.patch("stagebell.adapters.lambda_functions.LambdaFunctions", lambda _client: functions)
        with mock.patch.multiple(wiring, **fakes), invoking, machines.installed():
            make_resources()
            outside = webhooks, functions, Recorder()
            made = World(clock, machines, queue_url("changes"), queue_url("write-backs"), *outside)
            made.activate(SOURCE, *documents)
            with made.recorder.listening(_clients()):
                yield made
        wiring.reset(keep_clients=True)


def _invoked(function: str, event: dict[str, Any]) -> Any:
    """By its name or its ARN."""
    name = function.rpartition(":")[2]
    with acting(name):
        return (FUNCTIONS | ACTIONS)[name](event, Context())


def _clients() -> list[Any]:
    made = [wiring.client(service) for service in ("dynamodb", "sqs", "stepfunctions", "secretsmanager")]
    return made + [wiring.sending_client(service) for service in ("sesv2", "sns")]
