"""The services on in-memory adapters: for backtests and tests. No AWS, no network, a clock that stands still."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.adapters.jinja import JinjaRenderer
from stagebell.adapters.memory.clock import VirtualClock
from stagebell.adapters.memory.definitions import MemoryDefinitions
from stagebell.adapters.memory.deliveries import MemoryDeliveries
from stagebell.adapters.memory.functions import MemoryFunctions
from stagebell.adapters.memory.inbox import MemoryInbox
from stagebell.adapters.memory.outbox import MemoryOutbox, MemoryTeller
from stagebell.adapters.memory.poster import MemoryPoster
from stagebell.adapters.memory.providers import MemoryMailer, MemoryTexter
from stagebell.adapters.memory.queue import MemoryQueue
from stagebell.adapters.memory.records import MemoryRecords
from stagebell.adapters.memory.runs import MemoryRuns
from stagebell.adapters.memory.scheduler import MemoryScheduler
from stagebell.adapters.memory.secrets import MemorySecrets
from stagebell.adapters.memory.store import MemoryStore
from stagebell.adapters.memory.suppressions import MemorySuppressions
from stagebell.adapters.phone import e164
from stagebell.adapters.public_holidays import public_holidays
from stagebell.domain.invitations import Invitation
from stagebell.ports.definitions import Definition
from stagebell.ports.messages import Renderer
from stagebell.ports.records import Applied
from stagebell.services.act import Actor
from stagebell.services.action import Action
from stagebell.services.apply import Applier
from stagebell.services.assign_owner import AssignOwner
from stagebell.services.backtest import Backtest, Rehearsed, Report, VirtualMachine
from stagebell.services.call_webhook import CallWebhook
from stagebell.services.catalog import Catalog
from stagebell.services.compose import Composer
from stagebell.services.create_event import CreateEvent
from stagebell.services.create_sales_record import CreateSalesRecord
from stagebell.services.create_task import CreateTask
from stagebell.services.deliver import Courier
from stagebell.services.finish import Finisher
from stagebell.services.invite import Inviter
from stagebell.services.lock_record import LockRecord
from stagebell.services.make import Maker
from stagebell.services.notify import Notify
from stagebell.services.people import Directories
from stagebell.services.run_function import RunFunction
from stagebell.services.send_email import SendEmail
from stagebell.services.send_sms import SendSms
from stagebell.services.set_stage import SetStage
from stagebell.services.shelves import shelf_of
from stagebell.services.sight import Sights
from stagebell.services.start_process import StartProcess
from stagebell.services.unlock_record import UnlockRecord
from stagebell.services.update_field import UpdateField
from stagebell.services.webhooks import Webhooks
from stagebell.services.write_back import WriteBack

PREFIX = "offline"
SENDER = "stagebell@example.com"
NEEDS_NOBODY = frozenset({"update_field", "set_stage", "lock_record", "unlock_record", "start_process"})
"""Actions that a history without any people keeps from nothing: in a backtest they end as they would have."""


class Offline:
    """A whole Stagebell in this process. With `keep=False` nothing that is over is kept: memory stays bounded."""

    def __init__(self, zone: ZoneInfo, *, keep: bool = True, region: str = "") -> None:
        self.zone, self.keep, self.region = zone, keep, region
        self.clock = VirtualClock()
        self.store = MemoryStore()
        self.definitions = MemoryDefinitions()
        self.records = MemoryRecords(self.store, keep_history=self.keep)
        self.runs = MemoryRuns(self.store, keep_ended=self.keep)
        self.deliveries = MemoryDeliveries(self.store, keep_known=self.keep)
        self.suppressions = MemorySuppressions()
        self.inbox = MemoryInbox(keep=self.keep)
        self.scheduler = MemoryScheduler()
        self.queue = MemoryQueue()
        self.mailer = MemoryMailer(keep=self.keep)
        self.texter = MemoryTexter(keep=self.keep)
        self.poster = MemoryPoster(any_address=True, keep=self.keep)
        self.secrets = MemorySecrets(ready=True)
        self.functions = MemoryFunctions(silent=True)
        self.renderer: Renderer = JinjaRenderer()
        self.catalog = Catalog(self.definitions, public_holidays, self.zone)
        self.outbox = MemoryOutbox(self.store)
        self.teller = MemoryTeller(keep=self.keep)
        self.noted: Callable[[Applied], None] = _unnoted
        self.applier = Applier(
            self.catalog, self.records, self.runs, self.scheduler, self.teller, self.clock, lambda a: self.noted(a)
        )
        self.actor = Actor(self.applier, self.records, self.runs, self.clock, PREFIX)
        self.finisher = Finisher(self.runs, self.scheduler, self.clock)
        self.actions = self._actions()
        self.write_back = self._write_back()

    def _write_back(self) -> WriteBack:
        stored = self.records, self.outbox, self.deliveries, self.suppressions, self.secrets
        webhooks = Webhooks(self.poster, self.clock)
        return WriteBack(self.catalog, *stored, webhooks, self.teller, self.clock, lambda: 0.0)

    def _actions(self) -> Mapping[str, Action]:
        composer = Composer(self.catalog, self.renderer)
        courier = Courier(self.deliveries, self.clock)
        directories = Directories(self.catalog, self.records)
        inviter = Inviter(composer, self.records, _calendar_file, SENDER)
        email = SendEmail(composer, courier, self.mailer, self.suppressions, directories, SENDER, inviter)
        sms = SendSms(composer, courier, self.texter, self.suppressions, directories, e164, "", self.region)
        notify = Notify(composer, courier, self.inbox, directories, email, sms)
        sending: dict[str, Action] = {"send_email": email, "send_sms": sms, "notify": notify}
        calling = self._calling(Sights(self.catalog, self.records, composer), courier)
        return {**sending, **calling, **self._changing(composer, directories), **_making(Maker(composer, directories))}

    def _calling(self, sights: Sights, courier: Courier) -> Mapping[str, Action]:
        """Those that reach beyond: other systems, and functions of the customer's."""
        webhooks = Webhooks(self.poster, self.clock)
        return {
            "call_webhook": CallWebhook(sights, courier, webhooks, self.secrets, self.suppressions),
            "run_function": RunFunction(sights, courier, self.functions),
        }

    def _changing(self, composer: Composer, directories: Directories) -> Mapping[str, Action]:
        """Those that change records."""
        sights = Sights(self.catalog, self.records, composer)
        return {
            "update_field": UpdateField(sights, self.records),
            "set_stage": SetStage(self.catalog),
            "assign_owner": AssignOwner(self.catalog, self.records, directories),
            "lock_record": LockRecord(sights),
            "unlock_record": UnlockRecord(sights),
            "start_process": StartProcess(self.applier),
        }

    def activate(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Take validated documents as the active definitions, each as the next version of its name."""
        for document in documents:
            kind, name = str(document["kind"]), str(document["name"])
            head = self.definitions.head(kind, name)
            latest = head.latest if head else 0
            definition = Definition(kind, name, latest + 1, document, datetime.now(UTC))
            self.definitions.save(definition, latest)
            head = self.definitions.head(kind, name)
            assert head is not None
            pointed = replace(head, active=definition.version, shelf=shelf_of(document))
            self.definitions.point(pointed, head, definition)
        self.catalog.refresh()

    def run_until(self, moment: datetime, *, inclusive: bool = True) -> None:
        """Let everything act that is due by then."""
        self._machine(self.actions).run_until(moment, inclusive=inclusive)

    def tell_all(self) -> None:
        """Tell the sources what they are still to be told; what they do not take waits for the next time."""
        waiting = [tell for tell in self.teller.take() if self.write_back.carry_out(tell) is not None]
        self.teller.waiting += waiting

    def backtest(self) -> Backtest:
        report = Report(self.zone)
        self.store.on_end = report.ended
        self.noted = report.noted
        rehearsed = {k: a if k in NEEDS_NOBODY else Rehearsed(a) for k, a in self.actions.items()}
        return Backtest(self.applier, self._machine(rehearsed), report)

    def _machine(self, actions: Mapping[str, Action]) -> VirtualMachine:
        return VirtualMachine(self.actor, actions, self.scheduler, self.runs, self.clock)


def _unnoted(_applied: Applied) -> None:
    return


def _making(maker: Maker) -> Mapping[str, Action]:
    """Those that make follow-ups."""
    return {
        "create_task": CreateTask(maker),
        "create_event": CreateEvent(maker),
        "create_sales_record": CreateSalesRecord(maker),
    }


def _calendar_file(invitation: Invitation) -> bytes:
    from stagebell.adapters.invitation_files import calendar_file

    return calendar_file(invitation)
