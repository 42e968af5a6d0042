"""The OpenAPI document: valid, complete, served, and the same as the one in docs/reference."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from stagebell.api import openapi
from stagebell.api.application import ENDPOINTS
from stagebell.contracts.problem_documents import KINDS
from stagebell.domain.changes import _KEYS
from stagebell.runtime import wiring
from stagebell.runtime.version import VERSION
from tests.unit.api_calls import answer_to as answer
from tests.unit.api_calls import make_api, sample

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "reference" / "openapi.json"


@pytest.fixture
def document() -> dict[str, Any]:
    return openapi.document()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{m.upper()} {p}": said for p, methods in document["paths"].items() for m, said in methods.items()}


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_the_document_in_the_reference_is_the_present_one() -> None:
    assert KEPT.read_text() == openapi.text(), "run `python -m stagebell.api.openapi > docs/reference/openapi.json`"


def test_the_document_is_served_to_everybody(monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]) -> None:
    monkeypatch.setattr(wiring, "api", lambda: make_api().ports)
    event = sample("health.json")
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/v1/openapi.json"

    served = answer(event)

    assert served.status == 200
    assert served.headers["content-type"] == "application/json"
    assert json.loads(served.text) == document


def test_the_version_is_that_of_the_package(document: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert document["info"]["title"] == "Stagebell"
    assert document["info"]["version"] == VERSION == project["version"]


def test_every_endpoint_and_the_webhook_are_described(document: dict[str, Any]) -> None:
    listed = {f"{e.method} {e.path}" for e in ENDPOINTS if e.listed}

    assert set(operations(document)) == listed | {"POST /v1/sources/{source}/changes"}


def test_every_operation_says_what_it_does_and_who_may_call_it(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for name, said in operations(document).items():
        assert said["summary"] and said["operationId"] and set(said["tags"]) <= tags, name
        assert said["security"] == ([{"apiKey": []}] if "x-role" in said else []), name
    assert {name for name, said in operations(document).items() if "x-role" not in said} == {
        "GET /v1/health",
        "POST /v1/sources/{source}/changes",
    }


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [said["operationId"] for said in operations(document).values()]

    assert len(ids) == len(set(ids))


def test_every_post_and_patch_may_carry_an_idempotency_key(document: dict[str, Any]) -> None:
    for name, said in operations(document).items():
        carries = "Idempotency-Key" in [parameter["name"] for parameter in said.get("parameters", [])]
        assert carries == (name.startswith(("POST", "PATCH")) and not name.endswith("/changes")), name


def test_every_error_is_a_problem_document_with_its_codes(document: dict[str, Any]) -> None:
    for name, said in operations(document).items():
        for status, response in said["responses"].items():
            if int(status) < 400:
                continue
            (content,) = response["content"].items()
            assert content[0] == "application/problem+json", name
            assert content[1]["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
            assert {KINDS[code].status for code in content[1]["examples"]} == {int(status)}


def test_the_webhook_names_every_key_of_a_change_and_the_signature_headers(document: dict[str, Any]) -> None:
    webhook = operations(document)["POST /v1/sources/{source}/changes"]

    assert set(document["components"]["schemas"]["ReportedChange"]["properties"]) == set(_KEYS)
    assert [p["name"] for p in webhook["parameters"] if p["in"] == "header"] == [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ]
    assert set(webhook["responses"]) == {"202", "400", "401", "404", "413", "422", "500", "503"}
