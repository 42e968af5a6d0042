"""API keys and remembered answers in memory."""

from typing import NamedTuple

from stagebell.adapters.memory.pages import PAGE_SIZE, page_of
from stagebell.adapters.retention import ANSWERS, IN_PROGRESS, expiry
from stagebell.ports.access import ApiKey, Remembered
from stagebell.ports.clock import Clock
from stagebell.ports.pages import Page


class MemoryApiKeys:
    def __init__(self, *, page_size: int = PAGE_SIZE) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._page_size = page_size

    def get(self, id: str) -> ApiKey | None:
        return self._keys.get(id)

    def save(self, key: ApiKey) -> None:
        self._keys[key.id] = key

    def all(self, cursor: str | None = None) -> Page[ApiKey]:
        keys = self._keys.values()
        return page_of(keys, lambda k: (k.id,), "api keys", cursor, size=self._page_size, newest_first=False)


class _Entry(NamedTuple):
    answer: Remembered
    expires_at: int


class MemoryRequests:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[str, _Entry] = {}

    def begin(self, key: str, fingerprint: str) -> Remembered | None:
        entry = self._answers.get(key)
        if entry is not None and entry.expires_at > self._clock.real_now().timestamp():
            return entry.answer
        self._answers[key] = _Entry(Remembered(fingerprint, 0, ""), expiry(self._clock, IN_PROGRESS))
        return None

    def finish(self, key: str, status: int, body: str) -> None:
        entry = self._answers.get(key)
        if entry is not None:
            answer = Remembered(entry.answer.fingerprint, status, body)
            self._answers[key] = _Entry(answer, expiry(self._clock, ANSWERS))

    def forget(self, key: str) -> None:
        self._answers.pop(key, None)
