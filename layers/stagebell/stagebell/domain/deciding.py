"""Deciding: what a step does when its time has come. Pure; rule 6: every step looks again just before it acts."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from stagebell.domain import runs
from stagebell.domain.conditions import ALWAYS, Explanation, View, both
from stagebell.domain.quiet_hours import quiet_until
from stagebell.domain.records import Record
from stagebell.domain.runs import Run, StepStatus
from stagebell.domain.scenarios import Scenario, Step

GRACE = timedelta(minutes=5)
"""A step that wakes later than this counts as past due, so that a machine's own delay never does."""

type Verdict = Literal["act", "wait", "settle", "end"]


@dataclass(frozen=True, slots=True)
class Decision:
    """`act`; `wait` (the run says until when); `settle` the step without acting; or `end` the run.

    `run` is the run as it stands after looking again; for `settle` and `end` with the outcome written into it."""

    verdict: Verdict
    run: Run
    reason: str = ""


def decide(run: Run, scenario: Scenario, name: str, record: Record, view: View) -> Decision:
    """Look at the record at `view.at` and say what becomes of the step."""
    step, now = scenario.step(name), view.at
    if _gone(run, record) and scenario.trigger.on != "deleted" and not scenario.survives_deletion:
        return _end(run, now, "record_deleted")
    run = runs.schedule(run, scenario, view)
    due = run.state(name).due_at
    if due is None or due > now:
        return Decision("wait", run, "not_due")
    if scenario.cancel_if is not None and scenario.cancel_if.holds(view):
        return _end(run, now, "cancel_condition")
    return _look(run, scenario, step, view, due)


def _gone(run: Run, record: Record) -> bool:
    """Whether the record that the run was started for is deleted; one created anew under its id is another one."""
    return not record.exists or (record.deleted is not None and record.deleted.at > run.triggered_at)


def _look(run: Run, scenario: Scenario, step: Step, view: View, due: datetime) -> Decision:
    if step.unless_changed and view.after.get(scenario.trigger.fields[0]) not in scenario.trigger.values:
        return _settle(run, step, "skipped", view.at, "stage_changed")
    if step.cancel_if is not None and step.cancel_if.holds(view):
        return _settle(run, step, "cancelled", view.at, "cancel_condition", step.cancel_if.explain(view))
    asked = step.only_if if _admitted(run, scenario, step, view) else both(scenario.due_if, step.only_if)
    why = asked.explain(view)
    if not why.result:
        return _settle(run, step, "skipped", view.at, "condition", why)
    if scenario.past_due != "run" and view.at - due > GRACE:
        status: StepStatus = "skipped" if scenario.past_due == "skip" else "failed"
        return _settle(run, step, status, view.at, "past_due")
    quiet = quiet_until(view.at, step.quiet_hours, view.zone) if step.quiet_hours else None
    if quiet is not None:
        return Decision("wait", _defer(run, step.name, quiet), "quiet_hours")
    return Decision("act", run)


def _admitted(run: Run, scenario: Scenario, step: Step, view: View) -> bool:
    """Whether what a date trigger asks of the record need not be asked again: it held when the same date was reached,
    and another step has acted on that. What that one did is not held against this one."""
    if scenario.due_if is ALWAYS:
        return True
    acted = [(scenario.step(s.name), s.settled_at) for s in run.steps if s.status == "acted" and s.settled_at]
    if step.at.date is None:
        return bool(acted)
    on_date = replace(step, at=replace(step.at, after=None), quiet_hours=None)
    known = (run.state(step.name).due_at, runs.due(on_date, None, view))
    reached = min(moment for moment in known if moment is not None)
    return any(replace(other.at, after=None) == on_date.at and reached <= at for other, at in acted)


def _defer(run: Run, name: str, until: datetime) -> Run:
    steps = tuple(replace(s, due_at=until, reason="quiet_hours") if s.name == name else s for s in run.steps)
    return replace(run, steps=steps)


def _end(run: Run, at: datetime, reason: str) -> Decision:
    return Decision("end", runs.end(run, "cancelled", at, reason), reason)


def _settle(
    run: Run, step: Step, status: StepStatus, at: datetime, reason: str, why: Explanation | None = None
) -> Decision:
    settled = runs.settle(run, step.name, status, at, reason=reason, why=why.document() if why else None)
    return Decision("settle", after_step(settled, step, status, at), reason)


def after_step(run: Run, step: Step, status: StepStatus, at: datetime) -> Run:
    """The run once a step is settled: a failed step that says `on_failure: stop` ends it."""
    if status == "failed" and step.on_failure == "stop":
        return runs.end(run, "failed", at, "step_failed")
    return run
