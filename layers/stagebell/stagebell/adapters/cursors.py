"""Cursors: where a listing goes on, as opaque text that only fits the query it came from."""

import base64
import hashlib
import json
from typing import Any

from stagebell.domain.errors import InvalidInput, Problem

_LIMIT = 4_096


def write_cursor(query: str, position: Any) -> str:
    """`position` is JSON-ready; `query` names the listing and all its parameters."""
    text = json.dumps([_mark(query), position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(query: str, cursor: str) -> Any:
    """The position. Raises InvalidInput for broken text and for the cursor of another query."""
    try:
        mark, position = json.loads(base64.urlsafe_b64decode(_padded(cursor)))
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused("this is no cursor: take it from the page before, unchanged") from error
    if mark != _mark(query):
        raise _refused("this cursor belongs to another query: start again without one")
    return position


def _padded(cursor: str) -> bytes:
    if len(cursor) > _LIMIT:
        raise ValueError("too long")
    return (cursor + "=" * (-len(cursor) % 4)).encode("ascii")


def _mark(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:12]


def _refused(message: str) -> InvalidInput:
    return InvalidInput([Problem("cursor", "cursor", message)])
