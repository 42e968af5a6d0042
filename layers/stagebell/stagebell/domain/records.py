"""Records: the mirror of one record, built from the changes it received, in whatever order they came.

Rule 1 (a change is a comparison) and rule 2 (late, doubled and swapped changes are normal) live here. Each field
keeps the stamp of its last write; a deletion is a write of every field to nothing, so it has a stamp as well.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from stagebell.domain.built_ins import ROLES_LIMIT
from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.echoes import Echo, hear, nod
from stagebell.domain.fields import Value
from stagebell.domain.likeness import alike
from stagebell.domain.locks import Lock

type Event = Literal["created", "updated", "saved", "deleted", "manual", "locked", "unlocked", "echo"]

EVENTS: tuple[Event, ...] = ("created", "updated", "saved", "deleted", "manual")
"""Those that definitions can listen to."""

SIZE_LIMIT = 300 * 1024


class Stamp(NamedTuple):
    """When a value was written: the source's time, the source, and its sequence at equal times."""

    at: datetime
    source: str
    sequence: int | None

    def covers(self, older: "Stamp | None") -> bool:
        """Whether a write with this stamp, arriving now, replaces one with the `older` stamp."""
        if older is None or self.at != older.at:
            return older is None or self.at > older.at
        if self.sequence is None or older.sequence is None or self.source != older.source:
            return True  # nothing but the order of arrival tells them apart
        return self.sequence >= older.sequence


@dataclass(frozen=True, slots=True)
class Record:
    """The mirror. `version` counts the changes applied (0: never stored); `touched` is the newest write of any kind.

    A deleted record keeps its last field values to be read and explained, but none of their stamps: what is written
    to it later starts from nothing. `sources` are those that have reported it, and so are told of changes made here;
    `echoes` what they were told lately and may repeat."""

    key: RecordKey
    version: int = 0
    fields: Mapping[str, Value] = MappingProxyType({})
    stamps: Mapping[str, Stamp] = MappingProxyType({})
    touched: Stamp | None = None
    deleted: Stamp | None = None
    exists: bool = False
    announced: bool = False  # a `created` change has been seen since the last deletion
    created_at: datetime | None = None
    created_by: str | None = None
    lock: Lock | None = None
    sources: tuple[str, ...] = ()
    echoes: tuple[Echo, ...] = ()

    @property
    def current(self) -> Mapping[str, Value]:
        """The values a condition sees: those of a deleted or unknown record are all missing."""
        return self.fields if self.exists else {}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One change against the mirror: what it found, what it left, and what kind of event that is.

    `event` is None for a stale change (everything it says is older than what is known); `saved` is a change
    without a difference, `echo` one that repeats what its source was told; `manual` is no change at all: somebody
    starts a scenario by hand. `outdated` names the fields whose newer value was kept."""

    before: Record
    after: Record
    change: Change
    event: Event | None
    changed: frozenset[str]
    outdated: tuple[str, ...]
    known: Mapping[str, Value]  # values before, filled up from `previous` where the mirror knew nothing


def too_large(record: Record) -> bool:
    """Whether a record's names and values are over 300 KiB."""
    fields = record.fields
    roughly = sum(len(name) + (len(value) if isinstance(value, str) else 20) for name, value in fields.items())
    if 4 * roughly < SIZE_LIMIT and not any(isinstance(value, list) for value in fields.values()):
        return False  # a character has at most four bytes
    return sum(len(f"{name}{value}".encode()) for name, value in fields.items()) > SIZE_LIMIT


def refusal(record: Record) -> str:
    """Why a record cannot be stored so: `record_too_large`, `too_many_roles`; empty where it can."""
    if too_large(record):
        return "record_too_large"
    roles = record.current.get("roles") if record.key.object == "user" else None
    return "too_many_roles" if isinstance(roles, list) and len(roles) > ROLES_LIMIT else ""


def compare(record: Record, change: Change) -> Comparison:
    """Merge one change into the mirror, field by field, newest write first."""
    stamp = Stamp(change.occurred_at, change.source, change.sequence)
    match change.type:
        case "deleted":
            return _delete(record, change, stamp)
        case "locked":
            return _marked(record, change, Lock(change.actor or change.source, change.occurred_at, change.why))
        case "unlocked":
            return _marked(record, change, None)
        case _:
            return _heard(record, change, stamp)


def _marked(record: Record, change: Change, lock: Lock | None) -> Comparison:
    after = replace(record, version=record.version + 1, lock=lock)
    event: Event = "locked" if lock else "unlocked"
    return Comparison(record, after, change, event, frozenset(), (), record.current)


