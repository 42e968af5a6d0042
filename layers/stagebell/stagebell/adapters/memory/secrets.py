"""Secrets of sources in memory."""

import base64
from collections.abc import Iterable, Mapping
from secrets import token_bytes


class MemorySecrets:
    """Newest first, at most two."""

    def __init__(self, secrets: Mapping[str, Iterable[str]] | None = None) -> None:
        self._secrets = {source: tuple(active)[:2] for source, active in (secrets or {}).items()}

    def of_source(self, source: str, *, fresh: bool = False) -> tuple[str, ...]:
        return self._secrets.get(source, ())

    def rotate(self, source: str) -> str:
        secret = "whsec_" + base64.b64encode(token_bytes(32)).decode()
        self._secrets[source] = (secret, *self.of_source(source)[:1])
        return secret
