"""What every request meets before its endpoint: routes, roles, bodies, and how errors are told."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from stagebell.api.application import ENDPOINTS
from stagebell.domain.errors import StagebellError
from stagebell.runtime import wiring
from stagebell.services.access import ROLES
from tests.unit.api_calls import DEAL, Answer, Api, answer_to, make_api, sample


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = make_api()
    monkeypatch.setattr(wiring, "api", lambda: made.ports)
    return made


def is_problem(answer: Answer, status: int, code: str) -> bool:
    document = answer.json
    return (
        (answer.status, document["status"], document["code"]) == (status, status, code)
        and answer.headers["content-type"] == "application/problem+json"
        and answer.headers["cache-control"] == "no-store"
        and document["type"] == f"urn:stagebell:problem:{code}"
        and bool(document["title"])
        and bool(document["detail"])
    )


# --- samples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("health.json", 200),
        ("get_run.json", 404),
        ("list_deliveries.json", 200),
        ("create_key.json", 201),
        ("put_definition_form.json", 200),
    ],
)
def test_a_real_event_is_answered(api: Api, name: str, status: int) -> None:
    answer = answer_to(sample(name))

    assert answer.status == status
    assert json.loads(answer.text) is not None


def test_health_needs_no_key(api: Api) -> None:
    answer = answer_to(sample("health.json"))

    assert answer.json == {"status": "ok", "version": "0.1.0"}


# --- routes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/runs/a/b/c", "/v1//runs", "/v2/health", "/v1/health/"])
def test_an_unknown_path_is_a_problem(api: Api, path: str) -> None:
    assert is_problem(api.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/keys", "GET, POST"),
        ("POST", "/v1/runs", "GET"),
        ("PATCH", "/v1/definitions/object/deal", "GET, PUT"),
        ("GET", "/v1/runs/run_1/cancel", "POST"),
        ("OPTIONS", "/v1/health", "GET"),
        ("GET", "/v1/sources/erp/changes", "POST"),
        ("PUT", "/v1/sources/erp/changes", "POST"),
        ("DELETE", "/v1/sources/erp/changes", "POST"),
    ],
)
def test_a_wrong_method_is_a_problem_that_names_the_right_ones(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, path)

    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


def test_a_stage_in_the_path_is_left_out(api: Api) -> None:
    event = sample("health.json")
    event["requestContext"]["stage"] = "prod"
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/prod/v1/health"

    assert answer_to(event).status == 200


@pytest.mark.parametrize(
    ("segment", "id"),
    [
        ("deal-7", "deal-7"),
        ("a b", "a b"),
        ("ä#1", "ä#1"),
        ('say "hi"', 'say "hi"'),
        ("a%2Fb", "a/b"),
        ("a%252Fb", "a/b"),
        ("a%25252Fb", "a/b"),
        ("50%25", "50%"),
        ("a+b@c.d", "a+b@c.d"),
    ],
)
def test_a_record_id_may_hold_any_character(api: Api, segment: str, id: str) -> None:
    """A gateway has decoded the path before it reaches us, once or twice, or has left its percent signs alone."""
    answer = api.get(f"/v1/records/deal/{segment}")

    assert is_problem(answer, 404, "not_found")
    assert answer.json["detail"] == f"no change of deal {id} has arrived yet"


# --- roles -----------------------------------------------------------------------------------------------------

NEEDED = {
    "GET /v1/health": None,
    "GET /v1/openapi.json": None,
    "GET /v1/definitions": "viewer",
    "POST /v1/definitions/validate": "viewer",
    "POST /v1/definitions/diff": "viewer",
    "PUT /v1/definitions/{kind}/{name}": "operator",
    "GET /v1/definitions/{kind}/{name}": "viewer",
    "GET /v1/definitions/{kind}/{name}/versions": "viewer",
    "GET /v1/definitions/{kind}/{name}/versions/{version}": "viewer",
    "POST /v1/definitions/{kind}/{name}/activate": "operator",
    "POST /v1/definitions/{kind}/{name}/deactivate": "operator",
    "GET /v1/records/{object}/{id}": "viewer",
    "PATCH /v1/records/{object}/{id}": "integrator",
    "POST /v1/records/{object}/{id}/lock": "operator",
    "POST /v1/records/{object}/{id}/unlock": "operator",
    "GET /v1/records/{object}/{id}/follow-ups": "viewer",
    "GET /v1/users/{user}/follow-ups": "viewer",
    "GET /v1/users/{user}/tasks": "viewer",
    "GET /v1/tasks/{id}": "viewer",
    "POST /v1/tasks/{id}/complete": "integrator",
    "POST /v1/tasks/{id}/cancel": "integrator",
    "POST /v1/tasks/{id}/reassign": "integrator",
    "GET /v1/records/{object}/{id}/changes": "viewer",
    "GET /v1/records/{object}/{id}/changes/{change}/explanation": "viewer",
    "GET /v1/records/{object}/{id}/runs": "viewer",
    "GET /v1/records/{object}/{id}/deliveries": "viewer",
    "GET /v1/runs": "viewer",
    "GET /v1/runs/{run}": "viewer",
    "GET /v1/runs/{run}/deliveries": "viewer",
    "POST /v1/runs/{run}/cancel": "operator",
    "POST /v1/scenarios/{name}/runs": "integrator",
    "POST /v1/workflows/{name}/runs": "integrator",
    "GET /v1/write-backs": "viewer",
    "POST /v1/write-backs/{key}/replay": "operator",
    "POST /v1/webhooks/{name}/secrets": "admin",
    "GET /v1/deliveries": "viewer",
    "GET /v1/deliveries/{key}": "viewer",
    "GET /v1/suppressions": "operator",
    "DELETE /v1/suppressions": "operator",
    "GET /v1/users/{user}/inbox": "viewer",
    "GET /v1/users/{user}/inbox/unread": "viewer",
    "POST /v1/users/{user}/inbox/read": "integrator",
    "POST /v1/users/{user}/inbox/{id}/read": "integrator",
    "POST /v1/sources/{source}/secrets": "admin",
    "GET /v1/keys": "admin",
    "POST /v1/keys": "admin",
    "DELETE /v1/keys/{id}": "admin",
}


def test_the_table_of_roles_is_complete() -> None:
    assert {f"{e.method} {e.path}": e.role for e in ENDPOINTS} == NEEDED


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.role], ids=lambda e: f"{e.method} {e.path}")
def test_a_lesser_role_is_refused_before_anything_is_looked_at(api: Api, endpoint: Any) -> None:
    needed = ROLES.index(endpoint.role)

    for role in ("", "root", *ROLES[:needed]):
        answer = api.call(endpoint.method, endpoint.path.replace("{", "").replace("}", ""), role=role)
        assert is_problem(answer, 403, "forbidden")
        assert f"needs the role {endpoint.role}" in answer.json["detail"]


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.role], ids=lambda e: f"{e.method} {e.path}")
def test_the_needed_role_is_enough(api: Api, endpoint: Any) -> None:
    answer = api.call(endpoint.method, endpoint.path.replace("{", "").replace("}", ""), {}, role=endpoint.role)

    assert answer.status not in (401, 403)
    assert answer.status < 500


@pytest.mark.parametrize("authorizer", [None, {}, {"lambda": {}}, {"lambda": {"role": "admin"}}])
def test_a_request_without_a_key_is_refused_even_behind_a_careless_gateway(api: Api, authorizer: Any) -> None:
    event = sample("get_run.json")
    event["requestContext"]["authorizer"] = authorizer

    assert is_problem(answer_to(event), 401, "unauthenticated")


# --- bodies ----------------------------------------------------------------------------------------------------

KEY = '{"label": "ERP", "role": "viewer"}'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{nope", "no JSON"),
        ("[]", "a list"),
        ('"text"', "a text"),
        ("null", "nothing"),
        ('{"label": NaN}', "a number JSON has not"),
        ('{"label": 1e999999999999999999999999}', "a number without an end"),
        ('{"label": "a"} {}', "something after it"),
        ('{"label": "\\ud800", "role": "viewer"}', "half a character"),
        ('{"\\udfff": 1}', "half a character in a key"),
        ('{"label": "a", "label": "b"}', "a key twice"),
        ('{"label": ' + "9" * 5_000 + "}", "a number of thousands of digits"),
        ("[" * 100_000, "a nesting without end"),
        ('{"a":' * 40 + "1" + "}" * 40, "a deep nesting"),
    ],
)
def test_a_body_that_is_no_json_object_is_malformed(api: Api, body: str, why: str) -> None:
    assert is_problem(api.post("/v1/keys", body), 400, "malformed_body"), why


@pytest.mark.parametrize(
    ("body", "why"), [("%%%", "no base64"), (base64.b64encode(b"\xff\xfe{}").decode(), "no UTF-8")]
)
def test_an_encoded_body_that_is_no_text_is_malformed(api: Api, body: str, why: str) -> None:
    assert is_problem(api.post("/v1/keys", body, isBase64Encoded=True), 400, "malformed_body"), why


def test_an_encoded_body_is_decoded(api: Api) -> None:
    answer = api.post("/v1/keys", base64.b64encode(KEY.encode()).decode(), isBase64Encoded=True)

    assert answer.status == 201


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_byte_order_mark_before_a_body_is_no_part_of_it(api: Api, method: str) -> None:
    path, body = ("/v1/keys", KEY) if method == "POST" else ("/v1/definitions/object/deal", json.dumps(DEAL))

    assert api.call(method, path, f"\ufeff{body}").status < 300
    assert is_problem(api.call(method, path, f"\ufeff\ufeff{body}"), 400, "malformed_body")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
def test_a_body_is_json_whatever_its_content_type_says(api: Api, kind: str) -> None:
    headers = sample("create_key.json")["headers"] | {"content-type": kind, "idempotency-key": kind or "none"}

    assert api.post("/v1/keys", KEY, headers=headers).status == 201


@pytest.mark.parametrize("encode", [str, lambda text: base64.b64encode(text.encode()).decode()])
def test_a_body_of_256_kib_is_read_and_one_byte_more_is_not(api: Api, encode: Callable[[str], str]) -> None:
    full = KEY + " " * (256 * 1024 - len(KEY))
    encoded = encode is not str

    assert api.post("/v1/keys", encode(full), isBase64Encoded=encoded).status == 201
    assert is_problem(api.post("/v1/keys", encode(full + " "), isBase64Encoded=encoded), 413, "body_too_large")


def test_every_problem_of_a_body_is_named_with_its_path(api: Api) -> None:
    answer = api.post("/v1/keys", {"role": "boss", "colour": "red"})

    assert is_problem(answer, 422, "invalid_input")
    assert answer.paths == {("label", "required"), ("role", "one_of"), ("colour", "unknown_key")}


def test_a_missing_body_is_named(api: Api) -> None:
    assert api.post("/v1/keys").paths == {("body", "required")}


@pytest.mark.parametrize(
    ("path", "query", "takes", "why"),
    [
        ("/v1/runs", "definition=a&state=failed", "definition, cursor", "a filter there is not finds everything else"),
        ("/v1/records/deal/deal-7", "limit=5", "none", "one record is no listing"),
        ("/v1/users/u1/inbox", "Unread=true", "unread, cursor", "names have their case"),
    ],
)
def test_a_parameter_that_is_not_known_is_a_problem(api: Api, path: str, query: str, takes: str, why: str) -> None:
    answer = api.get(path, query)

    assert answer.status == 422, why
    assert answer.json["problems"][0]["rule"] == "unknown_key"
    assert answer.json["problems"][0]["message"].endswith(f"this takes {takes}")


@pytest.mark.parametrize(
    ("path", "query", "said", "why"),
    [
        ("/v1/users/u1/inbox", "unread=maybe", 'expected true or false, got the text "maybe"', "as in a body"),
        ("/v1/runs", "definition=" + "x" * 64, "is limited to 63 characters", "a text has characters, no entries"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told_in_our_words(
    api: Api, path: str, query: str, said: str, why: str
) -> None:
    assert api.get(path, query).json["problems"][0]["message"] == said, why


def test_values_are_taken_as_they_are_and_not_guessed(api: Api) -> None:
    assert api.post("/v1/keys", {"label": 7, "role": "viewer"}).paths == {("label", "text")}


def test_a_body_of_a_get_is_not_looked_at(api: Api) -> None:
    assert api.call("GET", "/v1/keys", "{nope").status == 200


# --- failures --------------------------------------------------------------------------------------------------


def break_with(api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(type(api.ports.api_keys), "all", broken)


def test_an_unexpected_error_tells_nothing_and_is_logged_once_without_its_message(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_with(api, monkeypatch, RuntimeError("anna@example.com"))

    answer = api.get("/v1/keys")

    assert is_problem(answer, 500, "internal_error")
    assert [(r.getMessage(), r.__dict__["error"]) for r in caplog.records] == [("request_crashed", "RuntimeError")]
    assert "anna@example.com" not in answer.text + repr(caplog.records[0].__dict__)


def test_a_failure_without_a_code_of_its_own_is_logged_with_the_place_it_came_from(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_with(api, monkeypatch, StagebellError("the service refused anna@example.com"))

    assert is_problem(api.get("/v1/keys"), 500, "internal_error")
    assert [r.getMessage() for r in caplog.records] == ["request_crashed"]
    assert "list_keys" in caplog.records[0].__dict__["stack"]
    assert "anna@example.com" not in repr(caplog.records[0].__dict__)


def test_an_error_that_passes_by_itself_says_when_to_come_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from stagebell.domain.errors import RecordBusy

    break_with(api, monkeypatch, RecordBusy("others were faster"))

    answer = api.get("/v1/keys")

    assert is_problem(answer, 503, "record_busy")
    assert answer.headers["retry-after"] == "5"


def test_an_answer_that_breaks_its_own_shape_is_our_failure(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(api.ports.suppressions), "reason", lambda *_: 7)

    assert is_problem(api.get("/v1/suppressions", "channel=email&address=a@example.com"), 500, "internal_error")


def test_requests_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    api.put("/v1/definitions/object/deal", DEAL | {"label": "anna@example.com"})
    api.get("/v1/suppressions", "channel=email&address=anna@example.com")

    assert "anna@example.com" not in repr([record.__dict__ for record in caplog.records])
