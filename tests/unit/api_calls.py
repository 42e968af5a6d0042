"""The API on memory adapters, called through its handler with events as API Gateway sends them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from functions.api.app import lambda_handler
from stagebell.adapters.jinja import JinjaRenderer
from stagebell.adapters.memory.access import MemoryApiKeys, MemoryRequests
from stagebell.adapters.memory.clock import VirtualClock
from stagebell.adapters.memory.definitions import MemoryDefinitions
from stagebell.adapters.memory.deliveries import MemoryDeliveries
from stagebell.adapters.memory.inbox import MemoryInbox
from stagebell.adapters.memory.outbox import MemoryOutbox, MemoryTeller
from stagebell.adapters.memory.queue import MemoryQueue
from stagebell.adapters.memory.records import MemoryRecords
from stagebell.adapters.memory.runs import MemoryRuns
from stagebell.adapters.memory.scheduler import MemoryScheduler
from stagebell.adapters.memory.secrets import MemorySecrets
from stagebell.adapters.memory.store import MemoryStore
from stagebell.adapters.memory.suppressions import MemorySuppressions
from stagebell.adapters.public_holidays import public_holidays
from stagebell.api.ports import ApiPorts
from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.deliveries import Delivery
from stagebell.ports.deliveries import Guard
from stagebell.services.apply import Applier
from stagebell.services.catalog import Catalog
from stagebell.services.checks.world import Tools

EVENTS = Path(__file__).parents[2] / "events" / "api"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CALLER = "0f2c8f4e5d0b4f3a"
PAGE = 2


class Context:
    function_name = "stagebell-api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:stagebell-api"
    aws_request_id = "7c1f4c3e-0000-4000-8000-000000000000"


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return event


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def paths(self) -> set[tuple[str, str]]:
        """Path and rule of every problem of the input."""
        return {(problem["path"], problem["rule"]) for problem in self.json["problems"]}


def answer_to(event: Mapping[str, Any]) -> Answer:
    told = lambda_handler(dict(event), Context())
    headers = {name.lower(): value for name, value in told["headers"].items()}
    return Answer(told["statusCode"], headers, told["body"])


@dataclass
class Api:
    """One deployment. `ports` are what its handlers get."""

    ports: ApiPorts
    clock: VirtualClock
    sent: list[str] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        role: str = "admin",
        query: str = "",
        key: str = "",
        caller: str = CALLER,
        **changed: Any,
    ) -> Answer:
        event = sample("get_run.json")
        event |= {
            "rawPath": path,
            "rawQueryString": query,
            "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)) or None,
        }
        event["requestContext"]["http"] |= {"method": method, "path": path}
        event["requestContext"]["authorizer"]["lambda"] = {"key": caller, "role": role}
        if key:
            event["headers"]["idempotency-key"] = key
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return answer_to(event | changed)

    def get(self, path: str, query: str = "", **more: Any) -> Answer:
        return self.call("GET", path, query=query, **more)

    def post(self, path: str, body: object = None, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: object = None, **more: Any) -> Answer:
        return self.call("PUT", path, body, **more)

    def patch(self, path: str, body: object = None, **more: Any) -> Answer:
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.call("DELETE", path, **more)

    def activate(self, *definitions: Mapping[str, Any]) -> None:
        for definition in definitions:
            path = f"/v1/definitions/{definition['kind']}/{definition['name']}"
            assert self.put(path, definition).status == 200
            assert self.post(f"{path}/activate").status == 200

    def apply(self, id: str, kind: str = "created", *, record: str = "deal-7", minute: int = 0, **fields: Any) -> None:
        """Let a change of a deal happen and be applied."""
        at = START + timedelta(minutes=minute)
        self.clock.advance(at)
        self.ports.catalog.refresh()
        p = self.ports
        change = Change(f"erp:{id}", "erp", RecordKey("deal", record), kind, at, fields)  # type: ignore[arg-type]
        Applier(p.catalog, p.records, p.runs, p.scheduler, p.teller, p.clock).apply(change)

    def only_run(self, record: str = "deal-7") -> str:
        (run,) = self.get(f"/v1/records/deal/{record}/runs").json["items"]
        return str(run["id"])

    def record_delivery(self, run: str, recipient: str, state: str = "sent", minute: int = 5) -> Delivery:
        stored = self.ports.runs.get(run)
        assert stored is not None
        key = f"dlv_{len(self.sent)}"
        self.sent.append(key)
        at = START + timedelta(minutes=minute)
        delivery = Delivery(key, run, "first-mail", stored.definition, stored.key, "email", recipient, at, state)  # type: ignore[arg-type]
        guard = Guard(run, stored.key, self.ports.records.load(stored.key).record.version)
        assert self.ports.deliveries.reserve(delivery, guard) is None
        return delivery


def make_api() -> Api:
    """Pages hold two items, so that three make cursors."""
    clock, store = VirtualClock(START), MemoryStore()
    definitions = MemoryDefinitions(page_size=PAGE)
    zone = ZoneInfo("Europe/Berlin")
    ports = ApiPorts(
        definitions=definitions,
        records=MemoryRecords(store, page_size=PAGE),
        runs=MemoryRuns(store, page_size=PAGE),
        deliveries=MemoryDeliveries(store, page_size=PAGE),
        queue=MemoryQueue(),
        scheduler=MemoryScheduler(),
        teller=MemoryTeller(),
        outbox=MemoryOutbox(store),
        suppressions=MemorySuppressions(),
        inbox=MemoryInbox(page_size=PAGE),
        secrets=MemorySecrets(),
        api_keys=MemoryApiKeys(page_size=PAGE),
        requests=MemoryRequests(clock),
        clock=clock,
        catalog=Catalog(definitions, public_holidays, zone),
        tools=Tools(JinjaRenderer(), public_holidays, zone),
    )
    return Api(ports, clock)


DEAL: dict[str, Any] = {
    "kind": "object",
    "name": "deal",
    "label": "Deal",
    "owner_field": "owner",
    "fields": {
        "name": {"type": "text"},
        "amount": {"type": "decimal"},
        "stage": {"type": "select", "options": ["Salesperson not assigned", "Quotation in progress", "Won", "Lost"]},
        "owner": {"type": "reference", "object": "user"},
    },
}
ERP = {"kind": "source", "name": "erp", "format": "stagebell", "authoritative": True}
UNASSIGNED = {
    "kind": "template",
    "name": "unassigned",
    "channel": "email",
    "subject": "{{ deal.name }} has no salesperson",
    "text": "Please assign one.",
}
SCENARIO = {
    "kind": "scenario",
    "name": "salesperson-not-assigned",
    "object": "deal",
    "stage": {"field": "stage", "is": "Salesperson not assigned"},
    "only_if": {"field": "amount", "op": "gte", "value": 1000},
    "steps": [
        {
            "name": "first-mail",
            "at": {"after": "5 minutes"},
            "type": "send_email",
            "to": [{"address": "sales@example.com"}],
            "template": "unassigned",
        },
        {
            "name": "second-mail",
            "at": {"after": "2 hours"},
            "unless_changed": True,
            "type": "send_email",
            "to": [{"address": "sales@example.com"}],
            "template": "unassigned",
        },
    ],
}
ALL = (DEAL, ERP, UNASSIGNED, SCENARIO)
WAITING = {"stage": "Salesperson not assigned", "amount": "1500", "name": "Pumps"}
