"""The transactions of one change: everything it writes, all or nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stagebell.adapters.dynamodb_items import Values, key_text, packed
from stagebell.adapters.dynamodb_record_keys import (
    NEW,
    about_key,
    change_key,
    group_pk,
    mirror_key,
    outbox_key,
    rotation_key,
    unmoved,
)
from stagebell.adapters.dynamodb_runs import enrolment_key, enrolment_write, started_write, updated_write
from stagebell.adapters.dynamodb_tables import Expression, Table, Write
from stagebell.adapters.record_documents import (
    applied_document,
    enrolment_document,
    record_document,
    rotation_document,
)
from stagebell.adapters.retention import Retention
from stagebell.adapters.transactions import Ending, joined, moves
from stagebell.domain.fields import instant_text
from stagebell.domain.orders import Tell
from stagebell.domain.rotations import Rotation
from stagebell.domain.runs import Enrolment, Run
from stagebell.ports.records import Applied, Commit, Settling


@dataclass(frozen=True, slots=True)
class Tables:
    records: Table
    runs: Table
    retention: Retention


@dataclass(frozen=True, slots=True)
class Writes:
    """The parts of a commit's transactions."""

    tables: Tables

    def all(self, commit: Commit, updated: Sequence[Run], enrolments: Sequence[Enrolment]) -> list[Write]:
        records, runs, retention = self.tables.records, self.tables.runs, self.tables.retention
        return [
            records.putting(_change_values(commit.applied, retention), NEW),
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
            values = rotation_key(rotation.name) | rotation_document(rotation)
            yield self.tables.records.putting(values, former if rotation.revision > 1 else NEW)

    def _letter(self, commit: Commit, tell: Tell) -> Write:
        values = outbox_key(tell.key, tell.source, tell.version) | {"change": commit.applied.change.id}
        return self.tables.records.putting(values)

    def ahead(self, commit: Commit, endings: Sequence[Ending]) -> list[Write]:
        """Runs that end, as long as the change is new and the record unmoved."""
        records, key = self.tables.records, commit.after.key
        return [
            records.checking(change_key(key, commit.applied.change.id), NEW),
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
        yield from (records.putting({"pk": group_pk(group), "sk": user}) for group in sorted(joins))
        yield from (records.deleting({"pk": group_pk(group), "sk": user}) for group in sorted(leaves))


def _as_read(commit: Commit, definition: str) -> Expression | None:
    """Whether the enrolment still is of the run that was read, where the commit says what was read.

    The mirror's version guards it as well, because nothing else writes `run` and `starts`; but mirror and enrolments
    are read one after the other, and between the two another change may have been committed."""
    if commit.known is None:
        return None
    read = commit.known.get(definition)
    return Expression("#run = :run", run=read.run) if read is not None else NEW


def _change_values(applied: Applied, retention: Retention) -> Values:
    change = applied.change
    at = f"{instant_text(applied.applied_at)}#{key_text(change.id)}"
    place = {"of_record": str(change.key), "at": at, "expires_at": retention.expires_at()}
    values = change_key(change.key, change.id) | applied_document(applied) | place
    return packed(values, big=("change", "before", "after", "evaluations"), spare=("after", "before", "evaluations"))


def _filed(commit: Commit) -> dict[str, str]:
    """What the indexes find a mirror by."""
    filing, record = commit.filing, commit.after
    filed = {"owned_by": filing.owner, "sorted_by": filing.order} if filing.owner else {}
    if filing.about is not None:
        made = instant_text(record.created_at) if record.created_at is not None else ""
        filed |= {"of_record": about_key(filing.about), "at": f"{made}#{key_text(record.key.id)}"}
    return filed
