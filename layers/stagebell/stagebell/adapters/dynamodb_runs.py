"""Runs in DynamoDB: one item a run, found by record and by definition, open ones by their scenario."""

from collections.abc import Mapping
from typing import Any

from stagebell.adapters.dynamodb_items import Item, packed, values_of
from stagebell.adapters.dynamodb_tables import PAGE_SIZE, Client, Expression, Listing, Table, Write, transact
from stagebell.adapters.retention import Retention
from stagebell.adapters.run_documents import run_document, run_from
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import StagebellError
from stagebell.domain.fields import instant_text
from stagebell.domain.runs import Enrolment, Run
from stagebell.ports.pages import Page

_JSON = ("steps", "causes")
_NEW = Expression("attribute_not_exists(#id)")


def run_values(run: Run, retention: Retention) -> Mapping[str, Any]:
    """The item of a run; only ended ones expire, only open ones are in the index of open ones."""
    index = {"open_of": run.definition} if run.open else {"expires_at": retention.expires_at()}
    return packed(run_document(run) | index, big=("steps",))


def started_write(runs: Table, run: Run, retention: Retention) -> Write:
    return runs.putting(run_values(run, retention), _NEW)


def updated_write(runs: Table, run: Run, retention: Retention) -> Write:
    return runs.putting(run_values(run, retention), _successor(run))


def _successor(run: Run) -> Expression:
    return Expression("#revision = :revision", revision=run.revision - 1)


def enrolment_key(key: RecordKey, definition: str) -> dict[str, str]:
    return {"pk": str(key), "sk": f"enrolment#{definition}"}


def enrolment_write(records: Table, run: Run, enrolment: Enrolment) -> Write:
    """Bring a run's enrolment up to date, if it still is this run's; `starts` are left as they are."""
    known: dict[str, Any] = {"version": enrolment.version, "open": enrolment.open}
    text = "SET #version = :version, #open = :open"
    if enrolment.due_at is None:
        text += " REMOVE #due_at"
    else:
        text += ", #due_at = :due_at"
        known["due_at"] = instant_text(enrolment.due_at)
    same = Expression("#run = :run", run=run.id)
    return records.updating(enrolment_key(run.key, enrolment.definition), Expression(text, **known), same)


class DynamoRuns:
    """`records` is the records table, which holds the enrolments."""

    def __init__(
        self, client: Client, runs: str, records: str, retention: Retention, *, page_size: int = PAGE_SIZE
    ) -> None:
        self._runs = Table(client, runs)
        self._records = Table(client, records)
        self._retention = retention
        self._page_size = page_size

    def get(self, run: str) -> Run | None:
        stored = self._runs.get({"id": run})
        return _run(stored) if stored is not None else None

    def save(self, run: Run, enrolment: Enrolment | None) -> bool:
        if enrolment is None:
            return self._alone(run)
        writes = [updated_write(self._runs, run, self._retention), enrolment_write(self._records, run, enrolment)]
        reasons = transact(self._runs.client, writes)
        if not reasons:
            return True
        if tuple(reasons) == ("", "refused"):  # the record has another run of this scenario by now, or none
            return self._alone(run)
        if {"refused", "conflict"} & set(reasons):
            return False
        raise StagebellError(f"run {run.id} could not be stored: {', '.join(filter(None, reasons))}")

    def _alone(self, run: Run) -> bool:
        return self._runs.put(run_values(run, self._retention), _successor(run))

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Run]:
        return self._newest("by_record", "record", str(key), cursor)

    def of_definition(self, definition: str, cursor: str | None = None) -> Page[Run]:
        return self._newest("by_definition", "definition", definition, cursor)

    def _newest(self, index: str, name: str, value: str, cursor: str | None) -> Page[Run]:
        listing = Listing(
            Expression(f"#{name} = :{name}", **{name: value}),
            key=("id", name, "started_at"),
            index=index,
            newest_first=True,
            name=f"runs of {name} {value}",
        )
        page = self._runs.page(listing, cursor, self._page_size)
        return Page(tuple(map(_run, page.items)), page.cursor)

    def open_of(self, definition: str, cursor: str | None = None) -> Page[str]:
        listing = Listing(
            Expression("#open_of = :open_of", open_of=definition),
            key=("id", "open_of"),
            index="open_by_definition",
            name=f"open runs of {definition}",
        )
        page = self._runs.page(listing, cursor, self._page_size)
        return Page(tuple(stored["id"]["S"] for stored in page.items), page.cursor)


def _run(stored: Item) -> Run:
    return run_from(values_of(stored, _JSON))