def _heard(record: Record, change: Change, stamp: Stamp) -> Comparison:
    """A write; what repeats our own words is told apart from news."""
    heard = hear(record.echoes, change) if record.echoes else None
    found = _write(record, heard.change if heard else change, stamp)
    if found.event is None or not record.echoes:
        return found
    if heard is None:
        left = nod(record.echoes, change) if found.event == "saved" else None
        return found if left is None else _echo(found, left)
    said = replace(change, causes=heard.change.causes)
    outdated = (*found.outdated, *heard.stale)
    return _echo(replace(_reworded(found, heard.repeated), change=said, outdated=outdated), heard.left)


def _echo(found: Comparison, left: tuple[Echo, ...]) -> Comparison:
    event = "echo" if found.event == "saved" else found.event
    return replace(found, after=replace(found.after, echoes=left), event=event)


def _reworded(found: Comparison, repeated: Collection[str]) -> Comparison:
    """A source that keeps what it was told in a form of its own has changed nothing: its form is mirrored, and counts
    as if it had been there before."""
    now = found.after.fields
    same = {n: now[n] for n in found.changed if n in repeated and alike(found.known.get(n), now[n])}
    if not same:
        return found
    changed = found.changed - same.keys()
    event = "saved" if found.event == "updated" and not changed else found.event
    return replace(found, event=event, changed=changed, known={**found.known, **same})


def _write(record: Record, change: Change, stamp: Stamp) -> Comparison:
    buried = record.deleted is not None and not stamp.covers(record.deleted)
    newest = record.touched is None or stamp.at > record.touched.at
    outdated = () if newest and not buried else tuple(_outdated(record, change, stamp, buried))
    if buried or (len(outdated) == len(change.fields) and not stamp.covers(record.touched)):
        after = _reported(record, change, buried)
        return Comparison(record, after, change, None, frozenset(), outdated, record.current)
    written = change.fields if not outdated else {n: v for n, v in change.fields.items() if n not in outdated}
    known = _known(record, change)
    changed = frozenset([name for name, value in written.items() if known.get(name) != value])
    announces = change.type == "created" and not record.announced
    after = Record(
        key=record.key,
        version=record.version + 1,
        fields={**record.current, **written},
        stamps={**record.stamps, **dict.fromkeys(written, stamp)},
        touched=stamp if stamp.covers(record.touched) else record.touched,
        deleted=record.deleted,
        exists=True,
        announced=record.announced or announces,
        created_at=change.occurred_at if announces else record.created_at,
        created_by=change.actor if announces else record.created_by,
        lock=record.lock if record.exists else None,
        sources=_heard_from(record, change),
        echoes=record.echoes,
    )
    event: Event = "created" if announces else "updated" if changed else "saved"
    return Comparison(record, after, change, event, changed, outdated, known)


def _reported(record: Record, change: Change, buried: bool) -> Record:
    """A change that comes too late for its values still says who knows the record, and how it began: whatever the order
    of arrival, the mirror ends the same. What was deleted since has to be announced anew."""
    known = replace(record, sources=_heard_from(record, change))
    if change.type == "created" and not record.announced and record.created_at is None:
        known = replace(known, announced=not buried, created_at=change.occurred_at, created_by=change.actor)
    return known if known == record else replace(known, version=record.version + 1)


def _heard_from(record: Record, change: Change) -> tuple[str, ...]:
    if change.is_own or change.source in record.sources:
        return record.sources
    return (*record.sources, change.source)


def _outdated(record: Record, change: Change, stamp: Stamp, buried: bool) -> Iterator[str]:
    """The fields whose newer value is kept."""
    return (name for name in change.fields if buried or not stamp.covers(record.stamps.get(name)))


def _known(record: Record, change: Change) -> Mapping[str, Value]:
    """Before-values: the mirror's; where it never heard of a field that is written, what the source says it was."""
    unheard = {n: v for n, v in change.previous.items() if n in change.fields and n not in record.stamps}
    return {**record.current, **unheard} if unheard else record.current


def _delete(record: Record, change: Change, stamp: Stamp) -> Comparison:
    if record.deleted is not None and not stamp.covers(record.deleted):
        return Comparison(record, record, change, None, frozenset(), (), record.current)
    kept = {name: old for name, old in record.stamps.items() if not stamp.covers(old)}
    survives = record.exists and record.touched is not None and not stamp.covers(record.touched)
    after = replace(
        record,
        version=record.version + 1,
        fields={name: record.fields.get(name) for name in kept} if survives else record.fields,
        stamps=kept,
        deleted=stamp,
        exists=survives,
        announced=record.announced and survives,
    )
    ends = record.exists and not survives
    changed = frozenset(n for n, value in record.current.items() if value is not None) if ends else frozenset()
    return Comparison(record, after, change, "deleted" if ends else None, changed, (), record.current)
