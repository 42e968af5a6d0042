"""What the OpenAPI document says of the webhook, which is served by receive_change and not by the resolver."""

from typing import Any

from stagebell.domain.changes import CHANGES_PER_REQUEST, MODES, TYPES

CHANGES_PATH = "/v1/sources/{source}/changes"

_VALUES = {"type": "object", "additionalProperties": True, "description": "Field values by name"}
_CHANGE = {
    "type": "object",
    "title": "ReportedChange",
    "description": "One created, updated or deleted record",
    "required": ["object", "id", "type", "occurred_at"],
    "additionalProperties": False,
    "properties": {
        "object": {"type": "string", "examples": ["deal"]},
        "id": {"type": ["string", "integer"], "examples": ["deal-7"]},
        "type": {"type": "string", "enum": list(TYPES)},
        "occurred_at": {
            "type": "string",
            "format": "date-time",
            "description": "When it happened, with an offset; at most 5 minutes ahead of us",
        },
        "fields": _VALUES | {"examples": [{"stage": "Quotation in progress", "amount": "12500.00"}]},
        "previous": _VALUES | {"description": "Values before, for fields we may not know yet"},
        "sequence": {
            "type": "integer",
            "minimum": 0,
            "description": "Orders changes of the same instant",
        },
        "actor": {"type": ["string", "integer"], "description": "Who did it"},
        "change_id": {
            "type": "string",
            "maxLength": 256,
            "description": "The change's own id; absent, it is made from webhook-id. An id is applied once",
        },
        "mode": {
            "type": "string",
            "enum": list(MODES),
            "default": "run",
            "description": "`quiet` sends nothing, `record_only` starts nothing",
        },
        "causes": {
            "type": "array",
            "items": {"type": "string", "pattern": "^run_[0-9a-f]{32}$"},
            "description": "The `causes` of the write-back that this change follows from, unchanged",
        },
    },
}
_EXAMPLE = {
    "object": "deal",
    "id": "deal-7",
    "type": "updated",
    "occurred_at": "2026-03-02T09:15:00Z",
    "fields": {"stage": "Salesperson not assigned"},
}
SCHEMAS: dict[str, Any] = {
    "ReportedChange": _CHANGE,
    "ReportedChanges": {
        "oneOf": [
            {"$ref": "#/components/schemas/ReportedChange"},
            {
                "type": "array",
                "minItems": 1,
                "maxItems": CHANGES_PER_REQUEST,
                "items": {"$ref": "#/components/schemas/ReportedChange"},
            },
        ]
    },
    "AcceptedChanges": {
        "type": "object",
        "required": ["changes"],
        "properties": {
            "changes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Ids under which the record's history shows them",
                "examples": [["erp:msg_2"]],
            }
        },
    },
}


def _signature_header(name: str, description: str, example: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


RECEIVE_CHANGES: dict[str, Any] = {
    "tags": ["webhooks"],
    "operationId": "receive_changes",
    "summary": "Report changes",
    "description": (
        f"One change, or a list of at most {CHANGES_PER_REQUEST}: all are taken, or none. Signed as Standard Webhooks "
        "say (HMAC-SHA256 over `id.timestamp.body` with the source's secret); two secrets are valid while one is "
        "replaced. A request may be sent again: an id is applied once."
    ),
    "security": [],
    "parameters": [
        {
            "name": "source",
            "in": "path",
            "required": True,
            "description": "The name of an active source",
            "schema": {"type": "string"},
            "example": "erp",
        },
        _signature_header("webhook-id", "Unique per message, the same when it is sent again", "msg_2"),
        _signature_header("webhook-timestamp", "Unix seconds, at most 5 minutes away from now", "1772442900"),
        _signature_header("webhook-signature", "One or more signatures, separated by spaces", "v1,K5oZfzN95Z9UVu1E…="),
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ReportedChanges"},
                "examples": {"one": {"value": _EXAMPLE}, "several": {"value": [_EXAMPLE]}},
            }
        },
    },
    "responses": {
        "202": {
            "description": "The changes are queued",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AcceptedChanges"}}},
        }
    },
}
