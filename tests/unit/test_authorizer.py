"""The authorizer: says whose key it is, or nothing; and never logs the key."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.authorizer.app import lambda_handler
from stagebell.adapters.memory.access import MemoryApiKeys
from stagebell.ports.access import ApiKey
from stagebell.runtime import wiring
from stagebell.services import access
from tests.unit.api_calls import Context

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVENT = Path(__file__).parents[2] / "events" / "api" / "authorize.json"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> MemoryApiKeys:
    kept = MemoryApiKeys()
    monkeypatch.setattr(wiring, "api_keys", lambda: kept)
    return kept


def ask(authorization: str | None) -> dict[str, Any]:
    event = json.loads(EVENT.read_text())
    del event["headers"]["authorization"]
    if authorization is not None:
        event["headers"]["authorization"] = authorization
    return lambda_handler(event, Context())


def made(keys: MemoryApiKeys) -> tuple[ApiKey, str]:
    new = access.create(keys, "ERP", "operator", NOW)
    return new.stored, new.text


def test_a_good_key_is_told_by_its_id_and_role(keys: MemoryApiKeys) -> None:
    stored, text = made(keys)

    assert ask(f"Bearer {text}") == {"isAuthorized": True, "context": {"key": stored.id, "role": "operator"}}


def test_a_revoked_key_is_refused(keys: MemoryApiKeys) -> None:
    stored, text = made(keys)
    access.revoke(keys, stored.id, "another", NOW)

    assert ask(f"Bearer {text}") == {"isAuthorized": False}


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer sbk_x_y", "Basic c2JrOng="])
def test_anything_else_is_refused(keys: MemoryApiKeys, authorization: str | None) -> None:
    made(keys)

    assert ask(authorization) == {"isAuthorized": False}


def test_neither_a_good_nor_a_bad_key_is_logged(keys: MemoryApiKeys, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    _, text = made(keys)
    secret = text.rpartition("_")[2]

    ask(f"Bearer {text}")
    ask(f"Bearer {text}0")

    assert [record.getMessage() for record in caplog.records] == ["key_refused"]
    assert secret not in repr([record.__dict__ for record in caplog.records])
