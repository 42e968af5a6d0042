"""Definitions: storing versions, checking and comparing them, switching them on and off."""

from collections.abc import Mapping
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import By, Cursor, Kind, Name, Ports, Version
from stagebell.api.ports import ApiPorts
from stagebell.contracts.api.definitions import (
    Activate,
    ActivatedDefinition,
    Comparison,
    Deactivate,
    DefinitionDetail,
    DefinitionHead,
    DefinitionPage,
    DefinitionVersion,
    Difference,
    SetOfDefinitions,
    Validation,
    VersionPage,
)
from stagebell.ports.definitions import Head
from stagebell.services import browse
from stagebell.services.define import Definer, Switched

routes = Routes("definitions")


@routes.get("/v1/definitions", role="viewer", problems=("not_found",))
def list_definitions(
    ports: Ports,
    kind: Annotated[
        str, Query(description="object, source, template, calendar, function, scenario or workflow", max_length=32)
    ],
    cursor: Cursor = None,
) -> DefinitionPage:
    """List the definitions of a kind, by name."""
    page = _definer(ports).heads(kind, cursor)
    return DefinitionPage(items=tuple(map(DefinitionHead.from_domain, page.items)), cursor=page.cursor)


@routes.post("/v1/definitions/validate", role="viewer")
def validate_definitions(body: Annotated[SetOfDefinitions, Body()], ports: Ports) -> Validation:
    """Check definitions together with what is active.

    Names every problem of every definition, and warns of what they would do to each other; stores nothing."""
    definer = _definer(ports)
    checked = definer.validate(body.definitions)
    return Validation.from_domain(checked, definer.warnings(checked))


@routes.post("/v1/definitions/diff", role="viewer")
def diff_definitions(body: Annotated[SetOfDefinitions, Body()], ports: Ports) -> Comparison:
    """Compare definitions with what is active, and say what is active beside them."""
    found = _definer(ports).diff(body.definitions)
    return Comparison(differences=tuple(map(Difference.from_domain, found)))


@routes.put("/v1/definitions/{kind}/{name}", role="operator", problems=("conflict",))
def put_definition(
    kind: Kind,
    name: Name,
    body: Annotated[Mapping[str, Any], Body(description="The definition, with its kind and name")],
    ports: Ports,
    by: By,
) -> DefinitionVersion:
    """Store a definition as a new version.

    It is a draft until it is activated. Storing what the newest version says already makes no new one."""
    browse.demand_address(body, kind=kind, name=name)
    return DefinitionVersion.from_domain(_definer(ports).put(body, by=by.key))


@routes.get("/v1/definitions/{kind}/{name}", role="viewer", problems=("not_found",))
def get_definition(kind: Kind, name: Name, ports: Ports) -> DefinitionDetail:
    """Read a definition: where it stands, and its newest version."""
    return DefinitionDetail.of(*browse.definition(ports.definitions, kind, name))


@routes.get("/v1/definitions/{kind}/{name}/versions", role="viewer", problems=("not_found",))
def list_versions(kind: Kind, name: Name, ports: Ports, cursor: Cursor = None) -> VersionPage:
    """List the versions of a definition, newest first."""
    page = _definer(ports).versions(kind, name, cursor)
    return VersionPage(items=tuple(map(DefinitionVersion.from_domain, page.items)), cursor=page.cursor)


@routes.get("/v1/definitions/{kind}/{name}/versions/{version}", role="viewer", problems=("not_found",))
def get_version(kind: Kind, name: Name, version: Version, ports: Ports) -> DefinitionVersion:
    """Read one version of a definition."""
    return DefinitionVersion.from_domain(browse.version(ports.definitions, kind, name, version))


@routes.post(
    "/v1/definitions/{kind}/{name}/activate", role="operator", problems=("not_found", "conflict", "queue_unavailable")
)
def activate_definition(
    kind: Kind, name: Name, ports: Ports, by: By, body: Annotated[Activate | None, Body()] = None
) -> ActivatedDefinition:
    """Make a version of a definition the active one.

    Runs that go stay on their version; those that deactivation paused go on. Warns of definitions that start each
    other, or write the same field at the same time."""
    switched = _definer(ports).activate(kind, name, body.version if body else None, by=by.key)
    return ActivatedDefinition.of(_switched(ports, switched), switched.warnings)


@routes.post(
    "/v1/definitions/{kind}/{name}/deactivate", role="operator", problems=("not_found", "conflict", "queue_unavailable")
)
def deactivate_definition(
    kind: Kind, name: Name, body: Annotated[Deactivate, Body()], ports: Ports, by: By
) -> DefinitionHead:
    """Switch a definition off, and say what becomes of the runs that wait."""
    return DefinitionHead.from_domain(
        _switched(ports, _definer(ports).deactivate(kind, name, body.live_runs, by=by.key))
    )


def _definer(ports: ApiPorts) -> Definer:
    return Definer(ports.definitions, ports.tools, ports.clock)


def _switched(ports: ApiPorts, switched: Switched) -> Head:
    if switched.command is not None:
        ports.queue.command(switched.command)
    return switched.head
