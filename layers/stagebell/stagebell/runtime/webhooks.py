"""Webhook requests and answers in the shapes of API Gateway (HTTP API, payload 2.0)."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any


def webhook(event: Mapping[str, Any]) -> tuple[str, Mapping[str, str], bytes]:
    """The source's name, the headers in lower case, and the body's very bytes, as they were signed."""
    source = (event.get("pathParameters") or {}).get("source", "")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return source, headers, _body(event)


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def accepted(changes: Sequence[str]) -> dict[str, Any]:
    """202: the changes are queued; their ids find them in the record's history."""
    body = json.dumps({"changes": list(changes)}, ensure_ascii=False)
    return {"statusCode": 202, "headers": {"content-type": "application/json"}, "body": body}
