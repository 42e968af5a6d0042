"""Write-backs: what a source is told of a change made here, whether it still holds, and when it is tried again."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from stagebell.domain.changes import OWN_SOURCES, Change
from stagebell.domain.fields import Value, instant_text
from stagebell.domain.records import Record

KEPT_TRYING = timedelta(days=3)
LATE = timedelta(minutes=1)
"""What is told later than this says only what still holds: nobody must act on an old value, or repeat one that a newer
write-back has replaced."""

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each failed attempt, as Standard Webhooks recommends."""

_SPREAD = 0.1


def next_try(attempts: int, now: datetime, since: datetime, chance: float, asked: int | None = None) -> datetime | None:
    """When to try again after so many failed attempts; None: not any more.

    `since` is when the three days began, `chance` between 0 and 1 spreads those that failed together, `asked` are the
    seconds that the receiver wants to be left alone. The last attempt is made as the three days end."""
    until = since + KEPT_TRYING
    if now >= until:
        return None
    planned = PAUSES[min(attempts, len(PAUSES)) - 1] * (1 + _SPREAD * chance)
    return min(now + max(planned, timedelta(seconds=asked or 0)), until)


def remaining(record: Record, change: Change, changed: Collection[str], *, late: bool) -> tuple[str, ...] | None:
    """The changed fields that a source is still to be told of; None where nothing of the change is left to tell.

    A newer value of a source has won over ours. A newer value of our own is told by a write-back of its own: in order,
    so the older one goes first, unless it is `late`."""
    match change.type:
        case "locked" | "unlocked":
            gone = _buried(record, change, late) or (late and not _lock_holds(record, change))
            return None if gone else ()
        case "deleted":
            return None if record.exists else ()
    if _buried(record, change, late):
        return None
    left = tuple(name for name in sorted(changed) if _holds(record, change, name, late))
    return left if left or not changed else None


def _holds(record: Record, change: Change, name: str, late: bool) -> bool:
    if record.fields.get(name) == change.fields.get(name):
        return True
    stamp = record.stamps.get(name)
    return stamp is not None and stamp.source in OWN_SOURCES and not late


def _buried(record: Record, change: Change, late: bool) -> bool:
    deleted = record.deleted
    return deleted is not None and deleted.at >= change.occurred_at and (late or deleted.source not in OWN_SOURCES)


def _lock_holds(record: Record, change: Change) -> bool:
    if change.type == "unlocked":
        return record.lock is None
    return record.lock is not None and record.lock.at == change.occurred_at


def made_by(change: Change) -> tuple[str, str]:
    """The run and the step that made a change; empty where it was made by hand."""
    run = change.causes[-1] if change.source == "stagebell" and change.causes else ""
    return (run, change.id.removeprefix(f"{run}:")) if run else ("", "")


def data_of(change: Change, version: int, told: Collection[str], before: Mapping[str, Value]) -> dict[str, Any]:
    """What a source is told. `version` is the record's after the change; `causes` are to be handed back with what the
    source does upon it."""
    run, step = made_by(change)
    optional = {"run": run, "step": step, "why": change.why}
    return {
        "object": change.key.object,
        "id": change.key.id,
        "change": change.id,
        "occurred_at": instant_text(change.occurred_at),
        "version": version,
        "fields": {name: change.fields.get(name) for name in told},
        "before": {name: before.get(name) for name in told if name in before},
        "causes": list(change.causes),
        **{name: text for name, text in optional.items() if text},
    }
