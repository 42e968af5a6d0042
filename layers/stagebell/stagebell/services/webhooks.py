"""Webhooks out: one JSON body, signed as Standard Webhooks 1.0.0 says, and what the receiver's answer means.

The id is that of the message, the same at every attempt; the timestamp is that of the attempt.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from stagebell.domain import signatures
from stagebell.domain.errors import (
    DeliveryRejected,
    DeliveryThrottled,
    DeliveryUnavailable,
    RenderFailed,
    StagebellError,
)
from stagebell.domain.fields import short_instant
from stagebell.ports.calls import Posted, Poster
from stagebell.ports.clock import Clock

BODY_LIMIT = 256 * 1024
GONE = 410
_LATER = (408, 425)  # the receiver asks for the same request again
_OUTSIDE_TYPES = re.compile(r"[^A-Za-z0-9_.]")


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Posts messages. Signatures carry real time, whatever the clock of the stack says."""

    poster: Poster
    clock: Clock

    def post(self, url: str, id: str, body: bytes, secrets: Sequence[str]) -> Posted:
        """One attempt, signed with each of the secrets. Raises as Poster.post."""
        seconds = int(self.clock.real_now().timestamp())
        headers = {
            "content-type": "application/json",
            signatures.ID_HEADER: id,
            signatures.TIMESTAMP_HEADER: str(seconds),
            signatures.SIGNATURE_HEADER: " ".join(signatures.sign(id, seconds, body, secret) for secret in secrets),
        }
        return self.poster.post(url, headers, body)


def refusal(posted: Posted) -> StagebellError | None:
    """What an answer other than 2xx means; None where the message was taken."""
    status, wait = posted.status, posted.retry_after
    if 200 <= status < 300:
        return None
    if status == 429 or (status == 503 and wait is not None):
        when = f", and wants nothing for {wait} seconds" if wait is not None else ""
        return DeliveryThrottled(f"the receiver answered {status}{when}")
    if status >= 500 or status in _LATER:
        return DeliveryUnavailable(f"the receiver answered {status}")
    if status == GONE:
        return DeliveryRejected("the receiver answered 410: the address is gone, and nothing more is posted to it")
    if 300 <= status < 400:
        return DeliveryRejected(f"the receiver answered {status}: redirects are not followed, name the final address")
    return DeliveryRejected(f"the receiver answered {status}: it does not take this message")


def message(type: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """A body as Standard Webhooks recommend it; what a type may not hold becomes `_`."""
    return {"type": _OUTSIDE_TYPES.sub("_", type), "timestamp": short_instant(at), "data": dict(data)}


def encoded(body: Mapping[str, Any]) -> bytes:
    """The bytes that are signed and posted. Raises RenderFailed for more than 256 KiB."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_number).encode()
    if len(text) > BODY_LIMIT:
        raise RenderFailed(f"the body came out with {len(text):,} bytes; the limit is {BODY_LIMIT:,}")
    return text


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return int(value) if value == value.to_integral_value() else float(value)
