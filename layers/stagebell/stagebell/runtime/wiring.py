"""Wiring: which adapters stand behind the ports in a deployed function. Everything is made when it is first needed.

One botocore session for all clients (a second one costs as much again at a cold start); adapters are imported where
they are made, so a function only loads what it uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from stagebell.runtime import settings

if TYPE_CHECKING:
    from stagebell.adapters.retention import Retention
    from stagebell.api.ports import ApiPorts
    from stagebell.domain.changes import Change
    from stagebell.ports import (
        ApiKeys,
        ChangeQueue,
        Clock,
        Command,
        Definitions,
        Deliveries,
        Outbox,
        Records,
        Requests,
        Runs,
        Scheduler,
        Secrets,
        Suppressions,
        Teller,
    )
    from stagebell.services.act import Action, Actor
    from stagebell.services.apply import Applier
    from stagebell.services.catalog import Catalog
    from stagebell.services.checks.world import Tools
    from stagebell.services.deliver import Courier
    from stagebell.services.feedback import FeedbackDesk
    from stagebell.services.finish import Commander, Finisher
    from stagebell.services.receive import Receiver


@cache
def session() -> Any:
    from botocore.session import Session

    return Session()


@cache
def client(service: str) -> Any:
    """A client that tries again by itself: for calls that may be repeated. All its tries fit into a function's 30 s."""
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=7, retries={"mode": "standard", "total_max_attempts": 3})
    return session().create_client(service, config=config)


@cache
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


@cache
def clock() -> Clock:
    return settings.ClockSettings.read().clock


@cache
def tables() -> settings.TableSettings:
    return settings.TableSettings()


@cache
def retention() -> Retention:
    from stagebell.adapters.retention import Retention

    return Retention(clock(), settings.HistorySettings.read().days)


# --- adapters ----------------------------------------------------------------------------------------------------


@cache
def definitions() -> Definitions:
    from stagebell.adapters.dynamodb_definitions import DynamoDefinitions

    return DynamoDefinitions(client("dynamodb"), tables().definitions)


@cache
def catalog() -> Catalog:
    from stagebell.adapters.public_holidays import public_holidays
    from stagebell.services.catalog import Catalog

    return Catalog(definitions(), public_holidays, settings.ZoneSettings.read().zone)


@cache
def records() -> Records:
    from stagebell.adapters.dynamodb_records import DynamoRecords

    return DynamoRecords(client("dynamodb"), tables().records, tables().runs, retention())


@cache
def runs() -> Runs:
    from stagebell.adapters.dynamodb_runs import DynamoRuns

    return DynamoRuns(client("dynamodb"), tables().runs, tables().records, retention())


@cache
def deliveries() -> Deliveries:
    from stagebell.adapters.dynamodb_deliveries import DynamoDeliveries

    names = tables()
    return DynamoDeliveries(client("dynamodb"), names.deliveries, names.runs, names.records, retention())


@cache
def suppressions() -> Suppressions:
    from stagebell.adapters.dynamodb_people import DynamoSuppressions

    return DynamoSuppressions(client("dynamodb"), tables().people)


@cache
def queue() -> ChangeQueue:
    from stagebell.adapters.sqs import SqsChangeQueue

    return SqsChangeQueue(client("sqs"), settings.QueueSettings.read().url)


def read_message(body: str) -> Change | Command:
    """The Change or Command in a queue message."""
    from stagebell.adapters.sqs import read_message as read

    return read(body)


@cache
def scheduler() -> Scheduler:
    from stagebell.adapters.stepfunctions import StepFunctionsScheduler

    machine = settings.MachineSettings.read()
    arns = machine.arn, machine.workflow_arn
    return StepFunctionsScheduler(client("stepfunctions"), clock(), *arns, machine.function_prefix)


@cache
def teller() -> Teller:
    from stagebell.adapters.sqs_tells import SqsTeller

    return SqsTeller(client("sqs"), settings.WriteBackSettings.read().url)


@cache
def outbox() -> Outbox:
    from stagebell.adapters.dynamodb_outbox import DynamoOutbox

    return DynamoOutbox(client("dynamodb"), tables().records)


@cache
def secrets() -> Secrets:
    from stagebell.adapters.secrets_manager import SecretsManagerSecrets

    return SecretsManagerSecrets(client("secretsmanager"), settings.SecretSettings.read().prefix, clock())


@cache
def api_keys() -> ApiKeys:
    from stagebell.adapters.dynamodb_access import DynamoApiKeys

    return DynamoApiKeys(client("dynamodb"), tables().access)


# --- services ----------------------------------------------------------------------------------------------------


@cache
def receiver() -> Receiver:
    from stagebell.services.receive import Receiver
    from stagebell.services.shelves import Shelves

    return Receiver(Shelves(definitions()), secrets(), queue(), clock())


@cache
def applier() -> Applier:
    from stagebell.runtime.observability import note_applied
    from stagebell.services.apply import Applier

    return Applier(catalog(), records(), runs(), Late(scheduler), Late(teller), clock(), note_applied)


@cache
def finisher() -> Finisher:
    from stagebell.services.finish import Finisher

    return Finisher(runs(), scheduler(), clock())


@cache
def commander() -> Commander:
    from stagebell.services.finish import Commander

    return Commander(finisher(), runs(), queue())


@cache
def actor() -> Actor:
    from stagebell.runtime.observability import note_step
    from stagebell.services.act import Actor

    return Actor(applier(), records(), runs(), clock(), settings.function_prefix(), note_step)


@cache
def feedback_desk() -> FeedbackDesk:
    from stagebell.services.feedback import FeedbackDesk

    return FeedbackDesk(deliveries(), suppressions())


@cache
def courier() -> Courier:
    from stagebell.services.deliver import Courier

    return Courier(deliveries(), clock())


@cache
def _sending() -> Mapping[str, Any]:
    """What every sending action needs."""
    from stagebell.adapters.jinja import JinjaRenderer
    from stagebell.services.compose import Composer
    from stagebell.services.people import Directories

    return {
        "composer": Composer(catalog(), JinjaRenderer()),
        "courier": courier(),
        "suppressions": suppressions(),
        "directories": Directories(catalog(), records()),
    }


@cache
def send_email() -> Action:
    from stagebell.adapters.ses import SesMailer
    from stagebell.services.send_email import SendEmail

    mail = settings.MailSettings.read()
    mailer = SesMailer(sending_client("sesv2"), mail.configuration_set)
    return SendEmail(mailer=mailer, sender=mail.sender, **_sending())


@cache
def send_sms() -> Action:
    from stagebell.adapters.phone import e164
    from stagebell.adapters.sns import SnsTexter
    from stagebell.services.send_sms import SendSms

    sms = settings.SmsSettings.read()
    texter = SnsTexter(sending_client("sns"))
    return SendSms(texter=texter, phones=e164, sender_id=sms.sender_id, region=sms.region or "", **_sending())


@cache
def requests() -> Requests:
    from stagebell.adapters.dynamodb_access import DynamoRequests

    return DynamoRequests(client("dynamodb"), tables().access, clock())


@cache
def tools() -> Tools:
    from stagebell.adapters.jinja import JinjaRenderer
    from stagebell.adapters.public_holidays import public_holidays
    from stagebell.services.checks.world import Tools

    return Tools(JinjaRenderer(), public_holidays, settings.ZoneSettings.read().zone)


@cache
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
        suppressions=suppressions,
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
    for made in list(globals().values()):
        if hasattr(made, "cache_clear") and made not in kept:
            made.cache_clear()
