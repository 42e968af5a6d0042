"""What the in-memory adapters of records, runs and deliveries share, so that one commit is one step."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import Echo
from stagebell.domain.records import Record
from stagebell.domain.rotations import Rotation
from stagebell.domain.runs import Enrolment, Run
from stagebell.ports.deliveries import Guard
from stagebell.ports.outbox import Letter
from stagebell.ports.records import Filing, Settling

type Enrolments = Mapping[str, Enrolment]

NO_ENROLMENTS: Enrolments = {}


class MemoryStore:
    """Domain objects as they are. Mappings handed out are never changed afterwards: a write replaces them.

    `on_end` is told of every run that is stored as over."""

    def __init__(self) -> None:
        self.records: dict[RecordKey, Record] = {}
        self.enrolments: dict[RecordKey, Enrolments] = {}
        self.runs: dict[str, Run] = {}
        self.people: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.filings: dict[RecordKey, Filing] = {}
        self.rotations: dict[str, Rotation] = {}
        self.outbox: dict[tuple[RecordKey, str, int], Letter] = {}
        self.late: dict[RecordKey, tuple[Echo, ...]] = {}
        self.keep_ended = True
        self.on_end: Callable[[Run], None] | None = None

    def version(self, key: RecordKey) -> int:
        record = self.records.get(key)
        return record.version if record is not None else 0

    def unmoved(self, runs: Iterable[Run]) -> bool:
        """Whether each run is the direct successor of what is stored."""
        return all((old := self.runs.get(run.id)) is not None and old.revision == run.revision - 1 for run in runs)

    def put_run(self, run: Run) -> None:
        if self.on_end is not None and not run.open:
            self.on_end(run)
        if self.keep_ended or run.open:
            self.runs[run.id] = run
        else:
            self.runs.pop(run.id, None)

    def enrol(self, key: RecordKey, enrolments: Iterable[Enrolment]) -> None:
        written = {enrolment.definition: enrolment for enrolment in enrolments}
        self.enrolments[key] = {**self.enrolments.get(key, NO_ENROLMENTS), **written}

    def known(self, key: RecordKey, known: Enrolments, written: Iterable[Enrolment]) -> bool:
        """Whether the enrolments to be written still are of the runs that were read."""
        stored = self.enrolments.get(key, NO_ENROLMENTS)
        return all(_run(stored, e.definition) == _run(known, e.definition) for e in written)

    def settles(self, settling: Settling) -> bool:
        """Whether a run of another record may be stored with a change: see Settling."""
        run, enrolment = settling.run, settling.enrolment
        if not self.unmoved((run,)) or self.version(run.key) != settling.version:
            return False
        return enrolment is None or _run(self.enrolments.get(run.key, NO_ENROLMENTS), enrolment.definition) == run.id

    def holds(self, guard: Guard) -> bool:
        run = self.runs.get(guard.run)
        return run is not None and run.status == "running" and self.version(guard.key) == guard.version


def _run(enrolments: Enrolments, definition: str) -> str:
    enrolment = enrolments.get(definition)
    return enrolment.run if enrolment is not None else ""
