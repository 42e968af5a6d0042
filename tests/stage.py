"""A small Stagebell for tests: deals that move through stages, on in-memory adapters and a virtual clock."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.deliveries import Delivery
from stagebell.domain.fields import canonical
from stagebell.domain.records import Record
from stagebell.domain.runs import Run
from stagebell.ports.records import Applied
from stagebell.runtime.offline import Offline

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
UNASSIGNED, QUOTATION, WON = "Salesperson not assigned", "Quotation in progress", "Won"

DEAL: dict[str, Any] = {
    "kind": "object",
    "name": "deal",
    "alias": "Project",
    "title": "{{ name }}",
    "owner_field": "owner",
    "fields": {
        "name": {"type": "text"},
        "amount": {"type": "currency", "currency": "EUR"},
        "count": {"type": "integer"},
        "share": {"type": "decimal"},
        "stage": {"type": "select", "options": [UNASSIGNED, QUOTATION, WON, "Lost"]},
        "tags": {"type": "multi_select", "options": ["hot", "cold", "new"]},
        "owner": {"type": "reference", "object": "user"},
        "account": {"type": "reference", "object": "account"},
        "due_on": {"type": "date"},
        "met_at": {"type": "datetime"},
        "urgent": {"type": "boolean"},
        "contact": {"type": "email"},
        "mobile": {"type": "phone"},
    },
}
ACCOUNT: dict[str, Any] = {
    "kind": "object",
    "name": "account",
    "fields": {
        "name": {"type": "text"},
        "tier": {"type": "select", "options": ["gold", "basic"]},
        "owner": {"type": "reference", "object": "user"},
        "employees": {"type": "integer"},
    },
}


def mail(name: str, at: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A step that mails the sales desk."""
    to = more.pop("to", [{"address": "desk@example.com"}])
    body = {} if "template" in more else {"subject": f"{name} for {{{{ deal.name }}}}", "text": "Please look."}
    return {"name": name, "type": "send_email", "at": dict(at), "to": to, **body, **more}


def scenario(name: str = "unassigned", **more: Any) -> dict[str, Any]:
    """A scenario on deals; without `stage` or `trigger` it starts when nobody is assigned."""
    entry = {} if "trigger" in more or "stage" in more else {"stage": {"field": "stage", "is": UNASSIGNED}}
    steps = more.pop("steps", [mail("first", {"after": "5 minutes"}, unless_changed="trigger" not in more)])
    return {"kind": "scenario", "name": name, "object": "deal", **entry, "steps": steps, **more}


def workflow(name: str = "at-once", *actions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow on deals; without a trigger it starts on every difference."""
    entry = {} if "trigger" in more else {"trigger": {"on": "updated"}}
    return {"kind": "workflow", "name": name, "object": "deal", **entry, "actions": list(actions), **more}


def sets(action: str = "set", /, **values: Any) -> dict[str, Any]:
    """An action that gives fields values."""
    return {"name": action, "type": "update_field", "set": values}


LADDER = scenario(
    steps=[
        mail("first-mail", {"after": "5 minutes"}, unless_changed=True),
        mail("second-mail", {"after": "2 hours"}, unless_changed=True),
        mail("last-mail", {"after": "6 hours"}, unless_changed=True),
    ]
)
"""The example of the product's design: five minutes, two hours, six hours, unless changed."""


class Stage:
    """Changes in, messages out. Times are business times; nothing is real."""

    def __init__(self, *documents: Mapping[str, Any], zone: str = "UTC") -> None:
        self.offline = Offline(ZoneInfo(zone))
        self.offline.clock.advance(START)
        self.offline.activate([ACCOUNT, DEAL, *documents])
        self._numbers = iter(range(1, 1_000_000))

    @property
    def now(self) -> datetime:
        return self.offline.clock.now()

    def activate(self, *documents: Mapping[str, Any]) -> None:
        self.offline.activate(documents)

    def change(
        self, record: str = "deal-7", /, *, at: datetime | None = None, object: str = "deal", **fields: Any
    ) -> Change:
        """A change as a webhook would bring it; `type_`, `id_`, `sequence_`, `mode_`, `previous_` … set the rest."""
        told = {key.removesuffix("_"): fields.pop(key) for key in list(fields) if key.endswith("_")}
        kind = self.offline.catalog.schema[object]
        number = next(self._numbers)
        return Change(
            id=told.get("id", f"crm:{number}"),
            source=told.get("source", "crm"),
            key=RecordKey(object, record),
            type=told.get("type", "updated"),
            occurred_at=at or self.now,
            fields={name: canonical(kind.fields[name], value) for name, value in fields.items()},
            previous=told.get("previous", {}),
            sequence=told.get("sequence"),
            actor=told.get("actor"),
            mode=told.get("mode", "run"),
            causes=told.get("causes", ()),
        )

    def apply(self, change: Change) -> Applied:
        self.offline.clock.advance(change.occurred_at)
        return self.offline.applier.apply(change)

    def post(self, record: str = "deal-7", /, **fields: Any) -> Applied:
        """One change, applied at once."""
        return self.apply(self.change(record, **fields))

    def enter(self, record: str, stage: str) -> str:
        """Create or move a record into a stage; the id of the run of the only scenario."""
        self.post(record, stage=stage)
        return self.runs(record)[0].id

    def move(self, record: str, *, to: str) -> None:
        self.post(record, stage=to)

    def advance(self, **delta: float) -> None:
        """Let time pass; what is due acts."""
        self.offline.run_until(self.now + timedelta(**delta))

    def runs(self, record: str = "deal-7") -> list[Run]:
        """Newest first."""
        return list(self.offline.runs.of_record(RecordKey("deal", record)).items)

    def run(self, id: str) -> Run:
        run = self.offline.runs.get(id)
        assert run is not None
        return run

    def record(self, record: str = "deal-7", object: str = "deal") -> Record:
        return self.offline.records.load(RecordKey(object, record)).record

    @property
    def deliveries(self) -> list[Delivery]:
        """Oldest first."""
        found: Iterable[Delivery] = self.offline.deliveries._deliveries.values()
        return sorted(found, key=lambda delivery: delivery.planned_at)

    @property
    def acted(self) -> list[str]:
        """The steps that sent something, in order."""
        return [delivery.step for delivery in self.deliveries if delivery.state == "sent"]

    def user(self, user: str, **fields: Any) -> None:
        self.post(user, object="user", **fields)
