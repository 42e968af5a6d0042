"""Records: the mirrors, their history, their runs and deliveries, and why something did or did not happen."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import Cursor, Edits, Id, Name, Ports
from stagebell.contracts.api.deliveries import Delivery, DeliveryPage
from stagebell.contracts.api.records import Change, ChangePage, EditRecord, Explanation, Record, Why
from stagebell.contracts.api.runs import Run, RunPage
from stagebell.domain.changes import RecordKey
from stagebell.services import browse
from stagebell.services.explain import Explainer

routes = Routes("records")
_EDITING = ("not_found", "conflict", "record_busy")


@routes.get("/v1/records/{object}/{id}", role="viewer", problems=("not_found",))
def get_record(object: Name, id: Id, ports: Ports) -> Record:
    """Read a record.

    Its values as they stand, when each was written, and the runs that go for it."""
    return Record.from_domain(browse.record(ports.records, RecordKey(object, id)))


@routes.patch("/v1/records/{object}/{id}", role="integrator", problems=(*_EDITING, "record_locked"))
def edit_record(object: Name, id: Id, body: Annotated[EditRecord, Body()], edits: Edits) -> Record:
    """Write values of a record.

    A change like any other: kept in the record's history under the id of the API key, told to the sources that listen,
    and followed by whatever definitions make of it."""
    return Record.from_domain(edits.edit(RecordKey(object, id), body.fields))


@routes.post("/v1/records/{object}/{id}/lock", role="operator", problems=_EDITING)
def lock_record(object: Name, id: Id, body: Annotated[Why, Body()], edits: Edits) -> Record:
    """Lock a record.

    Actions and edits of it are refused until it is unlocked; authoritative sources are still mirrored. Locking it twice
    keeps the first reason."""
    return Record.from_domain(edits.lock(RecordKey(object, id), body.why))


@routes.post("/v1/records/{object}/{id}/unlock", role="operator", problems=_EDITING)
def unlock_record(object: Name, id: Id, body: Annotated[Why, Body()], edits: Edits) -> Record:
    """Unlock a record.

    Unlocking it twice is harmless."""
    return Record.from_domain(edits.unlock(RecordKey(object, id), body.why))


@routes.get("/v1/records/{object}/{id}/changes", role="viewer", problems=("not_found",))
def list_changes(object: Name, id: Id, ports: Ports, cursor: Cursor = None) -> ChangePage:
    """List the changes of a record, newest first."""
    key = RecordKey(object, id)
    page = browse.of_record(ports.records, key, ports.records.history(key, cursor), cursor)
    return ChangePage(items=tuple(map(Change.from_domain, page.items)), cursor=page.cursor)


@routes.get("/v1/records/{object}/{id}/runs", role="viewer", problems=("not_found",))
def list_runs_of_record(object: Name, id: Id, ports: Ports, cursor: Cursor = None) -> RunPage:
    """List the runs of a record, newest first."""
    key = RecordKey(object, id)
    page = browse.of_record(ports.records, key, ports.runs.of_record(key, cursor), cursor)
    return RunPage(items=tuple(map(Run.from_domain, page.items)), cursor=page.cursor)


@routes.get("/v1/records/{object}/{id}/deliveries", role="viewer", problems=("not_found",))
def list_deliveries_of_record(object: Name, id: Id, ports: Ports, cursor: Cursor = None) -> DeliveryPage:
    """List the deliveries of a record, newest first."""
    key = RecordKey(object, id)
    page = browse.of_record(ports.records, key, ports.deliveries.of_record(key, cursor), cursor)
    return DeliveryPage(items=tuple(map(Delivery.from_domain, page.items)), cursor=page.cursor)


@routes.get(
    "/v1/records/{object}/{id}/changes/{change}/explanation",
    role="viewer",
    problems=("not_found", "definition_broken"),
)
def explain_change(
    object: Name,
    id: Id,
    change: Id,
    ports: Ports,
    definition: Annotated[str | None, Query(description="Also why this workflow or scenario was not tried")] = None,
) -> Explanation:
    """Explain a change.

    For each definition: which condition said what, with the values it saw."""
    ports.catalog.refresh()
    told = Explainer(ports.catalog, ports.records).explain(RecordKey(object, id), change, definition)
    return Explanation(change=change, definitions=tuple(told))
