"""The gateway's routes: every endpoint of the API is reached, and only what says so without a key."""

import re
from typing import Any

from stagebell.api.application import ELSEWHERE, ENDPOINTS

Template = dict[str, Any]

WEBHOOKS = "POST /v1/sources/{source}/changes"  # signed, and answered by a function of its own


def test_every_endpoint_is_reached_and_asks_for_a_key_unless_it_needs_none(translated: Template) -> None:
    routes = _routes(translated)

    for endpoint in ENDPOINTS:
        path = re.sub(r"<(\w+)>", r"{\1}", endpoint.rule)
        route = routes.get(f"{endpoint.method} {path}") or routes["ANY /v1/{proxy+}"]
        assert path.startswith("/v1/")
        assert (route.get("AuthorizationType") == "CUSTOM") == (endpoint.role is not None), endpoint.rule


def test_only_webhooks_and_what_needs_no_role_go_without_the_authorizer(translated: Template) -> None:
    free = {key for key, route in _routes(translated).items() if route.get("AuthorizationType") != "CUSTOM"}

    assert free == {f"{e.method} {e.rule}" for e in ENDPOINTS if e.role is None} | {WEBHOOKS}


def test_no_endpoint_is_hidden_behind_the_webhooks(translated: Template) -> None:
    assert WEBHOOKS in _routes(translated)
    assert {f"{method} {path}" for path, method in ELSEWHERE.items()} == {WEBHOOKS}
    assert WEBHOOKS not in {f"{e.method} {re.sub('<.+?>', '{source}', e.rule)}" for e in ENDPOINTS}


def test_the_stage_waits_for_all_routes(translated: Template) -> None:
    routes = {n for n, one in translated["Resources"].items() if one["Type"] == "AWS::ApiGatewayV2::Route"}

    assert set(translated["Resources"]["ApiStage"]["DependsOn"]) == routes


def test_what_stands_in_a_path_is_not_logged(translated: Template) -> None:
    """Addresses that are not written to do: `DELETE /v1/suppressions/email/mia@example.com`."""
    logged = translated["Resources"]["ApiStage"]["Properties"]["AccessLogSettings"]["Format"]

    assert "$context.routeKey" in logged
    assert "$context.path" not in logged


def _routes(translated: Template) -> dict[str, Template]:
    """By their keys, as `GET /v1/health`."""
    found = [one["Properties"] for one in translated["Resources"].values() if one["Type"] == "AWS::ApiGatewayV2::Route"]
    return {route["RouteKey"]: route for route in found}
