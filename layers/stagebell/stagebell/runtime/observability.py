"""Logs and metrics: one JSON line per outcome, with ids only; never an event, a body, or an address."""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, Literal, Protocol

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Stagebell"

type Level = Literal["debug", "info", "warning", "error"]
type Id = str | int | bool | None
type Handler[T] = Callable[[dict[str, Any], Any], T]


class StepTask(Protocol):
    """What a machine asks a function to do (`services.act.Task`)."""

    @property
    def run(self) -> str: ...

    @property
    def step(self) -> str: ...

    @property
    def failure(self) -> Mapping[str, str] | None: ...


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


def log_step(kind: str, task: StepTask, answer: Mapping[str, Any]) -> None:
    """Log what became of a step's task; one that the machine gave up on is an error."""
    failure = (task.failure or {}).get("Error")
    ids = {"kind": kind, "run": task.run, "step": task.step, "next": answer.get("next"), "failure": failure}
    _log("step_given_up" if task.failure else "step_taken", "error" if task.failure else "info", ids)


def _log(action: str, level: Level, ids: Mapping[str, Id]) -> None:
    known = {name: value for name, value in ids.items() if value is not None and value != ""}
    getattr(logger(), level)(action, extra={"action": action, **known}, stacklevel=4)


def count(metric: str, value: int = 1, **dimensions: str) -> None:
    """Count something in CloudWatch (embedded metric format): no call, one line of log.

    Each combination of dimensions is a metric of its own that costs money: kinds and states, never ids."""
    with single_metric(name=metric, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as made:
        for name, text in dimensions.items():
            made.add_dimension(name=name, value=text)
