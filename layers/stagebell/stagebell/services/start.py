"""Starting by hand: a workflow or scenario for one record, once for each request."""

from dataclasses import dataclass

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy
from stagebell.domain.runs import Run
from stagebell.ports.queues import ChangeQueue
from stagebell.services.apply import Applier


@dataclass(frozen=True, slots=True)
class Starter:
    """`by` is the id of the API key; `occasion` names the request: one that comes again starts nothing more. `queue`
    carries on a start that was stored, where its machine could not be started at once."""

    applier: Applier
    queue: ChangeQueue
    by: str
    occasion: str

    def start(self, kind: str, name: str, key: RecordKey) -> Run:
        """Raises NotFound (no such process or record), Conflict (another trigger, or why nothing was started)."""
        change = f"manual:{self.occasion}"
        try:
            return self.applier.start(kind, name, key, change, self.by)
        except RecordBusy:
            run = self._stored(key, change)
            if run is None:
                raise
            return run

    def _stored(self, key: RecordKey, change: str) -> Run | None:
        """The run, if it was stored: the queue brings what started it until its machine has been started too."""
        applied = self.applier.records.applied(key, change)
        run = self.applier.runs.get(applied.evaluations[0].get("run", "")) if applied else None
        if applied is not None and run is not None:
            self.queue.send([applied.change])
        return run
