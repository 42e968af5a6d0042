"""Finishing: ending, pausing and resuming runs from outside, one or all of a scenario's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from stagebell.domain import planning, runs
from stagebell.domain.errors import Conflict, NotFound, RecordBusy
from stagebell.domain.orders import Halt
from stagebell.domain.runs import Run
from stagebell.ports.clock import Clock
from stagebell.ports.queues import ChangeQueue, Command
from stagebell.ports.runs import Runs, Scheduler

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Finisher:
    """Every verb may be repeated: a run that is already as asked stays as it is."""

    runs: Runs
    scheduler: Scheduler
    clock: Clock

    def cancel(self, run: str, reason: str = "cancelled_by_operator") -> Run:
        """Raises NotFound, or Conflict where the run has ended by itself."""
        found = self._change(run, lambda r, now: runs.end(r, "cancelled", now, reason))
        if found.status != "cancelled":
            raise Conflict(f"run {run} has already ended: it is {found.status}")
        return found

    def fail(self, run: str, execution: int, reason: str) -> Run:
        """The machine's execution died: a run that still goes in it has failed. One that was to go on in another is
        started there, as that may be what the machine could not do."""
        found = self._change(run, lambda r, now: r if r.execution != execution else runs.end(r, "failed", now, reason))
        self._start(found)
        return found

    def pause(self, run: str) -> Run:
        return self._change(run, lambda r, _: replace(r, status="paused") if r.status == "running" else r)

    def resume(self, run: str) -> Run:
        """A paused run goes on in a new execution; what fell due meanwhile follows the definition's `past_due`."""
        found = self._change(run, lambda r, _: replace(r, status="running") if r.status == "paused" else r)
        self._start(found)  # also when it runs already: whoever resumed it may have died before this
        return found

    def _start(self, run: Run) -> None:
        coming = planning.wake(run)
        if coming is not None:
            self.scheduler.start(coming)

    def _change(self, run: str, change: "Callable[[Run, datetime], Run]") -> Run:
        for _ in range(ATTEMPTS):
            before = self.runs.get(run)
            if before is None:
                raise NotFound(f"there is no run {run}")
            after = change(before, self.clock.now()) if before.open else before
            if after == before:
                return before
            resumed = before.status == "paused" and after.status == "running"
            after = replace(
                after, revision=before.revision + 1, execution=before.execution + 1 if resumed else before.execution
            )
            if self.runs.save(after, planning.enrolment_of(after, ())):
                self._dispatch(before, after)
                return after
        raise RecordBusy(f"run {run} was changed by others {ATTEMPTS} times")

    def _dispatch(self, before: Run, after: Run) -> None:
        if planning.wake(before) is not None:
            self.scheduler.stop(Halt(before.id, before.execution, after.reason or after.status))


@dataclass(frozen=True, slots=True)
class Commander:
    """Carries out a command on all open runs of a scenario, one page at a time; the queue brings the next page."""

    finisher: Finisher
    runs: Runs
    queue: ChangeQueue

    def carry_out(self, command: Command) -> int:
        """How many runs this page held."""
        page = self.runs.open_of(command.definition, command.cursor)
        for run in page.items:
            self._one(command, run)
        if page.cursor is not None:
            self.queue.command(replace(command, cursor=page.cursor))
        return len(page.items)

    def _one(self, command: Command, run: str) -> None:
        try:
            match command.verb:
                case "cancel":
                    self.finisher.cancel(run, "definition_deactivated")
                case "pause":
                    self.finisher.pause(run)
                case "resume":
                    self.finisher.resume(run)
        except (Conflict, NotFound):
            return  # it ended by itself meanwhile
