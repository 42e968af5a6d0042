"""Whose API key a request carries: for the HTTP API's authorizer (payload 2.0, simple response)."""

from typing import Any

from stagebell.runtime import wiring
from stagebell.runtime.observability import log_outcome, observed
from stagebell.services import access


@observed
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    key = access.verify(wiring.api_keys(), access.bearer(event.get("headers") or {}))
    if key is None:
        log_outcome("key_refused", level="warning")
        return {"isAuthorized": False}
    return {"isAuthorized": True, "context": {"key": key.id, "role": key.role}}
