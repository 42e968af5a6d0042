"""Signed webhooks as Standard Webhooks 1.0.0 describes them, symmetric (`v1`) only.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from stagebell.domain.errors import InvalidValue, SignatureRejected

TOLERANCE = 300  # seconds, both ways
ID_LIMIT = 255
ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)
_ID = re.compile(r"[^.\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> str:
    """The webhook-id of an authentic request; header names are in lower case, `now` is real time.

    Raises SignatureRejected, whose message tells the sender what to mend."""
    id, timestamp, signatures = (_header(headers, n) for n in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER))
    _check_age(timestamp, now)
    if len(id) > ID_LIMIT or not _ID.fullmatch(id):
        limits = f"1 to {ID_LIMIT} characters without '.' and control characters"
        raise SignatureRejected(f"the header {ID_HEADER} must be {limits}")
    if not secrets:
        raise SignatureRejected("no secret is configured for this source: make one, then sign with it")
    if not _any_matches(signatures, [_signature(id, timestamp, body, key_of(secret)) for secret in secrets]):
        raise SignatureRejected(
            f"no v1 signature in {SIGNATURE_HEADER} fits the body: sign '<id>.<timestamp>.<body>' over the exact bytes "
            "of the body with this source's secret"
        )
    return id


def sign(id: str, timestamp: int, body: bytes, secret: str) -> str:
    """One entry of the header webhook-signature; `timestamp` is unix seconds."""
    return "v1," + _signature(id, str(timestamp), body, key_of(secret)).decode()


def new_secret(random: bytes) -> str:
    """A secret as it is shown to people, from 24 to 64 random bytes."""
    _check_length(random)
    return _PREFIX + base64.b64encode(random).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret; InvalidValue, without the secret, where it is none."""
    if not secret.startswith(_PREFIX):
        raise InvalidValue(f"a webhook secret starts with {_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidValue(f"a webhook secret is {_PREFIX} and base64") from error
    _check_length(key)
    return key


def _check_length(key: bytes) -> None:
    if len(key) not in _KEY_BYTES:
        raise InvalidValue(f"a webhook secret holds {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes, not {len(key)}")


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise SignatureRejected(f"the header {name} is missing")
    return value


def _check_age(timestamp: str, now: datetime) -> None:
    if not _SECONDS.fullmatch(timestamp):
        raise SignatureRejected(f"the header {TIMESTAMP_HEADER} must be unix time in whole seconds")
    age = now.timestamp() - int(timestamp)
    if abs(age) > TOLERANCE:
        where = "old" if age > 0 else "in the future"
        raise SignatureRejected(
            f"the header {TIMESTAMP_HEADER} is {_span(abs(age))} {where}, the limit is 5 minutes: sign each attempt "
            "anew and check the sender's clock"
        )


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _signature(id: str, timestamp: str, body: bytes, key: bytes) -> bytes:
    signed = b".".join((id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def _any_matches(header: str, expected: Sequence[bytes]) -> bool:
    """Compares every entry with every signature, so that the time taken tells nothing about which one fits."""
    entries = (entry.partition(",") for entry in header.split())
    given = [value.encode("utf-8", "replace") for version, _, value in entries if version == "v1"]
    return True in [hmac.compare_digest(value, signature) for value in given for signature in expected]
