"""Records in DynamoDB: a record's mirror, its enrolments, its changes, and the groups of people.

pk = <object>#<id>     sk = enrolment#<definition>   what the record remembers of a definition
                       sk = mirror                   one query reads up to here, and so never a change
                       sk = outbox#<source>#<version>  what the source is still to be told
                       sk = ~change#<change id>      index by_time: of_record, at
pk = #people#<group>#<value>   sk = <user id>
pk = #rotation#<name>          sk = rotation         who was assigned last

Mirrors are found by owner (index by_owner), those of follow-ups also by what they are about (index by_time).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from stagebell.adapters.dynamodb_items import Item, Values, item, key_text, packed, values_of
from stagebell.adapters.dynamodb_runs import enrolment_key, enrolment_write, started_write, updated_write
from stagebell.adapters.dynamodb_tables import (
    PAGE_SIZE,
    Client,
    Expression,
    Listing,
    RawPage,
    Table,
    Write,
    transact,
    translated,
)
from stagebell.adapters.memberships import Membership
from stagebell.adapters.record_documents import (
    applied_document,
    applied_from,
    enrolment_document,
    enrolment_from,
    record_document,
    record_from,
    rotation_document,
    rotation_from,
)
from stagebell.adapters.retention import Retention
from stagebell.adapters.transactions import Ending, joined, moves, split
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy, StagebellError
from stagebell.domain.fields import instant_text
from stagebell.domain.planning import Tell
from stagebell.domain.records import Record
from stagebell.domain.rotations import Rotation
from stagebell.domain.runs import Enrolment, Run
from stagebell.ports import Applied, Commit, CommitResult, Page, Settling, Stored

_MIRROR = "mirror"
_NEW = Expression("attribute_not_exists(#pk)")
_RECORD_JSON = ("fields", "stamps", "touched", "deleted", "lock", "sources", "echoes")
_APPLIED_JSON = ("change", "before", "after", "outdated", "evaluations", "dispatch")
_KEYS_PER_READ = 100
_READS = 10


def mirror_key(key: RecordKey) -> dict[str, str]:
    return {"pk": str(key), "sk": _MIRROR}


def unmoved(version: int) -> Expression:
    """Whether a mirror still has the version that was read (0: it was not there)."""
    return Expression("#version = :version", version=version) if version else _NEW


def _change_key(key: RecordKey, change: str) -> dict[str, str]:
    return {"pk": str(key), "sk": f"~change#{key_text(change)}"}


def outbox_key(key: RecordKey, source: str, version: int) -> dict[str, str]:
    return {"pk": str(key), "sk": f"outbox#{source}#{version:012d}"}


@dataclass(frozen=True, slots=True)
class _Tables:
    records: Table
    runs: Table
    retention: Retention


class DynamoRecords:
    def __init__(
        self, client: Client, records: str, runs: str, retention: Retention, *, page_size: int = PAGE_SIZE
    ) -> None:
        self._client = client
        self._records = Table(client, records)
        self._writes = _Writes(_Tables(self._records, Table(client, runs), retention))
        self._page_size = page_size

    def load(self, key: RecordKey) -> Stored:
        record, enrolments = Record(key), {}
        near = Expression("#pk = :pk AND #sk BETWEEN :first AND :last", pk=str(key), first="enrolment#", last=_MIRROR)
        for stored in self._records.every(near):
            if stored["sk"]["S"] == _MIRROR:
                record = _record(key, stored)
            else:
                enrolment = enrolment_from(values_of(stored, ("starts",)))
                enrolments[enrolment.definition] = enrolment
        return Stored(record, enrolments)

    def many(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Record]:
        found: dict[RecordKey, Record] = {}
        for some in batched(dict.fromkeys(keys), _KEYS_PER_READ, strict=False):
            by_pk = {str(key): key for key in some}
            for stored in self._read([item(mirror_key(key)) for key in some]):
                key = by_pk[stored["pk"]["S"]]
                found[key] = _record(key, stored)
        return found

    def _read(self, keys: Sequence[Item]) -> Iterator[Item]:
        wanted = {self._records.name: {"Keys": keys, "ConsistentRead": True}}
        for _ in range(_READS):
            with translated(self._records.name):
                answer = self._client.batch_get_item(RequestItems=wanted)
            yield from answer["Responses"].get(self._records.name, ())
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return
        raise RecordBusy("the records table is throttled; trying again later is safe")

    def commit(self, commit: Commit) -> CommitResult:
        parts = split(commit)
        for endings in parts.ahead:
            result = self._result(commit, self._writes.ahead(commit, endings))
            if result != "committed":
                return result
        return self._result(commit, self._writes.all(commit, parts.updated, parts.enrolments))

    def _result(self, commit: Commit, writes: Sequence[Write]) -> CommitResult:
        """The change comes first in every transaction."""
        reasons = transact(self._client, writes)
        if not reasons:
            return "committed"
        if reasons[0] == "refused":
            return "duplicate"
        if {"refused", "conflict"} & set(reasons):
            return "conflict"
        told = ", ".join(filter(None, reasons))
        raise StagebellError(f"change {commit.applied.change.id} to {commit.after.key} could not be stored: {told}")

    def applied(self, key: RecordKey, change: str) -> Applied | None:
        stored = self._records.get(_change_key(key, change))
        return _applied(stored) if stored is not None else None

    def history(self, key: RecordKey, cursor: str | None = None) -> Page[Applied]:
        listing = Listing(
            Expression("#of_record = :of_record", of_record=str(key)),
            key=("pk", "sk", "of_record", "at"),
            index="by_time",
            newest_first=True,
            name=f"history {key}",
        )
        page = self._records.page(listing, cursor, self._page_size)
        return Page(tuple(map(_applied, page.items)), page.cursor)

    def owned(self, object_name: str, user: str, cursor: str | None = None) -> Page[Record]:
        owner = f"{object_name}#{user}"
        listing = Listing(
            Expression("#owned_by = :owner", owner=owner),
            key=("pk", "sk", "owned_by", "sorted_by"),
            index="by_owner",
            name=f"owned {owner}",
        )
        return self._mirrors(self._records.page(listing, cursor, self._page_size))

    def count_owned(self, object_name: str, user: str, limit: int) -> int:
        return self._records.count("by_owner", Expression("#owned_by = :owner", owner=f"{object_name}#{user}"), limit)

    def follow_ups(self, key: RecordKey, cursor: str | None = None) -> Page[Record]:
        listing = Listing(
            Expression("#of_record = :of_record", of_record=_about(key)),
            key=("pk", "sk", "of_record", "at"),
            index="by_time",
            newest_first=True,
            name=f"follow-ups {key}",
        )
        return self._mirrors(self._records.page(listing, cursor, self._page_size))

    def _mirrors(self, page: RawPage) -> Page[Record]:
        return Page(tuple(_record(RecordKey.parse(stored["pk"]["S"]), stored) for stored in page.items), page.cursor)

    def rotation(self, name: str) -> Rotation:
        stored = self._records.get(_rotation_key(name))
        return rotation_from(name, values_of(stored, ("lately",))) if stored is not None else Rotation(name)

    def people(self, group: str, value: str) -> Sequence[str]:
        members = self._records.every(Expression("#pk = :pk", pk=_group_pk((group, value))))
        return [stored["sk"]["S"] for stored in members]


@dataclass(frozen=True, slots=True)
class _Writes:
    """The parts of a commit's transactions."""

    tables: _Tables

    def all(self, commit: Commit, updated: Sequence[Run], enrolments: Sequence[Enrolment]) -> list[Write]:
        records, runs, retention = self.tables.records, self.tables.runs, self.tables.retention
        return [
            records.putting(_change_values(commit.applied, retention), _NEW),
            *([self._mirror(commit)] if moves(commit) else []),
            *(self._enrolment(commit, enrolment) for enrolment in enrolments),
            *(started_write(runs, run, retention) for run in commit.started),
            *(updated_write(runs, run, retention) for run in updated),
            *self._groups(commit),
            *self._settling(commit.settling),
            *self._rotation(commit.rotation),
            *(self._letter(commit, tell) for tell in commit.outbox),
        ]

    def _settling(self, settling: Settling | None) -> Iterator[Write]:
        if settling is None:
            return
        run, records = settling.run, self.tables.records
        yield updated_write(self.tables.runs, run, self.tables.retention)
        yield records.checking(mirror_key(run.key), unmoved(settling.version))
        if settling.enrolment is not None:
            yield enrolment_write(records, run, settling.enrolment)

    def _rotation(self, rotation: Rotation | None) -> Iterator[Write]:
        if rotation is not None:
            former = Expression("#revision = :revision", revision=rotation.revision - 1)
            values = _rotation_key(rotation.name) | rotation_document(rotation)
            yield self.tables.records.putting(values, former if rotation.revision > 1 else _NEW)

    def _letter(self, commit: Commit, tell: Tell) -> Write:
        values = outbox_key(tell.key, tell.source, tell.version) | {"change": commit.applied.change.id}
        return self.tables.records.putting(values)

    def ahead(self, commit: Commit, endings: Sequence[Ending]) -> list[Write]:
        """Runs that end, as long as the change is new and the record unmoved."""
        records, key = self.tables.records, commit.after.key
        return [
            records.checking(_change_key(key, commit.applied.change.id), _NEW),
            records.checking(mirror_key(key), unmoved(commit.before.version)),
            *(updated_write(self.tables.runs, ending.run, self.tables.retention) for ending in endings),
            *(self._enrolment(commit, ending.enrolment) for ending in endings if ending.enrolment is not None),
        ]

    def _mirror(self, commit: Commit) -> Write:
        values = mirror_key(commit.after.key) | record_document(commit.after) | _filed(commit)
        values = packed(values, big=("fields", "stamps"))
        return self.tables.records.putting(values, unmoved(commit.before.version))

    def _enrolment(self, commit: Commit, enrolment: Enrolment) -> Write:
        values = enrolment_key(commit.after.key, enrolment.definition) | enrolment_document(enrolment)
        return self.tables.records.putting(values, _as_read(commit, enrolment.definition))

    def _groups(self, commit: Commit) -> Iterator[Write]:
        joins, leaves = joined(commit)
        user, records = commit.after.key.id, self.tables.records
        yield from (records.putting({"pk": _group_pk(group), "sk": user}) for group in sorted(joins))
        yield from (records.deleting({"pk": _group_pk(group), "sk": user}) for group in sorted(leaves))


