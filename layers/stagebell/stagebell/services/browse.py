"""Browsing: reading one thing or one listing, with the errors that say why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import Delivery, State
from stagebell.domain.errors import InvalidInput, InvalidValue, NotFound, Problem
from stagebell.domain.fields import parse_instant
from stagebell.domain.runs import Run
from stagebell.ports.definitions import Definition, Definitions, Head
from stagebell.ports.deliveries import Deliveries
from stagebell.ports.pages import Page
from stagebell.ports.records import Records, Stored
from stagebell.ports.runs import Runs


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries: those in a state and a window of time, those of a run, or those of a record (`object/id`)."""

    state: State | None = None
    run: str | None = None
    record: str | None = None
    since: str | None = None
    until: str | None = None

    def problems(self) -> list[Problem]:
        chosen = [name for name in ("state", "run", "record") if getattr(self, name) is not None]
        if not chosen:
            return [Problem("state", "required", "say which deliveries: give state, run or record")]
        found = [Problem(name, "alone", f"cannot be combined with {chosen[0]}") for name in chosen[1:]]
        if self.record is not None and not all(self.record.partition("/")):
            found.append(Problem("record", "form", "expected object/id, such as deal/deal-7"))
        window = [name for name in ("since", "until") if getattr(self, name) is not None]
        if self.state is None:
            return found + [Problem(name, "alone", "only narrows a state") for name in window]
        malformed = [problem for name in window if (problem := _instant_problem(name, getattr(self, name)))]
        return found + (malformed or self._backwards())

    def _backwards(self) -> list[Problem]:
        if self.since is None or self.until is None or parse_instant(self.since) <= parse_instant(self.until):
            return []
        return [Problem("until", "window", "is before since: nothing can be found between them")]


def _instant_problem(name: str, text: str) -> Problem | None:
    try:
        parse_instant(text)
    except InvalidValue as error:
        return Problem(name, "instant", f"{error.message} (in an address, + is written %2B)")
    return None


def deliveries(ledger: Deliveries, wanted: Wanted, cursor: str | None) -> Page[Delivery]:
    """A page of the deliveries that were asked for. Raises InvalidInput for a filter that names none, or too much."""
    problems = wanted.problems()
    if problems:
        raise InvalidInput(problems)
    if wanted.state is not None:
        since, until = (parse_instant(text) if text else None for text in (wanted.since, wanted.until))
        return ledger.in_state(wanted.state, since, until, cursor)
    if wanted.run is not None:
        return ledger.of_run(wanted.run, cursor)
    kind, _, record = (wanted.record or "").partition("/")
    return ledger.of_record(RecordKey(kind, record), cursor)


def delivery(ledger: Deliveries, key: str) -> Delivery:
    found = ledger.get(key)
    if found is None:
        raise NotFound(f"there is no delivery {key}")
    return found


def record(records: Records, key: RecordKey) -> Stored:
    stored = records.load(key)
    if not stored.record.version:
        raise NotFound(f"no change of {key.object} {key.id} has arrived yet")
    return stored


def of_record[T](records: Records, key: RecordKey, page: Page[T], cursor: str | None) -> Page[T]:
    """A page of what a record has. Where it has nothing, it is looked for itself: raises NotFound for no record."""
    if _nothing(page, cursor):
        record(records, key)
    return page


def of_run[T](runs: Runs, id: str, page: Page[T], cursor: str | None) -> Page[T]:
    """The same for a run."""
    if _nothing(page, cursor):
        run(runs, id)
    return page


def _nothing(page: Page[Any], cursor: str | None) -> bool:
    return not page.items and cursor is None and page.cursor is None


def run(runs: Runs, id: str) -> Run:
    found = runs.get(id)
    if found is None:
        raise NotFound(f"there is no run {id}")
    return found


def definition(definitions: Definitions, kind: str, name: str) -> tuple[Head, Definition]:
    """Where a definition stands, and its newest version."""
    head = definitions.head(kind, name)
    if head is None:
        raise NotFound(f"there is no {kind} {name}")
    return head, version(definitions, kind, name, head.latest)


def version(definitions: Definitions, kind: str, name: str, number: int) -> Definition:
    found = definitions.version(kind, name, number)
    if found is None:
        raise NotFound(f"{kind} {name} has no version {number}")
    return found


def demand_address(document: Mapping[str, Any], **address: str) -> None:
    """Raises InvalidInput where a document names itself otherwise than the address it is stored under."""
    problems = [
        Problem(key, "address", f"the address says {said}, the definition says something else")
        for key, said in address.items()
        if key in document and document[key] != said
    ]
    if problems:
        raise InvalidInput(problems)
