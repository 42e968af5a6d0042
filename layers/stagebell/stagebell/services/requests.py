"""Requests: the same answer to the same POST, however often it arrives (`Idempotency-Key`).

The first answer is kept for 24 hours. An answer that says that we failed is forgotten, so that the same request may be
tried again.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from stagebell.domain.errors import InvalidInput, Problem, StagebellError
from stagebell.ports.access import Requests

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class IdempotencyKeyReused(StagebellError):
    """The Idempotency-Key came before, with another request."""

    code: ClassVar[str] = "idempotency_key_reused"


class RequestInProgress(StagebellError):
    """The first request with this Idempotency-Key is still being answered."""

    code: ClassVar[str] = "request_in_progress"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    body: str
    replayed: bool = False


def fingerprint(*parts: str) -> str:
    """One word for everything that must be the same when a request is repeated."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()


def once(
    requests: Requests, key: str, sameness: str, make: Callable[[], Answer], stored: Callable[[str], str] = str
) -> Answer:
    """The first answer under this key, made now or replayed; `make` answers errors as well, and never raises.

    `stored` turns a body into what may be kept of it: an answer that shows a secret once is kept without."""
    if not _KEY.fullmatch(key):
        raise InvalidInput([Problem("Idempotency-Key", "text", "expected 1 to 255 printable ASCII characters")])
    known = requests.begin(key, sameness)
    if known is None:
        return _first(requests, key, make, stored)
    if known.fingerprint != sameness:
        raise IdempotencyKeyReused(
            "this Idempotency-Key belonged to a different request in the last 24 hours: take a new one"
        )
    if not known.status:
        raise RequestInProgress("the first request with this Idempotency-Key has no answer yet: wait, then ask again")
    return Answer(known.status, known.body, replayed=True)


def _first(requests: Requests, key: str, make: Callable[[], Answer], stored: Callable[[str], str]) -> Answer:
    answer = make()
    if answer.status >= 500:
        requests.forget(key)
    else:
        requests.finish(key, answer.status, stored(answer.body))
    return answer
