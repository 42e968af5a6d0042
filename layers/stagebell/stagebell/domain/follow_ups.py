"""Follow-ups: tasks, calendar events and sales records. They are records like any other, of built-in objects, and so
have a history, can be edited, and let workflows start; each says which record it is about.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from stagebell.domain.changes import RecordKey
from stagebell.domain.fields import Value, parse_instant
from stagebell.domain.records import Record

type FollowUp = Literal["task", "calendar_event", "sales_record"]

FOLLOW_UPS: tuple[FollowUp, ...] = ("task", "calendar_event", "sales_record")
ORDERED_BY: Mapping[str, str] = MappingProxyType(
    {"task": "due_at", "calendar_event": "starts_at", "sales_record": "occurred_at"}
)
"""The field by which a person's follow-ups are listed."""

NAME_LIMIT, ID_LIMIT = 63, 256  # characters of an object's name, and of a record's id
SORTED_BY = 200  # characters of an id: what is sorted by is part of an index key


def follow_up_key(kind: FollowUp, run: str, step: str) -> RecordKey:
    """The record that a step makes: the same at every attempt."""
    digest = hashlib.sha256(f"{run}\x00{step}".encode()).hexdigest()[:32]
    return RecordKey(kind, f"{kind}_{digest}")


def about(key: RecordKey, fields: Mapping[str, Value]) -> RecordKey | None:
    """The record that a follow-up is about; None for other records, and for one that is about nothing."""
    kind, record = fields.get("record_object"), fields.get("record_id")
    if key.object not in FOLLOW_UPS or not isinstance(kind, str) or not isinstance(record, str):
        return None
    if len(kind) > NAME_LIMIT or len(record) > ID_LIMIT:  # no record is called so; it would break the index
        return None
    return RecordKey(kind, record)


def shelf(object_name: str, user: str, *, closed: bool = False) -> str:
    """Where the records of an object that belong to a user are listed. No object's name holds a slash."""
    return f"{object_name}{'/closed' if closed else ''}#{user}"


def order(key: RecordKey, fields: Mapping[str, Value]) -> str:
    """Where a record stands among those of its owner: by due time where it has one, else by its id."""
    value = fields.get(ORDERED_BY.get(key.object, ""))
    return f"{value if isinstance(value, str) else '~'}#{key.id[:SORTED_BY]}"


def state_of(task: Mapping[str, Value]) -> str:
    """A task that says nothing is open."""
    return str(task.get("state") or "open")


def done_at(task: Record) -> datetime | None:
    """When a task that is done was: as it was told with its state or later, else when the state was written."""
    told, state, stamp = task.fields.get("done_at"), task.stamps.get("state"), task.stamps.get("done_at")
    if state_of(task.fields) != "done" or state is None:
        return None
    return parse_instant(told) if told is not None and stamp is not None and stamp.at >= state.at else state.at


def is_overdue(key: RecordKey, fields: Mapping[str, Value], now: datetime) -> bool:
    """Whether it is a task that is open after its due time."""
    due = fields.get("due_at")
    return key.object == "task" and state_of(fields) == "open" and due is not None and parse_instant(due) < now
