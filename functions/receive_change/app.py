"""POST /v1/sources/{source}/changes: a signed webhook becomes queued changes, all of them or none."""

from typing import Any

from stagebell.contracts.problem_documents import problem_response
from stagebell.domain.errors import StagebellError
from stagebell.runtime import wiring
from stagebell.runtime.observability import log_outcome, observed
from stagebell.runtime.webhooks import accepted, webhook


@observed
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    source, headers, body = webhook(event)
    try:
        changes = wiring.receiver().receive(source, headers, body)
    except StagebellError as error:
        log_outcome("changes_refused", level="warning", source=source, code=error.code)
        return problem_response(error)
    log_outcome("changes_accepted", source=source, changes=len(changes))
    return accepted(changes)
