"""A world: one adapter of every port, all on the same store."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stagebell.adapters.dynamodb_access import DynamoApiKeys, DynamoRequests
from stagebell.adapters.dynamodb_definitions import DynamoDefinitions
from stagebell.adapters.dynamodb_deliveries import DynamoDeliveries
from stagebell.adapters.dynamodb_inbox import DynamoInbox
from stagebell.adapters.dynamodb_outbox import DynamoOutbox
from stagebell.adapters.dynamodb_people import DynamoSuppressions
from stagebell.adapters.dynamodb_records import DynamoRecords
from stagebell.adapters.dynamodb_runs import DynamoRuns
from stagebell.adapters.memory.access import MemoryApiKeys, MemoryRequests
from stagebell.adapters.memory.definitions import MemoryDefinitions
from stagebell.adapters.memory.deliveries import MemoryDeliveries
from stagebell.adapters.memory.inbox import MemoryInbox
from stagebell.adapters.memory.outbox import MemoryOutbox
from stagebell.adapters.memory.records import MemoryRecords
from stagebell.adapters.memory.runs import MemoryRuns
from stagebell.adapters.memory.store import MemoryStore
from stagebell.adapters.memory.suppressions import MemorySuppressions
from stagebell.adapters.retention import Retention
from stagebell.ports.access import ApiKeys, Requests
from stagebell.ports.definitions import Definitions
from stagebell.ports.deliveries import Deliveries, Suppressions
from stagebell.ports.inbox import Inbox
from stagebell.ports.outbox import Outbox
from stagebell.ports.records import Records
from stagebell.ports.runs import Runs
from tests.contract.examples import change, commit_of, enrolment, run

PAGE_SIZE = 3
ACTIVE_LIMIT = 20


@dataclass
class SetClock:
    """A clock that stands where it is put."""

    moment: datetime = datetime(2026, 11, 20, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def real(self, moment: datetime) -> datetime:
        return moment

    def real_now(self) -> datetime:
        return self.moment

    def advance(self, delta: timedelta) -> None:
        self.moment += delta


@dataclass(frozen=True)
class World:
    clock: SetClock
    definitions: Definitions
    records: Records
    runs: Runs
    deliveries: Deliveries
    suppressions: Suppressions
    outbox: Outbox
    inbox: Inbox
    api_keys: ApiKeys
    requests: Requests


def memory_world() -> World:
    store, clock = MemoryStore(), SetClock()
    return World(
        clock=clock,
        definitions=MemoryDefinitions(page_size=PAGE_SIZE, limit=ACTIVE_LIMIT),
        records=MemoryRecords(store, page_size=PAGE_SIZE),
        runs=MemoryRuns(store, page_size=PAGE_SIZE),
        deliveries=MemoryDeliveries(store, page_size=PAGE_SIZE),
        suppressions=MemorySuppressions(),
        outbox=MemoryOutbox(store),
        inbox=MemoryInbox(page_size=PAGE_SIZE),
        api_keys=MemoryApiKeys(page_size=PAGE_SIZE),
        requests=MemoryRequests(clock),
    )


def dynamodb_world(client: Any) -> World:
    clock = SetClock()
    kept = Retention(clock, days=400)
    return World(
        clock=clock,
        definitions=DynamoDefinitions(client, "DefinitionsTable", page_size=PAGE_SIZE, limit=ACTIVE_LIMIT),
        records=DynamoRecords(client, "RecordsTable", "RunsTable", kept, page_size=PAGE_SIZE),
        runs=DynamoRuns(client, "RunsTable", "RecordsTable", kept, page_size=PAGE_SIZE),
        deliveries=DynamoDeliveries(client, "DeliveriesTable", "RunsTable", "RecordsTable", kept, page_size=PAGE_SIZE),
        suppressions=DynamoSuppressions(client, "PeopleTable"),
        outbox=DynamoOutbox(client, "RecordsTable", clock),
        inbox=DynamoInbox(client, "PeopleTable", kept, page_size=PAGE_SIZE),
        api_keys=DynamoApiKeys(client, "AccessTable", page_size=PAGE_SIZE),
        requests=DynamoRequests(client, "AccessTable", clock),
    )


def apply(world: World, what: Any, **parts: Any) -> str:
    """Commit a change to its record as it is."""
    return world.records.commit(commit_of(world.records.load(what.key), what, **parts))


def many_runs(world: World, count: int) -> list[Any]:
    """Runs of one record, started by several changes."""
    runs = [run(f"run_{number}", definition=f"scenario-{number}") for number in range(count)]
    for number in range(0, count, 40):
        some = runs[number : number + 40]
        parts = {"started": some, "enrolments": [enrolment(r) for r in some]}
        assert apply(world, change(f"start-{number}", minute=number), **parts) == "committed"
    return runs
