"""The OpenAPI document: what the resolver knows of the endpoints, and what it does not (errors, roles, webhooks).

`python -m stagebell.api.openapi` prints it; docs/reference/openapi.json is that, and a test holds the two together.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from stagebell.api.application import ENDPOINTS, resolver
from stagebell.api.endpoints import WITH_IDEMPOTENCY, Endpoint
from stagebell.api.webhook_reference import CHANGES_PATH, RECEIVE_CHANGES, SCHEMAS
from stagebell.contracts.problem_documents import CONTENT_TYPE, KINDS
from stagebell.contracts.problem_documents import document as problem
from stagebell.runtime.version import VERSION

DESCRIPTION = """\
Record changes come in as signed webhooks; definitions say what follows; runs and deliveries show what did.

Every call but the webhook, the health check and this document carries an API key: `Authorization: Bearer sbk_…`.
Keys have roles, and each role may do what those before it may: viewer, integrator, operator, admin.
A missing or unknown key is refused by the gateway itself, with 401 or 403 and `{"message": …}`.

Errors are problem documents (RFC 9457) with a stable `code`, and with every problem of the input at once.
Listings come in pages: give the `cursor` of one back to get the next.
A POST or PATCH may carry an `Idempotency-Key` (1 to 255 printable characters): its first answer is kept for 24 hours,
and given again with `Idempotency-Replayed: true`; an answer of 5xx is forgotten.
"""
TAGS = {
    "definitions": "Everything operators write, from objects to scenarios: versioned, draft or active",
    "records": "The mirrors of the CRM's records, and everything that happened to them",
    "follow-ups": "Tasks, calendar events and sales records about records",
    "runs": "Workflows and scenarios at work on records",
    "deliveries": "Messages and what became of them",
    "write-backs": "Sources being told what was changed here",
    "inbox": "What users were told, and what they have read of it",
    "access": "API keys and signing secrets",
    "webhooks": "Changes coming in",
    "service": "The API itself",
}
_EVERYWHERE = ("internal_error",)
_WITH_KEY = ("forbidden",)
_WITH_BODY = ("malformed_body", "body_too_large")
_WITH_IDEMPOTENCY = ("idempotency_key_reused", "request_in_progress")

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes the request safe to repeat",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "2f1c6a52-6a53-4c0d-9a34-6a3f3f9b3a10",
}
PROBLEM_SCHEMA = {
    "type": "object",
    "title": "ProblemDocument",
    "description": "An error (RFC 9457)",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:stagebell:problem:not_found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(KINDS)},
        "problems": {
            "type": "array",
            "description": "Everything that is wrong with the input, at once",
            "items": {
                "type": "object",
                "required": ["path", "rule", "message"],
                "properties": {
                    "path": {"type": "string", "examples": ["steps[0].at.after"]},
                    "rule": {"type": "string", "examples": ["required"]},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


@cache
def document() -> dict[str, Any]:
    """The document as JSON-ready values, always in the same order."""
    schema = resolver().get_openapi_schema(title="Stagebell", version=VERSION, description=DESCRIPTION)
    made: dict[str, Any] = json.loads(schema.model_dump_json(by_alias=True, exclude_none=True))
    for endpoint in ENDPOINTS:
        if endpoint.listed:
            _complete(endpoint, made["paths"][endpoint.path][endpoint.method.lower()])
    made["paths"][CHANGES_PATH] = {"post": RECEIVE_CHANGES | {"responses": _webhook_responses()}}
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    made.pop("servers", None)
    schemas = made["components"]["schemas"]
    for leftover in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(leftover, None)
    schemas |= SCHEMAS | {"ProblemDocument": PROBLEM_SCHEMA}
    made["components"] = {
        "schemas": dict(sorted(schemas.items())),
        "examples": {code: {"value": problem(code, "What happened, and what to do")} for code in sorted(KINDS)},
        "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "sbk_<id>_<secret>"}},
    }
    made["paths"] = dict(sorted(made["paths"].items()))
    return made


def _complete(endpoint: Endpoint, operation: dict[str, Any]) -> None:
    answered = operation["responses"].get(str(endpoint.status)) or operation["responses"].get("200")
    done = {"description": "Done"} if endpoint.status == 204 else {"description": "OK", "content": answered["content"]}
    operation["responses"] = {str(endpoint.status): done} | _responses(_codes(endpoint, operation))
    operation["security"] = [] if endpoint.role is None else [{"apiKey": []}]
    if endpoint.role is not None:
        operation["x-role"] = endpoint.role
        said = operation.get("description", "")
        operation["description"] = f"{said}\n\nNeeds the role {endpoint.role}.".lstrip()
    if endpoint.method in WITH_IDEMPOTENCY:
        operation["parameters"] = [*operation.get("parameters", []), IDEMPOTENCY_KEY]


def _codes(endpoint: Endpoint, operation: Mapping[str, Any]) -> Iterator[str]:
    yield from endpoint.problems
    yield from _EVERYWHERE
    if endpoint.role is not None:
        yield from _WITH_KEY
    if operation.get("parameters") or "requestBody" in operation:
        yield "invalid_input"
    if endpoint.method in ("POST", "PUT", "PATCH"):
        yield from _WITH_BODY
    if endpoint.method in WITH_IDEMPOTENCY:
        yield from _WITH_IDEMPOTENCY


def _webhook_responses() -> dict[str, Any]:
    codes = ("signature_rejected", "not_found", "invalid_input", "queue_unavailable", *_WITH_BODY, *_EVERYWHERE)
    told: dict[str, Any] = RECEIVE_CHANGES["responses"]
    return told | _responses(codes)


def _responses(codes: Iterator[str] | tuple[str, ...]) -> dict[str, Any]:
    """One response per status, with an example per code."""
    found: dict[str, Any] = {}
    for code in sorted(set(codes), key=lambda code: (KINDS[code].status, code)):
        status = str(KINDS[code].status)
        response = found.setdefault(
            status,
            {
                "description": "",
                "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}, "examples": {}}},
            },
        )
        response["description"] = "; ".join(filter(None, (response["description"], KINDS[code].title)))
        response["content"][CONTENT_TYPE]["examples"][code] = {"$ref": f"#/components/examples/{code}"}
    return found


def text() -> str:
    """The document as it is kept in docs/reference."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
