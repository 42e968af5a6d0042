"""Records and their changes as the API shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from stagebell.contracts.api.pages import Page, Shape
from stagebell.contracts.model import Model
from stagebell.domain import locks, records
from stagebell.domain.runs import Enrolment
from stagebell.ports import records as ports


class OpenRun(Shape):
    """A run that goes for the record."""

    run: str
    definition: str
    version: int
    due_at: datetime | None = Field(description="When it acts next")

    @classmethod
    def from_domain(cls, enrolment: Enrolment) -> Self:
        return cls(
            run=enrolment.run, definition=enrolment.definition, version=enrolment.version, due_at=enrolment.due_at
        )


class Lock(Shape):
    """While a record is locked, actions and edits of it are refused; its authoritative sources are still mirrored."""

    by: str = Field(description="A run, or the id of an API key", examples=["0f2c8f4e5d0b4f3a"])
    at: datetime
    why: str

    @classmethod
    def from_domain(cls, lock: locks.Lock) -> Self:
        return cls(by=lock.by, at=lock.at, why=lock.why)


class Record(Shape):
    """The mirror of one record. A deleted one keeps its last values, to be read only."""

    object: str = Field(examples=["deal"])
    id: str = Field(examples=["deal-7"])
    version: int = Field(description="How many changes it has taken")
    exists: bool = Field(description="False once deleted")
    fields: Mapping[str, Any] = Field(examples=[{"name": "Pumps for Ostrava", "amount": "12500.00"}])
    written_at: Mapping[str, datetime] = Field(description="When each field was last written, by the source's clock")
    created_at: datetime | None
    created_by: str | None
    deleted_at: datetime | None
    lock: Lock | None = Field(description="Null while it is not locked")
    sources: tuple[str, ...] = Field(description="Those that have reported it", examples=[["erp"]])
    open_runs: tuple[OpenRun, ...]

    @classmethod
    def from_domain(cls, stored: ports.Stored) -> Self:
        record = stored.record
        return cls(
            object=record.key.object,
            id=record.key.id,
            version=record.version,
            exists=record.exists,
            fields=record.fields,
            written_at={name: stamp.at for name, stamp in record.stamps.items()},
            created_at=record.created_at,
            created_by=record.created_by,
            deleted_at=_deleted_at(record),
            lock=Lock.from_domain(record.lock) if record.lock else None,
            sources=record.sources,
            open_runs=tuple(OpenRun.from_domain(e) for e in stored.enrolments.values() if e.open),
        )


def _deleted_at(record: records.Record) -> datetime | None:
    return record.deleted.at if record.deleted is not None and not record.exists else None


class EditRecord(Model):
    """Values to write. Those of other fields stay."""

    fields: Annotated[Mapping[str, Any], Field(min_length=1, max_length=500, examples=[{"stage": "Won"}])]


class Why(Model):
    """What the record's history is to say."""

    why: Annotated[str, StringConstraints(min_length=1, max_length=500), Field(examples=["The contract is signed"])]


class Change(Shape):
    """One change that a source reported, an action made, or somebody made here, and what came of it."""

    id: str = Field(examples=["erp:msg_2"])
    source: str = Field(description="A source; stagebell: an action; api: an edit; manual: a start by hand")
    type: str = Field(
        description="created, updated, deleted, locked or unlocked, as it was meant", examples=["updated"]
    )
    event: str = Field(
        description="What it was: created, updated, saved, deleted, manual, locked, unlocked, echo (a source repeats "
        "what it was told), stale (too late) or refused (see note)",
        examples=["updated"],
    )
    occurred_at: datetime
    applied_at: datetime
    sequence: int | None
    actor: str | None = Field(description="Who did it: as the source says; a run; or the id of an API key")
    mode: str
    note: str = Field(description="What is special about it: a stable word", examples=["mirrored_while_locked"])
    why: str = Field(description="The reason given for a lock or unlock")
    said: Mapping[str, Any] = Field(description="The fields as they arrived")
    before: Mapping[str, Any] = Field(description="The former values of the fields that changed")
    after: Mapping[str, Any] = Field(description="The record after it")
    outdated: tuple[str, ...] = Field(description="Fields whose newer value was kept")
    causes: tuple[str, ...] = Field(description="Runs whose actions led to it, oldest first")

    @classmethod
    def from_domain(cls, applied: ports.Applied) -> Self:
        change = applied.change
        return cls(
            id=change.id,
            source=change.source,
            type=change.type,
            event=applied.event,
            occurred_at=change.occurred_at,
            applied_at=applied.applied_at,
            sequence=change.sequence,
            actor=change.actor,
            mode=change.mode,
            note=applied.note,
            why=change.why,
            said=change.fields,
            before=applied.before,
            after=applied.after,
            outdated=applied.outdated,
            causes=change.causes,
        )


class ChangePage(Page[Change]):
    """Changes of a record, newest first."""


class Explanation(Shape):
    """What each definition said to a change, with the values it saw."""

    change: str
    definitions: tuple[Mapping[str, Any], ...] = Field(
        description="`outcome` is a stable word, as is the `limit` for which nothing was started; `why` is its entry "
        "condition"
    )