def _as_read(commit: Commit, definition: str) -> Expression | None:
    """Whether the enrolment still is of the run that was read, where the commit says what was read.

    The mirror's version guards it as well, because nothing else writes `run` and `starts`; but mirror and enrolments
    are read one after the other, and between the two another change may have been committed."""
    if commit.known is None:
        return None
    read = commit.known.get(definition)
    return Expression("#run = :run", run=read.run) if read is not None else _NEW


def _change_values(applied: Applied, retention: Retention) -> Values:
    change = applied.change
    at = f"{instant_text(applied.applied_at)}#{key_text(change.id)}"
    place = {"of_record": str(change.key), "at": at, "expires_at": retention.expires_at()}
    values = _change_key(change.key, change.id) | applied_document(applied) | place
    return packed(values, big=("change", "before", "after", "evaluations"), spare=("after", "before", "evaluations"))


def _filed(commit: Commit) -> dict[str, str]:
    """What the indexes find a mirror by."""
    filing, record = commit.filing, commit.after
    filed = {"owned_by": filing.owner, "sorted_by": filing.order} if filing.owner else {}
    if filing.about is not None:
        made = instant_text(record.created_at) if record.created_at is not None else ""
        filed |= {"of_record": _about(filing.about), "at": f"{made}#{record.key.id}"}
    return filed


def _about(key: RecordKey) -> str:
    return f"follow_up#{key}"


def _rotation_key(name: str) -> dict[str, str]:
    return {"pk": f"#rotation#{name}", "sk": "rotation"}


def _group_pk(group: Membership) -> str:
    return f"#people#{group[0]}#{group[1]}"


def _record(key: RecordKey, stored: Item) -> Record:
    return record_from(key, values_of(stored, _RECORD_JSON))


def _applied(stored: Item) -> Applied:
    return applied_from(values_of(stored, _APPLIED_JSON))
