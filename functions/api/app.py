"""The API: definitions, records, runs, deliveries and access. The endpoints stand in `stagebell.api.routes`."""

from typing import Any

from stagebell.api.application import answer
from stagebell.runtime.observability import observed


@observed
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
