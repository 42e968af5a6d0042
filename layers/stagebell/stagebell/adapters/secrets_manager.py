"""Signing secrets in Secrets Manager: one secret per source or webhook name, `{"secrets": [newest, older]}`."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.domain.errors import (
    ChannelMisconfigured,
    Conflict,
    DeliveryUnavailable,
    InvalidValue,
    NotFound,
    QueueUnavailable,
)
from stagebell.domain.signatures import key_of, new_secret
from stagebell.ports.clock import Clock

KEPT = timedelta(minutes=5)
KEPT_AT_LEAST = timedelta(seconds=30)  # so a flood of bad signatures or unknown sources does not become one of calls
_NAMES_KEPT = 1_000
_ACTIVE = 2
_SECRET_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9_+=.@-]{1,256}")


@dataclass(frozen=True, slots=True)
class _Cached:
    secrets: tuple[str, ...]
    read_at: datetime


class Prefixes(Protocol):
    """How the names of secrets begin; a function is told only of those that it reads."""

    @property
    def sources(self) -> str: ...

    @property
    def webhooks(self) -> str: ...


class SecretsManagerSecrets:
    """`client` is a botocore `secretsmanager` client; a secret is called prefix + name.

    Secrets are remembered for five minutes per process, for 30 seconds where there are none."""

    def __init__(
        self, client: Any, prefixes: Prefixes, clock: Clock, random: Callable[[int], bytes] = token_bytes
    ) -> None:
        self._sources = _Shelf(client, "source", lambda: prefixes.sources, clock, random)
        self._webhooks = _Shelf(client, "webhook", lambda: prefixes.webhooks, clock, random)

    def of_source(self, source: str, *, fresh: bool = False) -> tuple[str, ...]:
        """`fresh` reads again, at most every 30 seconds. QueueUnavailable where the secrets cannot be read."""
        try:
            return self._sources.read(source, fresh=fresh)
        except _Unreadable as error:
            raise QueueUnavailable(f"{error}: send the same request again") from error

    def of_webhook(self, name: str) -> tuple[str, ...]:
        """DeliveryUnavailable where the secrets cannot be read: nothing can be signed, so nothing is sent."""
        try:
            return self._webhooks.read(name)
        except _Unreadable as error:
            raise DeliveryUnavailable(f"{error}; nothing was sent") from error

    def rotate(self, source: str) -> str:
        return self._sources.rotate(source)

    def rotate_webhook(self, name: str) -> str:
        return self._webhooks.rotate(name)


class _Unreadable(Exception):
    """Secrets Manager did not say; this never leaves the module."""


class _Shelf:
    """The secrets under one prefix. `whose` is what a name names."""

    def __init__(
        self, client: Any, whose: str, prefix: Callable[[], str], clock: Clock, random: Callable[[int], bytes]
    ) -> None:
        self._client, self._whose, self._prefix = client, whose, prefix
        self._clock, self._random = clock, random
        self._cache: dict[str, _Cached] = {}

    def read(self, name: str, *, fresh: bool = False) -> tuple[str, ...]:
        if not _NAME.fullmatch(name):
            return ()
        now = self._clock.real_now()
        cached = self._cache.get(name)
        if cached is not None:
            kept = KEPT_AT_LEAST if fresh or not cached.secrets else KEPT
            if now - cached.read_at < kept:
                return cached.secrets
        try:
            secrets = self._stored(name)
        except (BotoCoreError, ClientError) as error:
            raise _Unreadable(f"the secrets of {self._whose} {name} could not be read ({_reason(error)})") from error
        return self._remember(name, secrets or ())

    def rotate(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise NotFound(f"no {self._whose} can be called '{name}'")
        made = new_secret(self._random(_SECRET_BYTES))
        try:
            old = self._stored(name)
            secrets = (made, *(old or ()))[:_ACTIVE]
            self._write(name, secrets, exists=old is not None)
        except (BotoCoreError, ClientError) as error:
            raise Conflict(f"the secret of {self._whose} {name} could not be changed: {_reason(error)}") from error
        self._remember(name, secrets)
        return made

    def _stored(self, name: str) -> tuple[str, ...] | None:
        full = self._prefix() + name
        try:
            answer = self._client.get_secret_value(SecretId=full)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise
        return _parse(full, answer.get("SecretString", ""))

    def _write(self, name: str, secrets: tuple[str, ...], *, exists: bool) -> None:
        full, text = self._prefix() + name, json.dumps({"secrets": secrets})
        if exists:
            self._client.put_secret_value(SecretId=full, SecretString=text)
        else:
            description = f"Signing secrets of {self._whose} {name}, newest first"
            self._client.create_secret(Name=full, SecretString=text, Description=description)

    def _remember(self, name: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
        if len(self._cache) >= _NAMES_KEPT:
            self._cache.clear()
        self._cache[name] = _Cached(secrets, self._clock.real_now())
        return secrets


def _parse(name: str, text: str) -> tuple[str, ...]:
    try:
        secrets = tuple(json.loads(text)["secrets"])
        for secret in secrets:
            key_of(secret)
    except (ValueError, KeyError, TypeError, AttributeError, InvalidValue):
        # Without the cause: its text may hold the secret.
        wanted = '{"secrets": ["whsec_…"]}'
        raise ChannelMisconfigured(f"the secret {name} does not hold {wanted}: rotate it") from None
    return secrets[:_ACTIVE]


def _reason(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        return f"{answer.get('Code')}: {answer.get('Message')}"
    return type(error).__name__
