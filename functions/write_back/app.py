"""The consumer of the write-backs queue: tells sources what was changed here, in order for each record."""

from typing import Any

from stagebell.runtime import wiring
from stagebell.runtime.fifo import NotYet, each_in_order
from stagebell.runtime.observability import observed


@observed
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return each_in_order(event, _carry_out, wiring.postpone())


def _carry_out(body: str) -> None:
    until = wiring.write_back().carry_out(wiring.read_tell(body))
    if until is not None:
        raise NotYet(until)
