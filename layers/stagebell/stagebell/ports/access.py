"""Access to the API: its keys, and the requests it has answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from stagebell.ports.pages import Page


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`hash` is that of the secret half; the key itself is shown once and never stored."""

    id: str
    label: str
    role: str
    hash: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    def get(self, id: str) -> ApiKey | None: ...

    def save(self, key: ApiKey) -> None: ...

    def all(self, cursor: str | None = None) -> Page[ApiKey]: ...


@dataclass(frozen=True, slots=True)
class Remembered:
    """The first answer given under an Idempotency-Key; `status` 0 while it is still being made."""

    fingerprint: str
    status: int
    body: str


class Requests(Protocol):
    """Answers by Idempotency-Key, kept for 24 hours."""

    def begin(self, key: str, fingerprint: str) -> Remembered | None:
        """None when the key is new and now ours; else what is remembered under it."""

    def finish(self, key: str, status: int, body: str) -> None: ...

    def forget(self, key: str) -> None: ...
