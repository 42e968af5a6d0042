"""Runs in memory, in the same store as their records."""

from collections.abc import Callable
from dataclasses import replace

from stagebell.adapters.memory.pages import PAGE_SIZE, page_of
from stagebell.adapters.memory.store import NO_ENROLMENTS, MemoryStore
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import StagebellError
from stagebell.domain.fields import instant_text
from stagebell.domain.runs import Enrolment, Run
from stagebell.ports.pages import Page


class MemoryRuns:
    """With `keep_ended=False` a run is forgotten when it ends, so that memory follows the open ones."""

    def __init__(self, store: MemoryStore, *, keep_ended: bool = True, page_size: int = PAGE_SIZE) -> None:
        self._store = store
        self._page_size = page_size
        store.keep_ended = keep_ended

    def get(self, run: str) -> Run | None:
        if not run:
            raise StagebellError("a run's id is never empty")
        return self._store.runs.get(run)

    def save(self, run: Run, enrolment: Enrolment | None) -> bool:
        store = self._store
        if not store.unmoved((run,)):
            return False
        store.put_run(run)
        if enrolment is not None:
            known = store.enrolments.get(run.key, NO_ENROLMENTS).get(enrolment.definition)
            if known is not None and known.run == run.id:
                store.enrol(run.key, (replace(enrolment, starts=known.starts),))
        return True

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Run]:
        return self._newest(lambda run: run.key == key, f"runs of record {key}", cursor)

    def of_definition(self, definition: str, cursor: str | None = None) -> Page[Run]:
        return self._newest(lambda run: run.definition == definition, f"runs of definition {definition}", cursor)

    def _newest(self, wanted: Callable[[Run], bool], query: str, cursor: str | None) -> Page[Run]:
        return page_of(filter(wanted, self._store.runs.values()), _position, query, cursor, size=self._page_size)

    def open_of(self, definition: str, cursor: str | None = None) -> Page[str]:
        runs = (run.id for run in self._store.runs.values() if run.open and run.definition == definition)
        query = f"open runs of {definition}"
        return page_of(runs, lambda id: (id,), query, cursor, size=self._page_size, newest_first=False)


def _position(run: Run) -> tuple[str, ...]:
    return (instant_text(run.started_at), run.id)
