"""What a function is told and what it answers: JSON within bounds."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from stagebell.domain.errors import DeliveryRejected

PAYLOAD_LIMIT = 1024 * 1024
ANSWER_LIMIT = 256 * 1024


def payload_text(payload: Mapping[str, Any]) -> bytes:
    """Raises DeliveryRejected where it is more than a function can be told."""
    text = json.dumps(payload, ensure_ascii=False).encode()
    if len(text) > PAYLOAD_LIMIT:
        raise DeliveryRejected(f"what the function would be told is {len(text):,} bytes; {PAYLOAD_LIMIT:,} at most")
    return text


def answer_of(text: bytes) -> Any:
    """What a function answered; numbers with a point as Decimal. Raises DeliveryRejected where it is no JSON."""
    if len(text) > ANSWER_LIMIT:
        raise DeliveryRejected(f"the function answered more than {ANSWER_LIMIT:,} bytes")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number) if text else None
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise DeliveryRejected("the function's answer is no JSON that can be read") from error


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")
