"""Deliveries: what was sent to whom, and what became of it; and the addresses that are not written to."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import Cursor, Id, Moment, Ports, Word
from stagebell.contracts.api.deliveries import Delivery, DeliveryPage, Suppression
from stagebell.domain.deliveries import Channel, State
from stagebell.domain.errors import NotFound
from stagebell.services import browse

routes = Routes("deliveries")


@routes.get("/v1/deliveries", role="viewer")
def list_deliveries(
    ports: Ports,
    state: Annotated[State | None, Query(description="Needed unless run or record is given")] = None,
    run: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    record: Annotated[str | None, Query(description="As object/id", max_length=512)] = None,
    since: Moment = None,
    until: Moment = None,
    cursor: Cursor = None,
) -> DeliveryPage:
    """List deliveries, newest first.

    Those in a state, planned from `since` to before `until`; or those of a run, or of a record."""
    page = browse.deliveries(ports.deliveries, browse.Wanted(state, run, record, since, until), cursor)
    return DeliveryPage(items=tuple(map(Delivery.from_domain, page.items)), cursor=page.cursor)


@routes.get("/v1/deliveries/{key}", role="viewer", problems=("not_found",))
def get_delivery(key: Word, ports: Ports) -> Delivery:
    """Read a delivery."""
    return Delivery.from_domain(browse.delivery(ports.deliveries, key))


@routes.get("/v1/suppressions/{channel}/{address}", role="operator", problems=("not_found",))
def get_suppression(channel: Annotated[Channel, Path()], address: Id, ports: Ports) -> Suppression:
    """Say why an address is not written to."""
    reason = ports.suppressions.reason(channel, address)
    if reason is None:
        raise NotFound("this address is not suppressed")
    return Suppression(channel=channel, address=address, reason=reason)


@routes.delete("/v1/suppressions/{channel}/{address}", role="operator")
def remove_suppression(channel: Annotated[Channel, Path()], address: Id, ports: Ports) -> None:
    """Write to an address again."""
    ports.suppressions.remove(channel, address)
