"""Domain objects to store: small ones, with what a test needs to say as arguments."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.deliveries import Delivery
from stagebell.domain.records import Record, compare
from stagebell.domain.runs import Enrolment, Run, StepState
from stagebell.ports.pages import Page
from stagebell.ports.records import Applied, Commit, Stored

DEAL = RecordKey("deal", "7")
OTHER = RecordKey("account", "a1")


def at(minutes: float) -> datetime:
    return datetime(2026, 11, 20, 8, tzinfo=UTC) + timedelta(minutes=minutes)


def change(id: str = "c1", key: RecordKey = DEAL, minute: float = 0, type: Any = "updated", **fields: Any) -> Change:
    return Change(f"erp:{id}", "erp", key, type, at(minute), fields, sequence=3, actor="ada")


def commit_of(stored: Stored | Record, change: Change, **parts: Any) -> Commit:
    """The commit that applying a change to what was read leads to."""
    record = stored.record if isinstance(stored, Stored) else stored
    comparison = compare(record, change)
    applied = Applied(
        change=change,
        applied_at=parts.pop("applied_at", change.occurred_at + timedelta(seconds=1)),
        event=comparison.event or "stale",
        before={name: comparison.known.get(name) for name in comparison.changed},
        after=comparison.after.current,
        outdated=comparison.outdated,
        evaluations=parts.pop("evaluations", ()),
        dispatch=parts.pop("dispatch", ()),
    )
    return Commit(comparison.before, comparison.after, applied, **parts)


def run(
    id: str = "run_1", *, definition: str = "unassigned", key: RecordKey = DEAL, minute: float = 0, **told: Any
) -> Run:
    steps = (
        StepState("first-mail", "send_email", due_at=at(minute + 5), why={"condition": "all", "saw": ["ä", None, 1]}),
        StepState("last-sms", "send_sms", "skipped", None, at(minute), "condition", deliveries=("dlv_1",)),
    )
    return replace(Run(id, definition, 2, key, "erp:c1", at(minute), at(minute), steps), **told)


def ended(run: Run, **told: Any) -> Run:
    return replace(run, status="cancelled", reason="record_deleted", ended_at=at(9), revision=run.revision + 1, **told)


def enrolment(run: Run, **told: Any) -> Enrolment:
    return replace(Enrolment(run.definition, run.version, run.id, run.open, at(5), (at(-3), at(0))), **told)


def delivery(key: str = "dlv_1", *, minute: float = 0, **told: Any) -> Delivery:
    return replace(
        Delivery(key, "run_1", "first-mail", "unassigned", DEAL, "email", "ada@example.com", at(minute)),
        **{"copies": ("bob@example.com",), **told},
    )


def pages[T](read: Callable[[str | None], Page[T]]) -> list[list[T]]:
    """All pages of a listing."""
    found, cursor = [], None
    while True:
        page = read(cursor)
        found.append(list(page.items))
        cursor = page.cursor
        if cursor is None:
            return found
