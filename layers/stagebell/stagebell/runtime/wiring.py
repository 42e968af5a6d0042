"""Wiring: which adapters stand behind the ports in a deployed function. Everything is made when it is first needed.

One botocore session for all clients (a second one costs as much again at a cold start); adapters are imported where
they are made, so a function only loads what it uses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from stagebell.runtime import settings

if TYPE_CHECKING:
    from datetime import datetime

    from stagebell.adapters.retention import Retention
    from stagebell.api.ports import ApiPorts
    from stagebell.domain.changes import Change
    from stagebell.domain.orders import Tell
    from stagebell.ports.access import ApiKeys, Requests
    from stagebell.ports.calls import Functions, Poster
    from stagebell.ports.clock import Clock
    from stagebell.ports.definitions import Definitions
    from stagebell.ports.deliveries import Deliveries, Suppressions
    from stagebell.ports.inbox import Inbox
    from stagebell.ports.outbox import Outbox, Teller
    from stagebell.ports.queues import ChangeQueue, Command
    from stagebell.ports.records import Records
    from stagebell.ports.runs import Runs, Scheduler
    from stagebell.ports.secrets import Secrets
    from stagebell.services.act import Actor
    from stagebell.services.apply import Applier
    from stagebell.services.catalog import Catalog
    from stagebell.services.checks.world import Tools
    from stagebell.services.close import Closer
    from stagebell.services.deliver import Courier
    from stagebell.services.feedback import FeedbackDesk
    from stagebell.services.finish import Commander, Finisher
    from stagebell.services.receive import Receiver
    from stagebell.services.write_back import WriteBack


_MADE: list[Any] = []


def once[**P, T](make: Callable[P, T]) -> Callable[P, T]:
    """Make it when it is first asked for, and keep it for as long as the process lives."""
    kept = cache(make)
    _MADE.append(kept)
    return cast("Callable[P, T]", kept)


@once
def session() -> Any:
    from botocore.session import Session

    return Session()


@once
def client(service: str) -> Any:
    """A client that tries again by itself: for calls that may be repeated. All its tries fit into a function's 30 s."""
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=7, retries={"mode": "standard", "total_max_attempts": 3})
    return session().create_client(service, config=config)


@once
def sending_client(service: str) -> Any:
    """A client that sends once: retries belong to the machine."""
    from botocore.config import Config

    from stagebell.adapters.providers import CLIENT_CONFIG

    return session().create_client(service, config=Config(**CLIENT_CONFIG))


