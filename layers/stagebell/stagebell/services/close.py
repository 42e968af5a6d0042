"""Closing: what is left to do for an execution that failed, so that nothing dies with it."""

from dataclasses import dataclass
from operator import attrgetter

from stagebell.domain.runs import Run, change_of
from stagebell.ports.queues import ChangeQueue
from stagebell.ports.records import Records
from stagebell.services.deliver import Courier
from stagebell.services.finish import Finisher


@dataclass(frozen=True, slots=True)
class Closer:
    """May be called again: each verb finds what it has done before."""

    finisher: Finisher
    courier: Courier
    records: Records
    queue: ChangeQueue

    def close(self, run: str, execution: int, reason: str) -> Run:
        """The run, failed unless it had ended or goes on elsewhere. Raises NotFound."""
        closed = self.finisher.fail(run, execution, reason)
        if not closed.open:
            self.courier.give_up(closed, None, reason)
        self._carry_on(closed)
        return closed

    def _carry_on(self, run: Run) -> None:
        """What the last step did to a record is stored, but the execution may have failed because what that leads to
        could not be started. The queue brings the change again until it is."""
        changing = [step for step in run.steps if step.record is not None]
        last = max(changing, key=attrgetter("settled_at"), default=None)
        if last is None or last.record is None:
            return
        applied = self.records.applied(last.record, change_of(run.id, last.name))
        if applied is not None and applied.dispatch:
            self.queue.send([applied.change])
