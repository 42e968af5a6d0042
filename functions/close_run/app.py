"""An execution that failed or timed out: its run has failed too, and so have the messages it had not decided on.

What its last step led to goes on."""

from typing import Any

from stagebell.contracts.tasks import ExecutionEnded
from stagebell.runtime import wiring
from stagebell.runtime.observability import log_outcome, observed


@observed
def lambda_handler(event: dict[str, Any], context: object) -> None:
    ended = ExecutionEnded.of(event)
    reason = f"machine_{ended.detail.status.lower()}"
    run = wiring.closer().close(ended.run, ended.execution, reason)
    log_outcome("run_closed", level="error", run=run.id, status=run.status, reason=run.reason)
