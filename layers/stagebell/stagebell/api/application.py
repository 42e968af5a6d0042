"""The application: one event in, one response out. Every error leaves as a problem document."""

import json
from collections.abc import Mapping
from functools import cache, partial
from traceback import format_tb
from types import MappingProxyType
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from stagebell.api import request as requests_in
from stagebell.api.endpoints import WITH_IDEMPOTENCY, Endpoint, MethodNotAllowed, expect_known, find
from stagebell.api.request import Request
from stagebell.api.routes import access, definitions, deliveries, follow_ups, inbox, records, runs, service, write_backs
from stagebell.api.webhook_reference import CHANGES_PATH
from stagebell.contracts import problem_documents
from stagebell.contracts.problems import problems_of
from stagebell.domain.errors import InvalidInput, StagebellError
from stagebell.runtime import wiring
from stagebell.runtime.observability import log_outcome
from stagebell.services.access import demand
from stagebell.services.receive import parse_json
from stagebell.services.requests import Answer, fingerprint, once

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint
    for module in (definitions, records, follow_ups, runs, deliveries, write_backs, inbox, access, service)
    for endpoint in module.routes.endpoints
)
ELSEWHERE: Mapping[str, str] = MappingProxyType({CHANGES_PATH: "POST"})
"""Served by receive_change; with any other method, the gateway brings it here."""

_PARTS = ("body", "query", "path", "header")


@cache
def resolver() -> APIGatewayHttpResolver:
    """The resolver with every endpoint; made at the first request, as it takes a while."""
    made = APIGatewayHttpResolver(
        enable_validation=True,
        response_validation_error_http_code=500,
        json_body_deserializer=lambda text: parse_json(text.encode()),
    )
    for endpoint in ENDPOINTS:
        summary, _, more = (endpoint.handler.__doc__ or "").partition("\n\n")
        made.route(
            endpoint.rule,
            endpoint.method,
            summary=summary.rstrip("."),
            description=" ".join(more.split()),
            tags=[endpoint.tag],
            operation_id=endpoint.handler.__name__,
            include_in_schema=endpoint.listed,
            status_code=endpoint.status,
        )(endpoint.handler)
    made.exception_handler(Exception)(_failed)
    return made


def answer(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event (payload 2.0)."""
    try:
        request = requests_in.read(event)
        endpoint = find(ENDPOINTS, ELSEWHERE, request.method, request.path)
        if endpoint.role is not None:
            demand(request.caller.role, endpoint.role)
        expect_known(endpoint, request.query)
        if endpoint.method in WITH_IDEMPOTENCY and request.idempotency_key is not None:
            return _response(_once(request, endpoint, request.idempotency_key, context))
        return _response(_made(request, context))
    except MethodNotAllowed as error:
        return problem_documents.problem_response(error, {"allow": ", ".join(error.allowed)})
    except Exception as error:
        return problem_documents.response(_told(error))


def _made(request: Request, context: LambdaContext) -> Answer:
    made = resolver().resolve(request.event, context)
    return Answer(made["statusCode"], made["body"] if made["statusCode"] != 204 else "")


def _once(request: Request, endpoint: Endpoint, key: str, context: LambdaContext) -> Answer:
    same = fingerprint(request.caller.key, request.method, request.path, request.query, request.body)
    return once(wiring.api().requests, key, same, lambda: _made(request, context), partial(_without, endpoint.once))


def _response(told: Answer) -> dict[str, Any]:
    if told.status >= 400:
        made = problem_documents.response(json.loads(told.body))
    else:
        kind = {"content-type": "application/json"} if told.body else {}
        headers = kind | {"cache-control": "no-store"}
        made = {"statusCode": told.status, "headers": headers, "body": told.body, "isBase64Encoded": False}
    if told.replayed:
        made["headers"]["idempotency-replayed"] = "true"
    return made


def _without(field: str, body: str) -> str:
    """The body as it may be kept: a secret that is shown once is not stored."""
    document = json.loads(body)
    return json.dumps(document | {field: None}) if field and field in document else body


def _failed(error: Exception) -> Response[dict[str, Any]]:
    """What an endpoint, or the validation before it, has raised."""
    told = _told(error)
    return Response(told["status"], "application/json", told)


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, RequestValidationError):
        error = _invalid(error)
    told = problem_documents.document_of(error)
    if told["status"] >= 500:
        _log(error)
    return told


def _log(error: Exception) -> None:
    """One entry. Where we did not expect the error, with its stack, but not its message, which may hold anything."""
    if isinstance(error, StagebellError) and error.code != StagebellError.code:
        log_outcome("request_failed", level="error", code=error.code)
    else:
        stack = "".join(format_tb(error.__traceback__))
        log_outcome("request_crashed", level="error", error=type(error).__name__, stack=stack)


def _invalid(error: RequestValidationError) -> InvalidInput:
    """What validation found, in the words that definitions are told in."""
    found: list[InitErrorDetails] = [
        {"type": e["type"], "loc": _inner(e["loc"]), "input": e.get("input"), "ctx": e.get("ctx") or {}}
        for e in error.errors()
    ]
    return InvalidInput(problems_of(ValidationError.from_exception_data("request", found)))


def _inner(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The place without the part of the request; of a body that is missing as a whole, `body`."""
    return loc[1:] if len(loc) > 1 and loc[0] in _PARTS else loc
