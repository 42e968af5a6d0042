"""Webhook secrets of sources in Secrets Manager: one secret per source, `{"secrets": [newest, older]}`."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.domain.errors import ChannelMisconfigured, Conflict, InvalidValue, NotFound, QueueUnavailable
from stagebell.domain.signatures import key_of, new_secret
from stagebell.ports import Clock

KEPT = timedelta(minutes=5)
KEPT_AT_LEAST = timedelta(seconds=30)  # so a flood of bad signatures or unknown sources does not become one of calls
_SOURCES_KEPT = 1_000
_ACTIVE = 2
_SECRET_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9_+=.@-]{1,256}")


@dataclass(frozen=True, slots=True)
class _Cached:
    secrets: tuple[str, ...]
    read_at: datetime


class SecretsManagerSecrets:
    """`client` is a botocore `secretsmanager` client; the name of a secret is `prefix` + source.

    Secrets are remembered for five minutes per process, for 30 seconds where there are none."""

    def __init__(self, client: Any, prefix: str, clock: Clock, random: Callable[[int], bytes] = token_bytes) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._random = random
        self._cache: dict[str, _Cached] = {}

    def of_source(self, source: str, *, fresh: bool = False) -> tuple[str, ...]:
        """`fresh` reads again, at most every 30 seconds. QueueUnavailable where the secrets cannot be read."""
        if not _NAME.fullmatch(source):
            return ()
        now = self._clock.real_now()
        cached = self._cache.get(source)
        if cached is not None:
            kept = KEPT_AT_LEAST if fresh or not cached.secrets else KEPT
            if now - cached.read_at < kept:
                return cached.secrets
        try:
            secrets = self._read(source)
        except (BotoCoreError, ClientError) as error:
            told = f"the secrets of source {source} could not be read ({_reason(error)}): send the same request again"
            raise QueueUnavailable(told) from error
        return self._remember(source, secrets or ())

    def rotate(self, source: str) -> str:
        if not _NAME.fullmatch(source):
            raise NotFound(f"no source can be called '{source}'")
        made = new_secret(self._random(_SECRET_BYTES))
        try:
            old = self._read(source)
            secrets = (made, *(old or ()))[:_ACTIVE]
            self._write(source, secrets, exists=old is not None)
        except (BotoCoreError, ClientError) as error:
            raise Conflict(f"the secret of source {source} could not be changed: {_reason(error)}") from error
        self._remember(source, secrets)
        return made

    def _read(self, source: str) -> tuple[str, ...] | None:
        name = self._prefix + source
        try:
            answer = self._client.get_secret_value(SecretId=name)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise
        return _parse(name, answer.get("SecretString", ""))

    def _write(self, source: str, secrets: tuple[str, ...], *, exists: bool) -> None:
        name, text = self._prefix + source, json.dumps({"secrets": secrets})
        if exists:
            self._client.put_secret_value(SecretId=name, SecretString=text)
        else:
            description = f"Webhook secrets of source {source}, newest first"
            self._client.create_secret(Name=name, SecretString=text, Description=description)

    def _remember(self, source: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
        if len(self._cache) >= _SOURCES_KEPT:
            self._cache.clear()
        self._cache[source] = _Cached(secrets, self._clock.real_now())
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
