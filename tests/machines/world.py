"""The real handlers, the real adapters and the real scenario machine, in this process: moto, and a virtual clock."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from functions.actions.send_email.app import lambda_handler as send_email
from functions.actions.send_sms.app import lambda_handler as send_sms
from functions.apply_change.app import lambda_handler as apply_change
from functions.close_run.app import lambda_handler as close_run
from functions.receive_change.app import lambda_handler as receive_change
from stagebell.adapters.memory.clock import VirtualClock
from stagebell.domain import signatures
from stagebell.ports import Definition
from stagebell.runtime import wiring
from stagebell.services.shelves import shelf_of
from tests.contract.tables import create_tables, table_definitions
from tests.machines.moto_hooks import VirtualMachines

ROOT = Path(__file__).parents[2]
MACHINE = ROOT / "functions" / "machines" / "scenario.asl.json"
REGION = "eu-central-1"
STACK = "stagebell"
SENDER = "stagebell@example.com"
PATIENCE = 50  # batches: as long as none fails, no test queues more
SECRET = signatures.new_secret(b"k" * 32)
SOURCE = {"kind": "source", "name": "crm", "format": "stagebell"}
ACTIONS = {f"{STACK}-send-email": send_email, f"{STACK}-send-sms": send_sms}


class Context:
    """What Powertools' logger reads of a Lambda context."""

    function_name = memory_limit_in_mb = aws_request_id = invoked_function_arn = "test"


@dataclass
class World:
    """A deployed Stagebell. `post` sends signed webhooks through every stage; nothing is real but the code."""

    clock: VirtualClock
    machines: VirtualMachines
    queue: str
    calls: list[str]

    def activate(self, *documents: Mapping[str, Any]) -> None:
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

    def post(self, body: Any, *, delivery: str, secret: str = SECRET) -> dict[str, Any]:
        """The webhook's answer; what was accepted has been applied when it returns."""
        answer = receive_change(webhook(body, delivery, self.clock.real_now(), secret), Context())
        self.drain()
        return answer

    def drain(self) -> list[Any]:
        """Let apply_change consume the queue; what failed stays in it."""
        answers = []
        sqs = wiring.client("sqs")
        while True:
            taken = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"])
            if not taken.get("Messages"):
                return answers
            answers.append(apply_change(queue_event(taken["Messages"]), Context()))
            failed = {f["itemIdentifier"] for f in answers[-1]["batchItemFailures"]}
            assert len(answers) < PATIENCE, f"apply_change fails again and again: {failed}"
            for message in taken["Messages"]:
                if message["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            self.machines.settle()

    @property
    def emails(self) -> Sequence[Any]:
        return list(ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages)

    @property
    def texts(self) -> Mapping[str, Any]:
        return dict(sns_backends[DEFAULT_ACCOUNT_ID][REGION].sms_messages)

    def executions(self, status: str | None = None) -> list[dict[str, Any]]:
        self.machines.settle()
        found = wiring.client("stepfunctions").list_executions(stateMachineArn=machine_arn())["executions"]
        return [e for e in found if status is None or e["status"] == status]

    def history(self, execution: Mapping[str, Any]) -> list[str]:
        sfn = wiring.client("stepfunctions")
        events = sfn.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)["events"]
        return [event["type"] for event in events]

    def run_ended(self, execution: Mapping[str, Any]) -> None:
        """What EventBridge tells of an execution that failed."""
        close_run({"detail": {"name": execution["name"], "status": execution["status"]}}, Context())


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
            {"messageId": m["MessageId"], "body": m["Body"], "attributes": m["Attributes"], "eventSource": "aws:sqs"}
            for m in messages
        ]
    }


def machine_arn() -> str:
    return f"arn:aws:states:{REGION}:{DEFAULT_ACCOUNT_ID}:stateMachine:{STACK}-scenario"


@contextmanager
def world(*documents: Mapping[str, Any], start: datetime, zone: str = "UTC") -> Iterator[World]:
    """A fresh deployment with active definitions. moto copies all tables at each transaction: keep each world small."""
    clock = VirtualClock(start)
    config: Any = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    with mock_aws(config=config), mock.patch.dict("os.environ", environment(zone)):
        wiring.reset(keep_clients=True)
        machines = VirtualMachines(clock, lambda name, event: ACTIONS[name](event, Context()))
        with mock.patch.object(wiring, "clock", lambda: clock), machines.installed():
            made = World(clock, machines, _resources(), [])
            made.activate(SOURCE, *documents)
            with _recorded(made.calls):
                yield made
        wiring.reset(keep_clients=True)


def environment(zone: str = "UTC") -> dict[str, str]:
    """The environment of all functions together."""
    queue = f"https://sqs.{REGION}.amazonaws.com/{DEFAULT_ACCOUNT_ID}/{STACK}-changes.fifo"
    tables = {f"{name.removesuffix('Table').upper()}_TABLE": name for name in table_definitions()}
    return tables | {
        "AWS_DEFAULT_REGION": REGION,
        "CHANGES_QUEUE_URL": queue,
        "SCENARIO_MACHINE_ARN": machine_arn(),
        "FUNCTION_PREFIX": STACK,
        "SECRETS_PREFIX": f"{STACK}/sources/",
        "SENDER_ADDRESS": SENDER,
        "CONFIGURATION_SET": "",
        "TIME_ZONE": zone,
        "PHONE_REGION": "DE",
        "HISTORY_DAYS": "400",
    }


def _resources() -> str:
    create_tables(wiring.client("dynamodb"))
    secret = json.dumps({"secrets": [SECRET]})
    wiring.client("secretsmanager").create_secret(Name=f"{STACK}/sources/crm", SecretString=secret)
    wiring.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    role = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/machine"
    wiring.client("stepfunctions").create_state_machine(
        name=f"{STACK}-scenario", definition=MACHINE.read_text(), roleArn=role
    )
    attributes = {"FifoQueue": "true", "VisibilityTimeout": "0"}
    made = wiring.client("sqs").create_queue(QueueName=f"{STACK}-changes.fifo", Attributes=attributes)
    return str(made["QueueUrl"])


@contextmanager
def _recorded(calls: list[str]) -> Iterator[None]:
    """Note the AWS calls that the functions make, as `dynamodb.Query`."""

    def note(model: Any, **_rest: Any) -> None:
        calls.append(f"{model.service_model.service_name}.{model.name}")

    clients = [wiring.client(s) for s in ("dynamodb", "sqs", "stepfunctions", "secretsmanager")]
    clients += [wiring.sending_client(service) for service in ("sesv2", "sns")]
    for made in clients:
        made.meta.events.register("before-call", note)
    yield
    for made in clients:
        made.meta.events.unregister("before-call", note)
