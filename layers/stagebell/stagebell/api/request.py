"""Requests: one HTTP API event (payload 2.0), checked before anything looks at its content."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from stagebell.domain.errors import BodyTooLarge, MalformedBody, StagebellError
from stagebell.services.receive import BODY_LIMIT, parse_json

_ROUTABLE = "/%-._~()'!*:@,;=+&$"
_WITH_BODY = ("POST", "PUT", "PATCH")


class Unauthenticated(StagebellError):
    """The gateway has let a request through without saying whose it is."""

    code: ClassVar[str] = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose API key it is."""

    key: str
    role: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is needed of an event before it is routed; `event` is what the resolver gets, with a plain JSON body."""

    method: str
    path: str
    query: str
    body: str
    idempotency_key: str | None
    event: dict[str, Any]

    @property
    def caller(self) -> Caller:
        return caller_of(self.event)


def caller_of(event: Mapping[str, Any]) -> Caller:
    """What the authorizer said. Raises Unauthenticated where it said nothing."""
    said = (event["requestContext"].get("authorizer") or {}).get("lambda") or {}
    if not said.get("key"):
        raise Unauthenticated("send an API key: `Authorization: Bearer sbk_…`")
    return Caller(str(said["key"]), str(said.get("role", "")))


def read(event: Mapping[str, Any]) -> Request:
    """Raises BodyTooLarge and MalformedBody. A body is read as JSON whatever its content type says."""
    method = str(event["requestContext"]["http"]["method"]).upper()
    path = quote(_without_stage(event), safe=_ROUTABLE)
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = _body(event) if method in _WITH_BODY else ""
    plain = {
        **event,
        "rawPath": path,
        "headers": {**headers, "content-type": "application/json"},
        "body": body or None,
        "isBase64Encoded": False,
        "requestContext": {**event["requestContext"], "stage": "$default"},
    }
    return Request(method, path, event.get("rawQueryString") or "", body, headers.get("idempotency-key"), plain)


def _without_stage(event: Mapping[str, Any]) -> str:
    stage = event["requestContext"].get("stage") or "$default"
    path = str(event["rawPath"])
    return path.removeprefix(f"/{stage}") if path.startswith(f"/{stage}/") else path


def _body(event: Mapping[str, Any]) -> str:
    raw = _bytes(event)
    if len(raw) > BODY_LIMIT:
        raise BodyTooLarge(f"the body is {len(raw):,} bytes; the limit is {BODY_LIMIT:,}")
    if not raw.strip():
        return ""
    document = parse_json(raw)
    if not isinstance(document, dict):
        raise MalformedBody("the body must be a JSON object")
    if b"\\u" in raw:
        _refuse_half_characters(document)
    return raw.decode("utf-8-sig")


def _refuse_half_characters(document: object) -> None:
    try:
        json.dumps(document, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise MalformedBody("a text holds half of a surrogate pair") from error


def _bytes(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeError) as error:
        raise MalformedBody("the body is not text in UTF-8") from error
