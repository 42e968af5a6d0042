"""Records in memory: for the backtest and for tests, with the constraints of the real table."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stagebell.adapters.memory.pages import PAGE_SIZE, page_of
from stagebell.adapters.memory.store import NO_ENROLMENTS, MemoryStore
from stagebell.adapters.transactions import joined, moves, split
from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import with_late
from stagebell.domain.fields import instant_text
from stagebell.domain.follow_ups import shelf
from stagebell.domain.records import Record
from stagebell.domain.rotations import Rotation
from stagebell.ports.outbox import Letter
from stagebell.ports.pages import Page
from stagebell.ports.records import Applied, Commit, CommitResult, Filing, Settling, Stored


class MemoryRecords:
    """With `keep_history=False` only a hash of each change is kept, enough to know a duplicate; what `applied` says of
    one is then no more than that it came before."""

    def __init__(self, store: MemoryStore, *, keep_history: bool = True, page_size: int = PAGE_SIZE) -> None:
        self._store = store
        self._history: dict[RecordKey, dict[str, Applied]] | None = defaultdict(dict) if keep_history else None
        self._seen: set[int] = set()
        self._doubled: Applied | None = None
        self._page_size = page_size

    def load(self, key: RecordKey) -> Stored:
        store = self._store
        record = store.records.get(key) or Record(key)
        if key in store.late:
            record = replace(record, echoes=with_late(record.echoes, store.late[key]))
        return Stored(record, store.enrolments.get(key, NO_ENROLMENTS))

    def many(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Record]:
        records = self._store.records
        return {key: records[key] for key in keys if key in records}

    def commit(self, commit: Commit) -> CommitResult:
        key, change = commit.after.key, commit.applied.change
        seen = hash((key, change.id))
        if seen in self._seen and (self._history is None or change.id in self._history[key]):
            self._doubled = replace(commit.applied, event="stale", evaluations=(), dispatch=())
            return "duplicate"
        split(commit)  # refuses what the real table would
        if not self._unmoved(commit):
            return "conflict"
        self._seen.add(seen)
        self._write(key, commit)
        return "committed"

    def _unmoved(self, commit: Commit) -> bool:
        store = self._store
        if moves(commit) and store.version(commit.after.key) != commit.before.version:
            return False
        if any(run.id in store.runs for run in commit.started):
            return False
        if commit.settling is not None and not store.settles(commit.settling):
            return False
        rotation = commit.rotation
        if rotation is not None and self.rotation(rotation.name).revision != rotation.revision - 1:
            return False
        if commit.known is not None and not store.known(commit.after.key, commit.known, commit.enrolments):
            return False
        return not commit.updated or store.unmoved(commit.updated)

    def _write(self, key: RecordKey, commit: Commit) -> None:
        store = self._store
        if moves(commit):
            store.records[key] = commit.after
            self._file(key, commit.filing)
        if commit.settling is not None:
            self._settle(commit.settling)
        if commit.rotation is not None:
            store.rotations[commit.rotation.name] = commit.rotation
        for tell in commit.outbox if self._history is not None else ():  # a letter is made from its change
            letter = Letter(tell.key, tell.source, tell.version, commit.applied.change.id)
            store.outbox[tell.key, tell.source, tell.version] = letter
        if commit.enrolments:
            store.enrol(key, commit.enrolments)
        for run in (*commit.updated, *commit.started):
            store.put_run(run)
        if key.object == "user":
            self._regroup(key, commit)
        if self._history is not None:
            self._history[key][commit.applied.change.id] = commit.applied

    def _file(self, key: RecordKey, filing: Filing) -> None:
        if filing.owner or filing.about is not None:
            self._store.filings[key] = filing
        else:
            self._store.filings.pop(key, None)

    def _settle(self, settling: Settling) -> None:
        run, enrolment = settling.run, settling.enrolment
        self._store.put_run(run)
        if enrolment is not None:
            known = self._store.enrolments[run.key][enrolment.definition]
            self._store.enrol(run.key, (replace(enrolment, starts=known.starts),))

    def _regroup(self, key: RecordKey, commit: Commit) -> None:
        joins, leaves = joined(commit)
        for group in joins:
            self._store.people[group].add(key.id)
        for group in leaves:
            self._store.people[group].discard(key.id)

    def applied(self, key: RecordKey, change: str) -> Applied | None:
        if self._history is not None:
            return self._history[key].get(change)
        doubled = self._doubled
        return doubled if doubled is not None and (doubled.change.key, doubled.change.id) == (key, change) else None

    def history(self, key: RecordKey, cursor: str | None = None) -> Page[Applied]:
        entries = self._history[key].values() if self._history is not None else ()
        return page_of(entries, _position, f"history {key}", cursor, size=self._page_size)

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
        found = [(filing.order, key) for key, filing in self._store.filings.items() if filing.owner == owner]
        query = f"{'latest' if latest_first else 'first'} owned {owner}"
        return self._mirrors(page_of(found, _ordered, query, cursor, size=self._page_size, newest_first=latest_first))

    def count_owned(self, object_name: str, user: str, limit: int) -> int:
        owner = shelf(object_name, user)
        return min(limit, sum(filing.owner == owner for filing in self._store.filings.values()))

    def follow_ups(self, key: RecordKey, cursor: str | None = None) -> Page[Record]:
        found = [(self._made(one), one) for one, filing in self._store.filings.items() if filing.about == key]
        return self._mirrors(page_of(found, _ordered, f"follow-ups {key}", cursor, size=self._page_size))

    def _made(self, key: RecordKey) -> str:
        at = self._store.records[key].created_at
        return f"{instant_text(at) if at is not None else ''}#{key.id}"

    def _mirrors(self, page: Page[tuple[str, RecordKey]]) -> Page[Record]:
        return Page(tuple(self._store.records[key] for _, key in page.items), page.cursor)

    def rotation(self, name: str) -> Rotation:
        return self._store.rotations.get(name) or Rotation(name)

    def people(self, group: str, value: str) -> Sequence[str]:
        return sorted(self._store.people.get((group, value), ()))


def _ordered(entry: tuple[str, RecordKey]) -> tuple[str, ...]:
    order, key = entry
    return (order, str(key))


def _position(applied: Applied) -> tuple[str, ...]:
    return (instant_text(applied.applied_at), applied.change.id)
