"""Parameters that endpoints share: parts of the path, filters, and what the request is answered with."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote
from uuid import uuid4

from aws_lambda_powertools.event_handler import Request as Resolved
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BeforeValidator

from stagebell.api.ports import ApiPorts
from stagebell.api.request import Caller, caller_of
from stagebell.contracts.definitions.kinds import KINDS
from stagebell.contracts.model import NAME
from stagebell.runtime import wiring
from stagebell.runtime.observability import note_applied
from stagebell.services.apply import Applier
from stagebell.services.edit import Editor
from stagebell.services.requests import fingerprint
from stagebell.services.start import Starter


def _ports() -> ApiPorts:
    ports: ApiPorts = wiring.api()
    return ports


def _caller(request: Resolved) -> Caller:
    return caller_of(request.resolved_event.raw_event)


Ports = Annotated[ApiPorts, Depends(_ports)]
By = Annotated[Caller, Depends(_caller)]


def _applier(p: ApiPorts) -> Applier:
    p.catalog.refresh()
    return Applier(p.catalog, p.records, p.runs, p.scheduler, p.teller, p.clock, note_applied)


def _editor(request: Resolved) -> Editor:
    p, event = _ports(), request.resolved_event.raw_event
    return Editor(_applier(p), p.queue, caller_of(event).key, _occasion(event))


def _starter(request: Resolved) -> Starter:
    p, event = _ports(), request.resolved_event.raw_event
    return Starter(_applier(p), p.queue, caller_of(event).key, _occasion(event))


def _occasion(event: Mapping[str, Any]) -> str:
    """The same for a request that comes again under its Idempotency-Key."""
    key = event["headers"].get("idempotency-key")
    if not key:
        return uuid4().hex
    http = event["requestContext"]["http"]
    return fingerprint(key, caller_of(event).key, http["method"], event["rawPath"], event.get("body") or "")[:32]


Edits = Annotated[Editor, Depends(_editor)]
Starts = Annotated[Starter, Depends(_starter)]


def _plain(value: Any) -> Any:
    """Decoded until nothing is left to decode: gateways decode a path once, twice, or all but its percent signs."""
    while isinstance(value, str) and (decoded := unquote(value)) != value:
        value = decoded
    return value


_decoded = BeforeValidator(_plain)
one = BeforeValidator(lambda value: ",".join(value) if isinstance(value, list) else value)
"""A parameter that is given once: its commas divide nothing, though the gateway joins several values by them."""
_ENCODED = "Percent-encoded; `/`, `?`, `#` and `%` three times, as gateways decode paths, some of them twice"

Kind = Annotated[str, Path(description=", ".join(KINDS), max_length=32), _decoded]
Name = Annotated[str, Path(max_length=63), _decoded]
NewName = Annotated[str, Path(pattern=NAME, description="Made by its first use"), _decoded]
Version = Annotated[int, Path(ge=1, le=10**9)]
Id = Annotated[str, Path(min_length=1, max_length=512, description=_ENCODED), _decoded]
Word = Annotated[str, Path(min_length=1, max_length=128), _decoded]
Cursor = Annotated[str | None, Query(description="The `cursor` of the page before", max_length=4096)]
Moment = Annotated[str | None, Query(description="ISO 8601 with an offset", examples=["2026-03-01T09:00:00Z"])]
