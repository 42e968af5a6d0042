"""Access: API keys and the roles they carry.

A key reads `sbk_<id>_<secret>`. The secret has 256 random bits, so one round of SHA-256 protects it as well as a slow
hash would: nobody can try them out.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal, NamedTuple

from stagebell.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Problem
from stagebell.ports.access import ApiKey, ApiKeys
from stagebell.ports.definitions import Definitions
from stagebell.ports.secrets import Secrets

type Role = Literal["viewer", "integrator", "operator", "admin"]

ROLES: tuple[Role, ...] = ("viewer", "integrator", "operator", "admin")
"""Each may do what those before it may."""

LABEL_LIMIT = 100
_KEY = re.compile(r"sbk_([0-9a-f]{16})_([0-9a-f]{64})")


class NewKey(NamedTuple):
    """A key as it was stored, and its text, which nobody can read again."""

    stored: ApiKey
    text: str


def create(keys: ApiKeys, label: str, role: str, now: datetime) -> NewKey:
    """Make and store a key. Raises InvalidInput for an unknown role or a label that is none."""
    problems = []
    if not 1 <= len(label.strip()) <= LABEL_LIMIT or not label.isprintable():
        problems.append(Problem("label", "text", f"expected 1 to {LABEL_LIMIT} printable characters"))
    if role not in ROLES:
        problems.append(Problem("role", "choice", f"expected one of {', '.join(ROLES)}"))
    if problems:
        raise InvalidInput(problems)
    secret = secrets.token_hex(32)
    stored = ApiKey(secrets.token_hex(8), label.strip(), role, hashed(secret), now)
    keys.save(stored)
    return NewKey(stored, f"sbk_{stored.id}_{secret}")


def bearer(headers: Mapping[str, str]) -> str:
    """The text of the key a request carries; empty where it carries none."""
    told = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    scheme, _, text = told.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def verify(keys: ApiKeys, text: str) -> ApiKey | None:
    """The key this text is, if it is one, its secret is right, and it has not been revoked."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    stored = keys.get(match[1])
    if stored is None or stored.revoked_at is not None:
        return None
    return stored if hmac.compare_digest(stored.hash, hashed(match[2])) else None


def revoke(keys: ApiKeys, id: str, by: str, now: datetime) -> None:
    """End a key; ending it twice is harmless. A key cannot end itself, so that one admin key always remains."""
    stored = keys.get(id)
    if stored is None:
        raise NotFound(f"there is no API key {id}")
    if id == by:
        raise Conflict("a key cannot revoke itself: use another admin key")
    if stored.revoked_at is None:
        keys.save(replace(stored, revoked_at=now))


def demand(role: str, needed: Role) -> None:
    """Raises Forbidden unless the role may do what the needed one may."""
    if role not in ROLES or ROLES.index(role) < ROLES.index(needed):
        raise Forbidden(f"this needs the role {needed}; the API key's role is {role}")


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def rotate(definitions: Definitions, secrets_of: Secrets, source: str) -> str:
    """A new signing secret for a source, active beside the newest old one. Raises NotFound for an unknown source."""
    if definitions.head("source", source) is None:
        raise NotFound(f"there is no source {source}: put its definition first")
    return secrets_of.rotate(source)


def rotate_webhook(secrets_of: Secrets, name: str) -> str:
    """A new secret of outgoing webhooks, active beside the newest old one; the first one makes the name."""
    return secrets_of.rotate_webhook(name)
