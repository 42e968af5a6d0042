"""The queue's consumer: applies changes to records, and carries out commands on many runs."""

from typing import Any

from stagebell.domain.changes import Change
from stagebell.runtime import wiring
from stagebell.runtime.fifo import each_in_order
from stagebell.runtime.observability import log_outcome, observed


@observed
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    wiring.catalog().refresh()
    return each_in_order(event, _carry_out)


def _carry_out(body: str) -> None:
    message = wiring.read_message(body)
    if isinstance(message, Change):
        wiring.applier().apply(message)
    else:
        runs = wiring.commander().carry_out(message)
        log_outcome("command_carried_out", verb=message.verb, definition=message.definition, runs=runs)
