"""Runs: reading, cancelling, and starting by hand."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import Cursor, Name, Ports, Starts, Word
from stagebell.contracts.api.deliveries import Delivery, DeliveryPage
from stagebell.contracts.api.runs import CancelRun, Run, RunPage, StartRun
from stagebell.domain.changes import RecordKey
from stagebell.services import browse
from stagebell.services.finish import Finisher

routes = Routes("runs")


@routes.get("/v1/runs", role="viewer")
def list_runs(
    ports: Ports,
    definition: Annotated[str, Query(description="The name of a workflow or scenario", min_length=1, max_length=63)],
    cursor: Cursor = None,
) -> RunPage:
    """List the runs of a workflow or scenario, newest first."""
    page = ports.runs.of_definition(definition, cursor)
    return RunPage(items=tuple(map(Run.from_domain, page.items)), cursor=page.cursor)


@routes.get("/v1/runs/{run}", role="viewer", problems=("not_found",))
def get_run(run: Word, ports: Ports) -> Run:
    """Read a run, with its steps, their times and reasons."""
    return Run.from_domain(browse.run(ports.runs, run))


@routes.get("/v1/runs/{run}/deliveries", role="viewer", problems=("not_found",))
def list_deliveries_of_run(run: Word, ports: Ports, cursor: Cursor = None) -> DeliveryPage:
    """List the deliveries of a run, newest first."""
    page = browse.of_run(ports.runs, run, ports.deliveries.of_run(run, cursor), cursor)
    return DeliveryPage(items=tuple(map(Delivery.from_domain, page.items)), cursor=page.cursor)


@routes.post("/v1/runs/{run}/cancel", role="operator", problems=("not_found", "conflict", "record_busy"))
def cancel_run(run: Word, ports: Ports, body: Annotated[CancelRun | None, Body()] = None) -> Run:
    """Cancel a run.

    Its waiting steps end at once; what was sent stays sent. Cancelling twice is harmless."""
    finisher = Finisher(ports.runs, ports.scheduler, ports.clock)
    return Run.from_domain(finisher.cancel(run, (body or CancelRun()).reason))


NOT_STARTED = ("not_found", "conflict", "definition_broken", "record_busy")


@routes.post("/v1/scenarios/{name}/runs", role="integrator", status=201, problems=NOT_STARTED)
def start_scenario(name: Name, body: Annotated[StartRun, Body()], starts: Starts) -> Run:
    """Start a scenario for a record.

    The scenario must be active and have the trigger `manual`; its conditions and limits hold as for any other start."""
    return Run.from_domain(starts.start("scenario", name, RecordKey(body.object, body.id)))


@routes.post("/v1/workflows/{name}/runs", role="integrator", status=201, problems=NOT_STARTED)
def start_workflow(name: Name, body: Annotated[StartRun, Body()], starts: Starts) -> Run:
    """Start a workflow for a record.

    The workflow must be active and have the trigger `manual`; its conditions and limits hold as for any other start."""
    return Run.from_domain(starts.start("workflow", name, RecordKey(body.object, body.id)))
