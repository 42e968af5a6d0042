"""Write-backs: which sources could not be told what was changed here, and telling them once more."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import Cursor, Ports, Word
from stagebell.contracts.api.write_backs import WriteBack, WriteBackPage
from stagebell.domain.deliveries import State
from stagebell.services.replay import Replayer

routes = Routes("write-backs")


@routes.get("/v1/write-backs", role="viewer")
def list_write_backs(
    ports: Ports,
    state: Annotated[State, Query(description="failed: those that were given up")] = "failed",
    cursor: Cursor = None,
) -> WriteBackPage:
    """List the write-backs in a state, newest first.

    Go on as long as there is a `cursor`: a page may hold few or none though another follows."""
    page = ports.deliveries.in_state(state, cursor=cursor, channel="write_back")
    return WriteBackPage(items=tuple(map(WriteBack.from_domain, page.items)), cursor=page.cursor)


@routes.post("/v1/write-backs/{key}/replay", role="operator", problems=("not_found", "conflict", "record_busy"))
def replay_write_back(key: Word, ports: Ports) -> WriteBack:
    """Tell a source once more what it could not be told.

    It is tried for three more days. Where newer values have replaced what it says, nothing is sent: it is answered as
    `suppressed`, with the reason `overtaken`."""
    replayer = Replayer(ports.records, ports.outbox, ports.deliveries, ports.teller, ports.clock)
    return WriteBack.from_domain(replayer.replay(key))