class Late:
    """What is made when it is first used: most changes start no machine and tell nobody, and most actions never may."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


@once
def clock() -> Clock:
    return settings.ClockSettings.read().clock


@once
def tables() -> settings.TableSettings:
    return settings.TableSettings()


@once
def retention() -> Retention:
    from stagebell.adapters.retention import Retention

    return Retention(clock(), settings.HistorySettings.read().days)


# --- adapters ----------------------------------------------------------------------------------------------------


@once
def definitions() -> Definitions:
    from stagebell.adapters.dynamodb_definitions import DynamoDefinitions

    return DynamoDefinitions(client("dynamodb"), tables().definitions)


@once
def catalog() -> Catalog:
    from stagebell.adapters.public_holidays import public_holidays
    from stagebell.services.catalog import Catalog

    return Catalog(definitions(), public_holidays, settings.ZoneSettings.read().zone)


@once
def records() -> Records:
    from stagebell.adapters.dynamodb_records import DynamoRecords

    return DynamoRecords(client("dynamodb"), tables().records, tables().runs, retention())


@once
def runs() -> Runs:
    from stagebell.adapters.dynamodb_runs import DynamoRuns

    return DynamoRuns(client("dynamodb"), tables().runs, tables().records, retention())


@once
def deliveries() -> Deliveries:
    from stagebell.adapters.dynamodb_deliveries import DynamoDeliveries

    names = tables()
    return DynamoDeliveries(client("dynamodb"), names.deliveries, names.runs, names.records, retention())


@once
def suppressions() -> Suppressions:
    from stagebell.adapters.dynamodb_people import DynamoSuppressions

    return DynamoSuppressions(client("dynamodb"), tables().people)


@once
def inbox() -> Inbox:
    from stagebell.adapters.dynamodb_inbox import DynamoInbox

    return DynamoInbox(client("dynamodb"), tables().people, retention())


@once
def queue() -> ChangeQueue:
    from stagebell.adapters.sqs import SqsChangeQueue

    return SqsChangeQueue(client("sqs"), settings.QueueSettings.read().url)


def read_message(body: str) -> Change | Command:
    """The Change or Command in a queue message."""
    from stagebell.adapters.sqs import read_message as read

    return read(body)


@once
def scheduler() -> Scheduler:
    from stagebell.adapters.stepfunctions import StepFunctionsScheduler

    machine = settings.MachineSettings.read()
    arns = machine.arn, machine.workflow_arn
    return StepFunctionsScheduler(client("stepfunctions"), clock(), *arns, machine.function_prefix)


@once
def teller() -> Teller:
    from stagebell.adapters.sqs_tells import SqsTeller

    return SqsTeller(client("sqs"), settings.WriteBackSettings.read().url)


@once
def postpone() -> Callable[[str, datetime], None]:
    """Lets a message of the write-backs queue, by its receipt handle, come back at a time."""
    from stagebell.adapters.sqs_tells import SqsPauses

    return SqsPauses(client("sqs"), settings.WriteBackSettings.read().url, clock())


def read_tell(body: str) -> Tell:
    """The Tell in a message of the write-backs queue."""
    from stagebell.adapters.sqs_tells import read_tell as read

    return read(body)


@once
def outbox() -> Outbox:
    from stagebell.adapters.dynamodb_outbox import DynamoOutbox

    return DynamoOutbox(client("dynamodb"), tables().records, clock())


@once
def secrets() -> Secrets:
    from stagebell.adapters.secrets_manager import SecretsManagerSecrets

    return SecretsManagerSecrets(client("secretsmanager"), settings.SecretSettings(), clock())


@once
def api_keys() -> ApiKeys:
    from stagebell.adapters.dynamodb_access import DynamoApiKeys

    return DynamoApiKeys(client("dynamodb"), tables().access)


# --- services ----------------------------------------------------------------------------------------------------


@once
def receiver() -> Receiver:
    from stagebell.services.receive import Receiver
    from stagebell.services.shelves import Shelves

    return Receiver(Shelves(definitions()), secrets(), queue(), clock())


@once
def applier() -> Applier:
    from stagebell.runtime.observability import note_applied
    from stagebell.services.apply import Applier

    return Applier(catalog(), records(), runs(), Late(scheduler), Late(teller), clock(), note_applied)


@once
def finisher() -> Finisher:
    from stagebell.services.finish import Finisher

    return Finisher(runs(), scheduler(), clock())


@once
def closer() -> Closer:
    from stagebell.services.close import Closer

    return Closer(finisher(), courier(), records(), Late(queue))


@once
def commander() -> Commander:
    from stagebell.services.finish import Commander

    return Commander(finisher(), runs(), queue())


@once
def actor() -> Actor:
    from stagebell.runtime.observability import note_step
    from stagebell.services.act import Actor

    return Actor(applier(), records(), runs(), clock(), settings.function_prefix(), note_step)


@once
def feedback_desk() -> FeedbackDesk:
    from stagebell.services.feedback import FeedbackDesk

    return FeedbackDesk(deliveries(), suppressions())


@once
def courier() -> Courier:
    from stagebell.services.deliver import Courier

    return Courier(deliveries(), clock())


@once
def poster() -> Poster:
    from stagebell.adapters.poster import HttpsPoster

    return HttpsPoster(any_address=settings.WebhookSettings.read().any_address)


@once
def functions() -> Functions:
    from stagebell.adapters.lambda_functions import LambdaFunctions

    return LambdaFunctions(_waiting_client)


@once
def _waiting_client(seconds: float) -> Any:
    """For functions of the customer's: it sends once and waits as long as the function's definition says."""
    from botocore.config import Config

    from stagebell.adapters.providers import CLIENT_CONFIG

    return session().create_client("lambda", config=Config(**{**CLIENT_CONFIG, "read_timeout": seconds}))


@once
def write_back() -> WriteBack:
    from random import random

    from stagebell.runtime.observability import note_write_back
    from stagebell.services.shelves import Shelves
    from stagebell.services.webhooks import Webhooks
    from stagebell.services.write_back import WriteBack

    stored = records(), outbox(), deliveries(), suppressions(), secrets()
    webhooks = Webhooks(poster(), clock())
    return WriteBack(Shelves(definitions()), *stored, webhooks, Late(teller), clock(), random, note_write_back)


@once
def requests() -> Requests:
    from stagebell.adapters.dynamodb_access import DynamoRequests

    return DynamoRequests(client("dynamodb"), tables().access, clock())


@once
def tools() -> Tools:
    from stagebell.adapters.jinja import JinjaRenderer
    from stagebell.adapters.public_holidays import public_holidays
    from stagebell.services.checks.world import Tools

    any_address = settings.WebhookSettings.read().any_address
    return Tools(JinjaRenderer(), public_holidays, settings.ZoneSettings.read().zone, any_address)


@once
def api() -> ApiPorts:
    """Everything the API works with, each port made when an endpoint first asks for it."""
    from stagebell.api.ports import deferred

    return deferred(
        definitions=definitions,
        records=records,
        runs=runs,
        deliveries=deliveries,
        queue=queue,
        scheduler=scheduler,
        teller=teller,
        outbox=outbox,
        suppressions=suppressions,
        inbox=inbox,
        secrets=secrets,
        api_keys=api_keys,
        requests=requests,
        clock=clock,
        catalog=catalog,
        tools=tools,
    )


def reset(*, keep_clients: bool = False) -> None:
    """Forget everything made so far: for tests, where environments change within a process. Clients are the same in
    every environment and slow to make."""
    kept = (session, client, sending_client) if keep_clients else ()
    for made in _MADE:
        if made not in kept:
            made.cache_clear()
