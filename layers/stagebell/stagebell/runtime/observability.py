"""Logs and metrics: one JSON line per outcome, with ids only; never an event, a body, or an address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Literal

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from stagebell.domain.deliveries import Delivery
    from stagebell.domain.runs import Run, StepState
    from stagebell.ports.records import Applied

NAMESPACE = "Stagebell"
LATE = timedelta(hours=1)

_COUNTED = {"delivery_unknown": "DeliveriesUnknown", "loop_stopped": "LoopsStopped", "too_many_runs": "Refused"}
"""The metrics of reasons for which a step ends; the last two where it should have started another process."""

type Level = Literal["debug", "info", "warning", "error"]
type Id = str | int | bool | None
type Handler[T] = Callable[[dict[str, Any], Any], T]


@cache
def logger() -> Logger:
    """The one logger; its service and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL."""
    return Logger(utc=True)


def observed[T](handler: Handler[T]) -> Handler[T]:
    """For every lambda_handler: request ids on each line of log, nothing kept between invocations, events never logged.

    The logger is made at the first invocation, so importing a handler reads no environment."""

    @cache
    def logged() -> Handler[T]:
        with_context: Handler[T] = logger().inject_lambda_context(handler, clear_state=True, log_event=False)
        return with_context

    @wraps(handler)
    def observing(event: dict[str, Any], context: Any) -> T:
        return logged()(event, context)

    return observing


def log_outcome(action: str, *, level: Level = "info", **ids: Id) -> None:
    """Log one outcome under its stable verb (`delivery_rejected`); ids that are None or empty are left out."""
    _log(action, level, ids)


def note_step(run: Run, step: StepState) -> None:
    """Log what became of a step, and count a failed one, and what must not happen quietly: alarms listen."""
    ids: dict[str, Id] = {"run": run.id, "definition": run.definition, "record": str(run.key), "step": step.name}
    ids |= {"kind": step.kind, "reason": step.reason, "run_status": run.status}
    failed = step.status == "failed"
    _log(f"step_{step.status}", "error" if failed else "info", ids)
    if failed:
        count("StepsFailed")
    if step.reason in _COUNTED:
        count(_COUNTED[step.reason])


def note_applied(applied: Applied) -> None:
    """Log a change that was applied, and count what must not happen quietly: a loop that was stopped, a change that was
    refused, runs beyond a limit."""
    change = applied.change
    outcomes = [str(evaluation["outcome"]) for evaluation in applied.evaluations]
    started = outcomes.count("started")
    ids: dict[str, Id] = {"change": change.id, "record": str(change.key), "event": applied.event, "started": started}
    ids |= {"note": applied.note}
    _log("change_applied", "info", ids)
    stopped = outcomes.count("loop_stopped")
    if stopped:
        count("LoopsStopped", stopped)
    refused = outcomes.count("too_many_runs") + (applied.event == "refused")
    if refused:
        count("Refused", refused)


def note_write_back(delivery: Delivery) -> None:
    """Log an attempt to tell a source what was changed here, and count what was given up or will be told late: alarms
    listen. The queue itself does not say how old a message is that was received again and again."""
    given_up = delivery.state == "failed"
    verb = "write_back_waits" if delivery.state == "planned" else f"write_back_{delivery.state}"
    ids: dict[str, Id] = {"delivery": delivery.key, "source": delivery.recipient, "record": str(delivery.record)}
    ids |= {"change": delivery.change, "reason": delivery.reason, "attempts": delivery.attempts}
    _log(verb, "error" if given_up else "info", ids)
    if given_up:
        count("WriteBacksGivenUp")
    if delivery.due_at is not None and delivery.due_at - delivery.planned_at > LATE:
        count("WriteBacksLate")


def _log(action: str, level: Level, ids: Mapping[str, Id]) -> None:
    known = {name: value for name, value in ids.items() if value is not None and value != ""}
    getattr(logger(), level)(action, extra={"action": action, **known}, stacklevel=4)


def count(metric: str, value: int = 1) -> None:
    """Count something in CloudWatch (embedded metric format): no call, one line of log. The stack is the one dimension:
    each combination of dimensions would be a metric of its own that costs money."""
    with single_metric(name=metric, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as made:
        made.add_dimension(name="service", value=logger().service)
