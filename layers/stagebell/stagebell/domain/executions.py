"""Executions: what Stagebell hands to its machines and gets back. Released versions parse for ever.

A sleeping execution outlives many deploys: keys are only ever added, and `version` tells the shapes apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stagebell.domain.orders import Wake

VERSION = 1
LONGEST_WAIT = timedelta(days=300)
LONGEST_EXECUTION = timedelta(days=350)  # Step Functions ends an execution after one year
LONGEST_EXPRESS = timedelta(seconds=90)  # and an Express one after five minutes, of which one step may take two


@dataclass(frozen=True, slots=True)
class Task:
    """What a machine hands over: which step of which run, in which execution; `failure` when it gave up retrying;
    `express` where it is the workflow machine, which cannot wait."""

    run: str
    step: str
    execution: int
    born: datetime
    failure: Mapping[str, str] | None = None
    express: bool = False


def execution_name(run: str, execution: int) -> str:
    return f"{run}-{execution}"


def function_name(prefix: str, kind: str) -> str:
    """`send_email` → `<stack>-send-email`."""
    return f"{prefix}-{kind.replace('_', '-')}"


def machine_state(wake: Wake, *, prefix: str, wait_until: datetime, now: datetime, born: datetime) -> dict[str, Any]:
    """The machine's state while it waits for a step. All times are the machine's own (real) time; never wakes early."""
    until = min(wait_until, now + LONGEST_WAIT)
    state = {
        "version": VERSION,
        "run": wake.run,
        "step": wake.step,
        "execution": wake.execution,
        "function": function_name(prefix, wake.kind),
        "wait_until": _timestamp(until),
        "born": _timestamp(born),
    }
    return state | ({"express": True} if wake.express else {})


def outlives(born: datetime, wait_until: datetime, now: datetime, *, express: bool) -> bool:
    """Whether a wait would take the execution beyond the service's limit, so that a new one must carry it on."""
    if express:
        return wait_until > now or now - born > LONGEST_EXPRESS
    return wait_until - born > LONGEST_EXECUTION


def _timestamp(moment: datetime) -> str:
    """Milliseconds, rounded up: all that the machine knows."""
    moment += timedelta(microseconds=-moment.microsecond % 1_000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
