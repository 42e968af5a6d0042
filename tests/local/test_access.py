"""Who may do what on the deployed API."""

import json
import urllib.error
import urllib.request

import pytest

from tests.local.whole import Whole


def status(whole: Whole, method: str, path: str, key: str | None, body: object = None) -> int:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key is not None else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(whole.stack.api_url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture(scope="module")
def keys(whole: Whole) -> dict[str, str]:
    roles = ("viewer", "integrator", "operator", "admin")
    return {role: whole.api.post("/v1/keys", {"label": f"a {role}", "role": role})["key"] for role in roles}


def test_health_needs_no_key(whole: Whole) -> None:
    assert status(whole, "GET", "/v1/health", None) == 200


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(None, 401, id="no key at all"),
        pytest.param("nonsense", 403, id="not a key"),
        pytest.param("sbk_0123456789abcdef_" + "0" * 64, 403, id="a key nobody made"),
    ],
)
def test_without_a_good_key_the_gateway_refuses(whole: Whole, key: str | None, expected: int) -> None:
    assert status(whole, "GET", "/v1/runs?definition=U1", key) == expected


@pytest.mark.parametrize(
    ("role", "method", "path", "body", "expected"),
    [
        pytest.param("viewer", "GET", "/v1/runs?definition=U1", None, 200, id="a viewer reads"),
        pytest.param("viewer", "POST", "/v1/definitions/scenario/U1/activate", {}, 403, id="but activates nothing"),
        pytest.param("integrator", "DELETE", "/v1/suppressions?channel=sms&address=1", None, 403, id="nor integrators"),
        pytest.param("operator", "POST", "/v1/definitions/scenario/U1/activate", {}, 200, id="an operator activates"),
        pytest.param("operator", "POST", "/v1/keys", {"label": "x", "role": "admin"}, 403, id="but makes no keys"),
        pytest.param("admin", "GET", "/v1/keys", None, 200, id="an admin sees the keys"),
    ],
)
def test_each_role_may_do_its_part(
    whole: Whole, keys: dict[str, str], role: str, method: str, path: str, body: object, expected: int
) -> None:
    assert status(whole, method, path, keys[role], body) == expected
