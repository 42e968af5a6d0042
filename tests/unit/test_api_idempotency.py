"""Idempotency-Key: the same answer to the same POST, however often it arrives."""

from datetime import timedelta
from typing import Any

import pytest

from stagebell.domain.errors import QueueUnavailable
from stagebell.runtime import wiring
from stagebell.services.requests import fingerprint
from tests.unit.api_calls import ALL, DEAL, ERP, Answer, Api, make_api

BODY = {"label": "ERP", "role": "viewer"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = make_api()
    monkeypatch.setattr(wiring, "api", lambda: made.ports)
    return made


def keys(api: Api) -> int:
    return len(api.get("/v1/keys").json["items"])


def replayed(answer: Answer) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


def test_a_repeated_request_is_answered_as_the_first_time_and_done_once(api: Api) -> None:
    first = api.post("/v1/keys", BODY, key="order-1")
    second = api.post("/v1/keys", BODY, key="order-1")

    assert (first.status, replayed(first)) == (201, False)
    assert (second.status, replayed(second)) == (201, True)
    assert second.json["id"] == first.json["id"]
    assert second.headers["content-type"] == "application/json"
    assert keys(api) == 1


def test_a_secret_is_not_kept_for_the_replay(api: Api) -> None:
    api.put("/v1/definitions/source/erp", ERP)

    first = [api.post("/v1/keys", BODY, key="k"), api.post("/v1/sources/erp/secrets", key="s")]
    second = [api.post("/v1/keys", BODY, key="k"), api.post("/v1/sources/erp/secrets", key="s")]

    assert first[0].json["key"] and first[1].json["secret"]
    assert (second[0].json["key"], second[1].json["secret"]) == (None, None)
    assert first[0].json["key"].rpartition("_")[2] not in repr(vars(api.ports.requests))


def test_without_the_header_every_request_counts(api: Api) -> None:
    api.post("/v1/keys", BODY)
    api.post("/v1/keys", BODY)

    assert keys(api) == 2


def test_a_refusal_is_replayed_as_the_problem_it_was(api: Api) -> None:
    first = api.post("/v1/keys", {"label": "ERP"}, key="order-1")
    second = api.post("/v1/keys", {"label": "ERP"}, key="order-1")

    assert (first.status, second.status, replayed(second)) == (422, 422, True)
    assert second.json == first.json
    assert second.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"body": {"label": "CRM", "role": "viewer"}}, "another body"),
        ({"path": "/v1/sources/erp/secrets"}, "another path"),
        ({"caller": "ffffffffffffffff"}, "another API key"),
    ],
)
def test_the_same_key_on_another_request_is_refused(api: Api, other: dict[str, Any], why: str) -> None:
    api.put("/v1/definitions/source/erp", ERP)
    api.post("/v1/keys", BODY, key="order-1")

    answer = api.post(**({"path": "/v1/keys", "body": BODY, "key": "order-1"} | other))

    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused"), why
    assert keys(api) == 1


def test_a_request_that_is_still_being_answered_is_refused(api: Api) -> None:
    same = fingerprint("0f2c8f4e5d0b4f3a", "POST", "/v1/keys", "", '{"label": "ERP", "role": "viewer"}')
    api.ports.requests.begin("order-1", same)

    answer = api.post("/v1/keys", BODY, key="order-1")

    assert (answer.status, answer.json["code"]) == (409, "request_in_progress")
    assert keys(api) == 0


@pytest.mark.parametrize("error", [RuntimeError("lost"), QueueUnavailable("try again")])
def test_our_own_failure_is_forgotten(api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(type(api.ports.api_keys), "save", broken)
        failed = api.post("/v1/keys", BODY, key="order-1")

    assert failed.status >= 500
    again = api.post("/v1/keys", BODY, key="order-1")
    assert (again.status, replayed(again)) == (201, False)


def test_an_answer_is_forgotten_after_a_day(api: Api) -> None:
    api.post("/v1/keys", BODY, key="order-1")
    api.clock.advance(api.clock.now() + timedelta(hours=23))
    assert replayed(api.post("/v1/keys", BODY, key="order-1"))

    api.clock.advance(api.clock.now() + timedelta(hours=2))

    assert not replayed(api.post("/v1/keys", BODY, key="order-1"))
    assert keys(api) == 2


@pytest.mark.parametrize("key", ["x" * 256, "line\nend", "ключ", "\x7f"])
def test_a_key_is_1_to_255_printable_characters(api: Api, key: str) -> None:
    assert api.post("/v1/keys", BODY, key=key).paths == {("Idempotency-Key", "text")}
    assert api.post("/v1/keys", BODY, key="x" * 255).status == 201


def test_a_refused_role_is_not_remembered(api: Api) -> None:
    assert api.post("/v1/keys", BODY, key="order-1", role="viewer").status == 403
    assert api.post("/v1/keys", BODY, key="order-1").status == 201


def test_a_body_is_the_same_request_however_it_is_encoded(api: Api) -> None:
    import base64
    import json

    text = json.dumps(BODY)
    api.post("/v1/keys", text, key="order-1")

    encoded = base64.b64encode(text.encode()).decode()
    assert replayed(api.post("/v1/keys", encoded, key="order-1", isBase64Encoded=True))


def test_a_put_needs_no_key(api: Api) -> None:
    api.put("/v1/definitions/object/deal", DEAL, key="order-1")

    assert not replayed(api.put("/v1/definitions/object/deal", DEAL, key="order-1"))


def test_activating_twice_with_a_key_raises_the_revision_once(api: Api) -> None:
    api.activate(*ALL[:1])
    revision = api.ports.definitions.revision()

    api.put("/v1/definitions/object/deal", DEAL | {"label": "Sale"})
    for _ in range(2):
        assert api.post("/v1/definitions/object/deal/activate", key="order-1").json["active"] == 2

    assert api.ports.definitions.revision() == revision + 1
