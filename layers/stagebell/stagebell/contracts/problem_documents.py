"""Problem documents (RFC 9457): how an error is told over HTTP.

Standard library only: receive_change answers with these as well, and it imports no pydantic.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from stagebell.domain.errors import InvalidInput, Problem, StagebellError

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


class Kind(NamedTuple):
    """The HTTP status of an error code, and the sentence that is the same for every problem with that code."""

    status: int
    title: str


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "malformed_body": Kind(400, "The request body is not JSON"),
        "signature_rejected": Kind(401, "The signature was not accepted"),
        "unauthenticated": Kind(401, "An API key is needed"),
        "forbidden": Kind(403, "The API key's role does not allow this"),
        "not_found": Kind(404, "Not found"),
        "method_not_allowed": Kind(405, "The path does not know this method"),
        "conflict": Kind(409, "The present state does not allow this"),
        "definition_broken": Kind(409, "A definition does not fit the objects as they are now"),
        "request_in_progress": Kind(409, "The first request with this Idempotency-Key is still being answered"),
        "record_locked": Kind(423, "The record is locked"),
        "body_too_large": Kind(413, "The request body is too large"),
        "idempotency_key_reused": Kind(422, "The Idempotency-Key was used for a different request"),
        "invalid_input": Kind(422, "The request has problems"),
        "invalid_value": Kind(422, "A value breaks its rule"),
        "template_error": Kind(422, "A template is not acceptable"),
        "render_failed": Kind(422, "A template could not be rendered"),
        "recipient_unreachable": Kind(422, "The recipient cannot be reached"),
        "internal_error": Kind(500, "Something went wrong on our side"),
        "channel_misconfigured": Kind(500, "A channel cannot send until its settings are mended"),
        "delivery_rejected": Kind(502, "The provider refused the message"),
        "delivery_unknown": Kind(502, "The provider's answer was lost"),
        "delivery_throttled": Kind(503, "The provider asked us to slow down"),
        "delivery_unavailable": Kind(503, "The provider could not be reached"),
        "queue_unavailable": Kind(503, "Nothing was stored: send the request again"),
        "record_busy": Kind(503, "Others are changing the same thing: send the request again"),
    }
)


def document(code: str, detail: str, problems: Sequence[Problem] = ()) -> dict[str, Any]:
    """One problem document; `type` is a name, not an address, so that it is the same in every deployment."""
    kind = KINDS[code]
    told: dict[str, Any] = {
        "type": f"urn:stagebell:problem:{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": code,
    }
    if problems:
        told["problems"] = [{"path": p.path, "rule": p.rule, "message": p.message} for p in problems]
    return told


def document_of(error: Exception) -> dict[str, Any]:
    """The problem document of an error. One that has no status of its own tells nothing of our insides."""
    if not isinstance(error, StagebellError) or error.code == "internal_error" or error.code not in KINDS:
        return document("internal_error", "The error has been logged; try again, then ask your operator.")
    return document(error.code, error.message, error.problems if isinstance(error, InvalidInput) else ())


def response(told: Mapping[str, Any], headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """The HTTP API's response (payload 2.0) that carries a problem document."""
    status = told["status"]
    retry = {"retry-after": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    return {
        "statusCode": status,
        "headers": {"content-type": CONTENT_TYPE, "cache-control": "no-store", **retry, **headers},
        "body": json.dumps(told, separators=(",", ":")),  # ASCII: a detail may quote half a character
        "isBase64Encoded": False,
    }


def problem_response(error: Exception, headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """The HTTP API's response (payload 2.0) to a request that failed with this error."""
    return response(document_of(error), headers)
