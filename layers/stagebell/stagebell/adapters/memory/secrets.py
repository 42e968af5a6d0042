"""Signing secrets in memory."""

import base64
from collections.abc import Iterable, Mapping
from secrets import token_bytes

type Given = Mapping[str, Iterable[str]]


class MemorySecrets:
    """Newest first, at most two. `secrets` are those of sources. With `ready` every webhook has one when it is asked
    for: a history can be gone through without secrets."""

    def __init__(self, secrets: Given | None = None, webhooks: Given | None = None, *, ready: bool = False) -> None:
        self._sources, self._webhooks = _latest(secrets), _latest(webhooks)
        self.ready = ready

    def of_source(self, source: str, *, fresh: bool = False) -> tuple[str, ...]:
        return self._sources.get(source, ())

    def of_webhook(self, name: str) -> tuple[str, ...]:
        if self.ready and name not in self._webhooks:
            self.rotate_webhook(name)
        return self._webhooks.get(name, ())

    def rotate(self, source: str) -> str:
        return _rotated(self._sources, source)

    def rotate_webhook(self, name: str) -> str:
        return _rotated(self._webhooks, name)


def _latest(given: Given | None) -> dict[str, tuple[str, ...]]:
    return {name: tuple(active)[:2] for name, active in (given or {}).items()}


def _rotated(secrets: dict[str, tuple[str, ...]], name: str) -> str:
    made = "whsec_" + base64.b64encode(token_bytes(32)).decode()
    secrets[name] = (made, *secrets.get(name, ())[:1])
    return made
