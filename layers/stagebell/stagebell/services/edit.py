"""Editing: changes of a record that are made by hand. Each is a change like any other: kept in the record's history,
compared, told to the sources that listen, and followed by whatever definitions make of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stagebell.domain.built_ins import ROLES_LIMIT
from stagebell.domain.changes import Change, ChangeReader, ChangeType, RecordKey
from stagebell.domain.errors import Conflict, InvalidInput, NotFound, Problem, RecordBusy
from stagebell.domain.fields import Value, instant_text
from stagebell.domain.objects import ObjectType
from stagebell.domain.records import Record
from stagebell.ports.queues import ChangeQueue
from stagebell.ports.records import Applied, Stored
from stagebell.services.apply import Applier

SOURCE = "api"


@dataclass(frozen=True, slots=True)
class Editor:
    """`by` is the id of the API key; `occasion` names the request: one that comes again changes nothing more. `queue`
    carries on what an edit leads to, where that could not be started at once."""

    applier: Applier
    queue: ChangeQueue
    by: str
    occasion: str

    def record(self, key: RecordKey) -> Record:
        """Raises NotFound for a record that is unknown or deleted."""
        record = self.applier.records.load(key).record
        if not record.exists or key.object not in self.applier.catalog.schema:
            raise NotFound(f"there is no {key.object} {key.id}")
        return record

    def edit(self, key: RecordKey, fields: Mapping[str, Any], seen: int | None = None) -> Stored:
        """Write values as they came; with `seen`, only over that version.

        Raises NotFound, InvalidInput with every problem, RecordLocked, Conflict."""
        record = self.record(key)
        return self._applied(self._change(record, "updated", self._checked(record, fields)), seen)

    def lock(self, key: RecordKey, why: str) -> Stored:
        """Locking a locked record leaves it as it is, with its first reason. Raises NotFound."""
        record = self.record(key)
        return self.unchanged(key) if record.lock else self._applied(self._change(record, "locked", {}, why))

    def unlock(self, key: RecordKey, why: str) -> Stored:
        """Unlocking twice is harmless. Raises NotFound."""
        record = self.record(key)
        return self._applied(self._change(record, "unlocked", {}, why)) if record.lock else self.unchanged(key)

    def unchanged(self, key: RecordKey) -> Stored:
        """The record, which is as it was asked to be. Whoever answered this request before may have died after storing
        the change and before starting what it leads to."""
        self.applier.dispatch_again(key, self._id)
        return self._stored(key)

    @property
    def _id(self) -> str:
        return f"{SOURCE}:{self.occasion}"

    def _checked(self, record: Record, fields: Mapping[str, Any]) -> Mapping[str, Value]:
        kind = self.applier.catalog.schema[record.key.object]
        at = self._at(record)
        reader = ChangeReader(SOURCE, {kind.name: kind}, at)
        document = {"object": kind.name, "id": record.key.id, "type": "updated", "occurred_at": instant_text(at)}
        change = reader.read({**document, "fields": dict(fields)}, default_id=self.occasion)
        problems = [*reader.problems, *_emptied(kind, fields)]
        if problems or change is None:
            raise InvalidInput(problems)
        return change.fields

    def _at(self, record: Record) -> datetime:
        """After all that the record has seen, whatever the clocks of its sources say."""
        seen = record.touched.at if record.touched else None
        return max(filter(None, (self.applier.clock.now(), seen)))

    def _change(self, record: Record, type: ChangeType, fields: Mapping[str, Value], why: str = "") -> Change:
        return Change(self._id, SOURCE, record.key, type, self._at(record), fields, actor=self.by, why=why)

    def _applied(self, change: Change, seen: int | None = None) -> Stored:
        try:
            applied = self.applier.apply(change, seen)
        except RecordBusy:
            applied = self._carried_on(change)
        _demand_taken(applied)
        return self._stored(change.key)

    def _carried_on(self, change: Change) -> Applied:
        """The edit was stored, but not all that it leads to could be started: the queue brings it again until it is.
        Raises RecordBusy where it was not stored either."""
        applied = self.applier.records.applied(change.key, change.id)
        if applied is None:
            raise RecordBusy(f"record {change.key.shown} is changed by others all the time: send the request again")
        self.queue.send([change])
        return applied

    def _stored(self, key: RecordKey) -> Stored:
        return self.applier.records.load(key)


def _emptied(kind: ObjectType, fields: Mapping[str, Any]) -> list[Problem]:
    names = [name for name in kind.required if name in fields and fields[name] in (None, "", [])]
    return [Problem(f"fields.{name}", "required", f"a {kind.name} needs a value here") for name in names]


def _demand_taken(applied: Applied) -> None:
    if applied.note == "record_too_large":
        raise InvalidInput([Problem("fields", "record_too_large", "the record would be larger than a record may be")])
    if applied.note == "too_many_roles":
        raise InvalidInput([Problem("fields.roles", "too_many_roles", f"a user has at most {ROLES_LIMIT} roles")])
    if applied.event == "stale" or applied.outdated:
        raise Conflict("the record was changed by its source at the same moment: read it, then send a new request")
