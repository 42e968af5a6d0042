"""Records in DynamoDB: a record's mirror, its enrolments, its changes, and the groups of people.

pk = <object>#<id>     sk = enrolment#<definition>   what the record remembers of a definition
                       sk = late#<source>            what the source was told late, and may repeat
                       sk = mirror                   one query reads up to here, and so never a change
                       sk = outbox#<source>#<version>  what the source is still to be told
                       sk = ~change#<change id>      index by_time: of_record, at
pk = #people#<group>#<value>   sk = <user id>
pk = #rotation#<name>          sk = rotation         who was assigned last

Mirrors are found by owner (index by_owner), those of follow-ups also by what they are about (index by_time).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import batched

from stagebell.adapters.dynamodb_commits import Tables, Writes
from stagebell.adapters.dynamodb_items import Item, item, values_of
from stagebell.adapters.dynamodb_outbox import late_from
from stagebell.adapters.dynamodb_record_keys import (
    LATE,
    MIRROR,
    about_key,
    change_key,
    group_pk,
    mirror_key,
    rotation_key,
)
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
from stagebell.adapters.record_documents import (
    applied_from,
    enrolment_from,
    record_from,
    rotation_from,
)
from stagebell.adapters.retention import Retention
from stagebell.adapters.transactions import split
from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import Echo, with_late
from stagebell.domain.errors import RecordBusy, StagebellError
from stagebell.domain.follow_ups import shelf
from stagebell.domain.records import Record
from stagebell.domain.rotations import Rotation
from stagebell.ports.pages import Page
from stagebell.ports.records import Applied, Commit, CommitResult, Stored

_RECORD_JSON = ("fields", "stamps", "touched", "deleted", "lock", "sources", "echoes")
_APPLIED_JSON = ("change", "before", "after", "outdated", "evaluations", "dispatch")
_KEYS_PER_READ = 100
_READS = 10


class DynamoRecords:
    def __init__(
        self, client: Client, records: str, runs: str, retention: Retention, *, page_size: int = PAGE_SIZE
    ) -> None:
        self._client = client
        self._records = Table(client, records)
        self._writes = Writes(Tables(self._records, Table(client, runs), retention))
        self._page_size = page_size

    def load(self, key: RecordKey) -> Stored:
        record, enrolments, late = Record(key), {}, list[Echo]()
        near = Expression("#pk = :pk AND #sk BETWEEN :first AND :last", pk=str(key), first="enrolment#", last=MIRROR)
        for stored in self._records.every(near):
            if stored["sk"]["S"] == MIRROR:
                record = _record(key, stored)
            elif stored["sk"]["S"].startswith(LATE):
                late += late_from(stored)
            else:
                enrolment = enrolment_from(values_of(stored, ("starts",)))
                enrolments[enrolment.definition] = enrolment
        if late:
            record = replace(record, echoes=with_late(record.echoes, late))
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
        stored = self._records.get(change_key(key, change))
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

    def owned(
        self,
        object_name: str,
        user: str,
        cursor: str | None = None,
        *,
        closed: bool = False,
        latest_first: bool = False,
    ) -> Page[Record]:
        owner = shelf(object_name, user, closed=closed)
        listing = Listing(
            Expression("#owned_by = :owner", owner=owner),
            key=("pk", "sk", "owned_by", "sorted_by"),
            index="by_owner",
            newest_first=latest_first,
            name=f"{'latest' if latest_first else 'first'} owned {owner}",
        )
        page = self._records.page(listing, cursor, self._page_size)
        keys = [RecordKey.parse(stored["pk"]["S"]) for stored in page.items]
        found = self.many(keys)  # in no order
        return Page(tuple(found[key] for key in keys if key in found), page.cursor)

    def count_owned(self, object_name: str, user: str, limit: int) -> int:
        return self._records.count("by_owner", Expression("#owned_by = :owner", owner=shelf(object_name, user)), limit)

    def follow_ups(self, key: RecordKey, cursor: str | None = None) -> Page[Record]:
        listing = Listing(
            Expression("#of_record = :of_record", of_record=about_key(key)),
            key=("pk", "sk", "of_record", "at"),
            index="by_time",
            newest_first=True,
            name=f"follow-ups {key}",
        )
        return self._mirrors(self._records.page(listing, cursor, self._page_size))

    def _mirrors(self, page: RawPage) -> Page[Record]:
        return Page(tuple(_record(RecordKey.parse(stored["pk"]["S"]), stored) for stored in page.items), page.cursor)

    def rotation(self, name: str) -> Rotation:
        stored = self._records.get(rotation_key(name))
        return rotation_from(name, values_of(stored, ("lately",))) if stored is not None else Rotation(name)

    def people(self, group: str, value: str) -> Sequence[str]:
        members = self._records.every(Expression("#pk = :pk", pk=group_pk((group, value))))
        return [stored["sk"]["S"] for stored in members]


def _record(key: RecordKey, stored: Item) -> Record:
    return record_from(key, values_of(stored, _RECORD_JSON))


def _applied(stored: Item) -> Applied:
    return applied_from(values_of(stored, _APPLIED_JSON))
