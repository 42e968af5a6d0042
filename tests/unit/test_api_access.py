"""API keys and source secrets over HTTP."""

import pytest

from stagebell.runtime import wiring
from stagebell.services import access
from tests.unit.api_calls import CALLER, ERP, Api, make_api


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = make_api()
    monkeypatch.setattr(wiring, "api", lambda: made.ports)
    return made


def test_a_new_key_is_shown_once_and_lets_its_bearer_in(api: Api) -> None:
    answer = api.post("/v1/keys", {"label": "ERP", "role": "integrator"})

    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    verified = access.verify(api.ports.api_keys, answer.json["key"])
    assert verified is not None
    assert (verified.id, verified.role) == (answer.json["id"], "integrator")
    secret = answer.json["key"].rpartition("_")[2]
    assert secret not in api.get("/v1/keys").text
    assert verified.hash not in api.get("/v1/keys").text


def test_keys_are_listed_in_pages_with_the_revoked_ones(api: Api) -> None:
    made = [api.post("/v1/keys", {"label": str(n), "role": "viewer"}).json["id"] for n in range(3)]
    revoked = api.delete(f"/v1/keys/{made[0]}")

    first = api.get("/v1/keys").json
    second = api.get("/v1/keys", f"cursor={first['cursor']}").json

    assert (revoked.status, revoked.text) == (204, "")
    listed = {key["id"]: key["revoked_at"] for key in first["items"] + second["items"]}
    assert listed == {made[0]: "2026-03-02T09:00:00Z", made[1]: None, made[2]: None}


def test_an_unknown_key_cannot_be_revoked(api: Api) -> None:
    assert api.delete("/v1/keys/0000000000000000").status == 404


def test_a_key_cannot_revoke_itself(api: Api) -> None:
    own = api.post("/v1/keys", {"label": "Admin", "role": "admin"}).json["id"]

    answer = api.delete(f"/v1/keys/{own}", caller=own)

    assert (answer.status, answer.json["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"label": "", "role": "viewer"}, {"label"}),
        ({"label": " ", "role": "viewer"}, {"label"}),
        ({"label": "x" * 101, "role": "viewer"}, {"label"}),
        ({"label": "a\nb", "role": "viewer"}, {"label"}),
        ({"label": "ERP", "role": "root"}, {"role"}),
        ({"label": "ERP"}, {"role"}),
        ({"label": "ERP", "role": "viewer", "key": "sbk_mine"}, {"key"}),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(api: Api, body: dict[str, str], paths: set[str]) -> None:
    answer = api.post("/v1/keys", body)

    assert answer.status == 422
    assert {path for path, _ in answer.paths} == paths
    assert api.get("/v1/keys").json["items"] == []


def test_a_source_gets_a_new_secret_and_keeps_the_newest_old_one(api: Api) -> None:
    api.put("/v1/definitions/source/erp", ERP)

    answers = [api.post("/v1/sources/erp/secrets") for _ in range(3)]

    assert [answer.status for answer in answers] == [201, 201, 201]
    assert answers[0].json["source"] == "erp"
    shown = [answer.json["secret"] for answer in answers]
    assert api.ports.secrets.of_source("erp") == (shown[2], shown[1])


def test_an_unknown_source_gets_no_secret(api: Api) -> None:
    assert api.post("/v1/sources/erp/secrets").status == 404
    assert api.ports.secrets.of_source("erp") == ()


def test_a_webhook_secret_is_made_by_its_first_use_and_the_newest_old_one_stays(api: Api) -> None:
    answers = [api.post("/v1/webhooks/billing/secrets") for _ in range(3)]

    assert [(answer.status, answer.json["name"]) for answer in answers] == [(201, "billing")] * 3
    shown = [answer.json["secret"] for answer in answers]
    assert api.ports.secrets.of_webhook("billing") == (shown[2], shown[1])
    assert api.ports.secrets.of_source("billing") == ()


def test_a_webhook_secret_is_not_kept_with_the_remembered_answer(api: Api) -> None:
    first, second = (api.post("/v1/webhooks/billing/secrets", key="once") for _ in range(2))

    assert (second.status, second.json) == (201, {"name": "billing", "secret": None})
    assert api.ports.secrets.of_webhook("billing") == (first.json["secret"],)


@pytest.mark.parametrize("name", ["-a", "a%20b", "x" * 64, "b.c"])
def test_a_webhook_secret_needs_a_name_that_a_step_can_say(api: Api, name: str) -> None:
    answer = api.post(f"/v1/webhooks/{name}/secrets")

    assert (answer.status, answer.json["code"]) == (422, "invalid_input")


def test_only_an_admin_makes_secrets(api: Api) -> None:
    assert api.post("/v1/webhooks/billing/secrets", role="operator").status == 403


def test_the_caller_of_the_tests_is_the_one_in_the_samples(api: Api) -> None:
    """So that a change of the samples cannot make the tests above meaningless."""
    assert api.put("/v1/definitions/source/erp", ERP).json["saved_by"] == CALLER
