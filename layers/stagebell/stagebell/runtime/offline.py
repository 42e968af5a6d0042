"""The services on in-memory adapters: for backtests and tests. No AWS, no network, a clock that stands still."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.adapters.jinja import JinjaRenderer
from stagebell.adapters.memory.clock import VirtualClock
from stagebell.adapters.memory.definitions import MemoryDefinitions
from stagebell.adapters.memory.deliveries import MemoryDeliveries
from stagebell.adapters.memory.outbox import MemoryOutbox, MemoryTeller
from stagebell.adapters.memory.providers import MemoryMailer, MemoryTexter
from stagebell.adapters.memory.queue import MemoryQueue
from stagebell.adapters.memory.records import MemoryRecords
from stagebell.adapters.memory.runs import MemoryRuns
from stagebell.adapters.memory.scheduler import MemoryScheduler
from stagebell.adapters.memory.store import MemoryStore
from stagebell.adapters.memory.suppressions import MemorySuppressions
from stagebell.adapters.phone import e164
from stagebell.adapters.public_holidays import public_holidays
from stagebell.ports import Definition, Renderer
from stagebell.services.act import Action, Actor
from stagebell.services.apply import Applier
from stagebell.services.backtest import Backtest, Rehearsed, Report, VirtualMachine
from stagebell.services.catalog import Catalog
from stagebell.services.compose import Composer
from stagebell.services.deliver import Courier
from stagebell.services.finish import Finisher
from stagebell.services.people import Directories
from stagebell.services.send_email import SendEmail
from stagebell.services.send_sms import SendSms
from stagebell.services.shelves import shelf_of

PREFIX = "offline"
SENDER = "stagebell@example.com"


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
        self.scheduler = MemoryScheduler()
        self.queue = MemoryQueue()
        self.mailer = MemoryMailer(keep=self.keep)
        self.texter = MemoryTexter(keep=self.keep)
        self.renderer: Renderer = JinjaRenderer()
        self.catalog = Catalog(self.definitions, public_holidays, self.zone)
        self.outbox = MemoryOutbox(self.store)
        self.teller = MemoryTeller(keep=self.keep)
        self.applier = Applier(self.catalog, self.records, self.runs, self.scheduler, self.teller, self.clock)
        self.actor = Actor(self.applier, self.records, self.runs, self.clock, PREFIX)
        self.finisher = Finisher(self.runs, self.scheduler, self.clock)
        self.actions = self._actions()

    def _actions(self) -> Mapping[str, Action]:
        composer = Composer(self.catalog, self.renderer)
        courier = Courier(self.deliveries, self.clock)
        directories = Directories(self.catalog, self.records)
        email = SendEmail(composer, courier, self.mailer, self.suppressions, directories, SENDER)
        sms = SendSms(composer, courier, self.texter, self.suppressions, directories, e164, "", self.region)
        return {"send_email": email, "send_sms": sms}

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

    def backtest(self) -> Backtest:
        report = Report(self.zone)
        self.store.on_end = report.ended
        rehearsed = {kind: Rehearsed(action) for kind, action in self.actions.items()}
        return Backtest(self.applier, self._machine(rehearsed), report)

    def _machine(self, actions: Mapping[str, Action]) -> VirtualMachine:
        return VirtualMachine(self.actor, actions, self.scheduler, self.runs, self.clock)
