"""Acting: what happens when a step's time has come. Look again, act or say why not, and name the next step.

Every path may be taken twice: a task that is delivered again finds its step settled and only answers what comes next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from stagebell.domain import deciding, planning, runs
from stagebell.domain.conditions import View
from stagebell.domain.deciding import decide
from stagebell.domain.errors import RETRIED_BY_MACHINES, InvalidInput, RecordBusy, StagebellError
from stagebell.domain.executions import Task, execution_name, machine_state, outlives
from stagebell.domain.fields import Value
from stagebell.domain.records import Record
from stagebell.domain.runs import Run, StepState
from stagebell.domain.scenarios import Scenario, Step
from stagebell.ports.clock import Clock
from stagebell.ports.deliveries import RunMoved
from stagebell.ports.records import Records
from stagebell.ports.runs import Runs
from stagebell.services.action import Action, Look, Outcome
from stagebell.services.apply import Acting, Applier, Deed
from stagebell.services.catalog import Catalog
from stagebell.services.look import Lookout, needs_zone

ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class _Made:
    """What an action did at the moment it looked."""

    look: Look
    outcome: Outcome
    at: datetime

    @property
    def final(self) -> bool:
        """Whether it must be noted even if run or record have moved meanwhile. A deed of which nothing has gone out is
        worked out anew instead, from what the record is then."""
        return self.outcome.deed is None or bool(self.outcome.deliveries)

    @property
    def deed(self) -> Deed | None:
        """What is still to be done. A run that was ended from outside does nothing more; where a second attempt at this
        step gave it up for unknown and went on to the end, what the first one brought is done all the same."""
        run = self.look.run
        passed = run.status in ("completed", "failed") and run.state(self.look.step.name).status == "acted"
        return self.outcome.deed if run.open or passed else None

    def done_by_another(self, run: Run) -> bool:
        """Whether a second attempt at this step, which read the same answer, has done what it asks for."""
        return self.outcome.deed is not None and run.state(self.look.step.name).record is not None


def _untold(_run: Run, _step: StepState) -> None:
    return


@dataclass(frozen=True, slots=True)
class Actor:
    """Runs tasks. `prefix` begins the names of the action functions; `note` is told what became of each step."""

    applier: Applier
    records: Records
    runs: Runs
    clock: Clock
    prefix: str
    note: Callable[[Run, StepState], None] = _untold

    @property
    def catalog(self) -> Catalog:
        return self.applier.catalog

    def act(self, task: Task, action: Action) -> dict[str, Any]:
        """The machine's next state: `{"next": "done"}`, or the state to wait in or to carry on with."""
        self.catalog.refresh()
        made: _Made | None = None
        for _ in range(ATTEMPTS):
            run = self.runs.get(task.run)
            if run is None or (made.done_by_another(run) if made else not self._ours(run, task)):
                return self._too_late(run, task, action)
            if made is None and self._overdrawn(task):
                return self._answer(run, task)
            try:
                found = self._again(run, made) if made else self._step(run, task, action)
                made = found if isinstance(found, _Made) and found.final else None
                after = self._stored(run, found)
            except RunMoved:
                continue
            if after is run:
                return self._answer(run, task)
            if after is not None:
                self.note(after, after.state(task.step))
                return self._answer(after, task)
        raise RecordBusy(f"run {task.run} was changed by others {ATTEMPTS} times while step {task.step} was at work")

    def _ours(self, run: Run, task: Task) -> bool:
        """Whether this task has anything to do: its step still waits, in the execution that is current.

        A superseded run may owe a step that was due before the new entry; every other ended run is over."""
        return run.status == "running" and run.execution == task.execution and run.state(task.step).status == "waiting"

    def _overdrawn(self, task: Task) -> bool:
        """Whether attempts have used up what an Express execution has of time: nobody hears of one that is cut off."""
        now = self.clock.real_now()
        return task.express and task.failure is None and outlives(task.born, now, now, express=True)

    def _too_late(self, run: Run | None, task: Task, action: Action) -> dict[str, Any]:
        """The step was settled without us. An attempt that died on the way to its note leaves its outcome unknown; one
        that died after it may not have carried on what it had stored."""
        step = run.state(task.step) if run is not None else None
        if run is not None and step is not None and step.status != "waiting":
            action.give_up(run, task.step, "step_settled")
            if step.record is not None:
                self.applier.dispatch_again(step.record, runs.change_of(run.id, step.name))
        return self._answer(run, task)

    def _step(self, run: Run, task: Task, action: Action) -> Run | _Made:
        """What was made, or the run as looking again has left it."""
        now = self.clock.now()
        if task.failure is not None:
            action.give_up(run, task.step, "retries_exhausted")
            return self._failed(run, task.step, task.failure.get("Error", "unknown"), task.failure, now)
        try:
            look, decision = self._look(run, task.step, now)
            if decision.verdict == "act":
                look = replace(look, run=decision.run)
                return _Made(look, action.act(look), now)
        except RETRIED_BY_MACHINES:
            raise
        except StagebellError as error:
            return self._failed(run, task.step, error.code, told_of(error), now)
        return decision.run if decision.verdict == "wait" else self._rescheduled(decision.run, look)

    def _again(self, run: Run, made: _Made) -> _Made:
        """What was made, to be noted on the run and the record as they are by now."""
        stored = self.records.load(run.key) if made.outcome.deed else made.look.stored
        return replace(made, look=replace(made.look, run=run, stored=stored))

    def _stored(self, run: Run, found: Run | _Made) -> Run | None:
        """The run as it is stored now: the same where nothing is new, None where it has moved meanwhile."""
        after = self._settled(found) if isinstance(found, _Made) else found
        deed = found.deed if isinstance(found, _Made) else None
        if deed is not None and isinstance(found, _Made):
            try:
                return self.applier.do(deed, Acting(after, found.look.stored)).run
            except RETRIED_BY_MACHINES:
                raise
            except StagebellError as error:
                failed = replace(found.outcome, status="failed", reason=error.code, why=told_of(error), deed=None)
                after = self._settled(replace(found, outcome=failed))
        if after == run:
            return run
        after = replace(after, revision=run.revision + 1)
        return after if self._save(after) else None

    def _look(self, run: Run, name: str, now: datetime) -> tuple[Look, deciding.Decision]:
        scenario = self.catalog.scenario(run.definition, run.version)
        step = scenario.step(name)
        stored = self.records.load(run.key)
        view = self._view(run, stored.record, scenario, step, now)
        return Look(run, scenario, step, stored, view), decide(run, scenario, name, stored.record, view)

    def _view(self, run: Run, record: Record, scenario: Scenario, step: Step, now: datetime) -> View:
        lookout = Lookout(self.catalog, self.records)
        fields = record.fields if scenario.survives_deletion else record.current
        if scenario.trigger.on == "deleted":
            fields = self._last(run, record)
        paths, zoned = scenario.act_paths(step), needs_zone([scenario], self.catalog.schema)
        return lookout.fitted(lookout.view(record.key.object, fields, fields, now, paths, zoned), scenario)

    def _last(self, run: Run, record: Record) -> Mapping[str, Value]:
        """The values with which the record was deleted; where it has been created anew since, its history has them."""
        if not record.exists and record.deleted is not None and record.deleted.at == run.triggered_at:
            return record.fields
        applied = self.records.applied(run.key, run.change)
        return applied.before if applied is not None and applied.event == "deleted" else record.fields

    def _settled(self, made: _Made) -> Run:
        """The run once what was made is noted on it."""
        outcome, step = made.outcome, made.look.step
        record = made.deed.change.key if made.deed else None
        told = {"reason": outcome.reason, "deliveries": outcome.deliveries, "why": outcome.why, "record": record}
        run = runs.settle(made.look.run, step.name, outcome.status, made.at, **told)
        if not run.open:
            return run
        return self._rescheduled(deciding.after_step(run, step, outcome.status, made.at), made.look)

    def _rescheduled(self, run: Run, look: Look) -> Run:
        return runs.close(runs.schedule(run, look.scenario, look.view), look.view.at) if run.open else run

    def _failed(self, run: Run, name: str, reason: str, why: Mapping[str, Any], now: datetime) -> Run:
        run = runs.settle(run, name, "failed", now, reason=reason, why=why)
        try:
            scenario = self.catalog.scenario(run.definition, run.version)
            step = scenario.step(name)
            run = deciding.after_step(run, step, "failed", now)
            view = self._view(run, self.records.load(run.key).record, scenario, step, now)
        except StagebellError:
            return runs.end(run, "failed", now, reason) if run.open else run
        return runs.close(runs.schedule(run, scenario, view), now) if run.open else run

    def _save(self, run: Run) -> bool:
        return self.runs.save(run, planning.enrolment_of(run, ()))

    def _answer(self, run: Run | None, task: Task) -> dict[str, Any]:
        wake = planning.wake(run) if run is not None else None
        if run is None or wake is None:
            return {"next": "done"}
        now, until = self.clock.real_now(), self.clock.real(wake.at)
        carry_on = run.execution != task.execution or outlives(task.born, until, now, express=task.express)
        if not carry_on:
            return machine_state(wake, prefix=self.prefix, wait_until=until, now=now, born=task.born) | {"next": "wait"}
        if run.execution == task.execution:
            run = self._next_execution(run)
            wake = replace(wake, execution=run.execution, express=False)  # it is the scenario machine's from here on
        state = machine_state(wake, prefix=self.prefix, wait_until=until, now=now, born=now)
        return state | {"next": "continue", "execution_name": execution_name(run.id, run.execution)}

    def _next_execution(self, run: Run) -> Run:
        after = replace(run, execution=run.execution + 1, revision=run.revision + 1)
        if not self._save(after):
            raise RecordBusy(f"run {run.id} was changed by others while it moved to a new execution")
        return after


def told_of(error: StagebellError) -> Mapping[str, Any]:
    """What a step keeps of an error; of problems, each with its path."""
    told: dict[str, Any] = {"error": error.message}
    if isinstance(error, InvalidInput):
        told["problems"] = [{"path": p.path, "rule": p.rule, "message": p.message} for p in error.problems]
    return told
