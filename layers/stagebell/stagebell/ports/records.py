"""Records: mirrors with their history, and all that one change writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from stagebell.domain.changes import Change, RecordKey
    from stagebell.domain.orders import Order, Tell
    from stagebell.domain.records import Record
    from stagebell.domain.rotations import Rotation
    from stagebell.domain.runs import Enrolment, Run
    from stagebell.ports.pages import Page


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as stored, with what it remembers of each definition."""

    record: Record
    enrolments: Mapping[str, Enrolment]


@dataclass(frozen=True, slots=True)
class Applied:
    """The history entry of one change: what it said, what differed, what it started, and what must be dispatched."""

    change: Change
    applied_at: datetime
    event: str  # created, updated, saved, deleted, manual, locked, unlocked, echo; stale: too late; refused: see `note`
    before: Mapping[str, Any]  # of the fields that changed
    after: Mapping[str, Any]  # the whole record after it
    outdated: tuple[str, ...] = ()
    evaluations: tuple[Mapping[str, Any], ...] = ()
    dispatch: tuple[Order, ...] = ()
    note: str = ""  # a stable word: see the reference of states


@dataclass(frozen=True, slots=True)
class Filing:
    """How a record is found other than by its key. `owner`: the shelf of the user it belongs to, sorted by `order`;
    once it is closed, only follow-ups have one. `about`: the record whose follow-up it is."""

    owner: str = ""
    order: str = ""
    about: RecordKey | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """A run of another record whose step makes the change: it is stored with the change, if its own record still has
    that version and (where given) its enrolment still is this run's."""

    run: Run  # with its revision already raised by one
    version: int
    enrolment: Enrolment | None


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one change writes, in one transaction."""

    before: Record
    after: Record
    applied: Applied
    enrolments: Sequence[Enrolment] = ()
    started: Sequence[Run] = ()
    updated: Sequence[Run] = ()  # each with its revision already raised by one
    known: Mapping[str, Enrolment] | None = None  # the enrolments that were read: those written must still be so
    filing: Filing = field(default_factory=Filing)
    acting: str = ""  # the run whose step makes the change: among `updated`, or in `settling`
    settling: Settling | None = None
    rotation: Rotation | None = None  # with its revision already raised by one
    outbox: Sequence[Tell] = ()  # what is to be told, kept until it is


type CommitResult = Literal["committed", "duplicate", "conflict"]


class Records(Protocol):
    def load(self, key: RecordKey) -> Stored:
        """The record and its enrolments, consistently; a record never seen has version 0."""

    def many(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Record]: ...

    def commit(self, commit: Commit) -> CommitResult:
        """`duplicate`: this change was applied before. `conflict`: record or runs have moved; read again."""

    def applied(self, key: RecordKey, change: str) -> Applied | None: ...

    def history(self, key: RecordKey, cursor: str | None = None) -> Page[Applied]:
        """The changes of a record, newest first."""

    def people(self, group: str, value: str) -> Sequence[str]:
        """Ids of the users in a group: `role` or `department`."""

    def owned(
        self,
        object_name: str,
        user: str,
        cursor: str | None = None,
        *,
        closed: bool = False,
        latest_first: bool = False,
    ) -> Page[Record]:
        """The open records of an object that belong to a user, or its `closed` follow-ups, by their order (see
        Filing)."""

    def count_owned(self, object_name: str, user: str, limit: int) -> int:
        """How many those are, counted up to a limit; what changed a moment ago may be missing."""

    def follow_ups(self, key: RecordKey, cursor: str | None = None) -> Page[Record]:
        """The tasks, events and sales records about a record, newest first."""

    def rotation(self, name: str) -> Rotation:
        """As stored; one that never was has revision 0."""
