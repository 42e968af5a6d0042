"""Deliveries: what was sent to whom, and what became of it; and the addresses that are not written to."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import Cursor, Moment, Ports, Word, one
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
    record: Annotated[str | None, Query(description="As object/id", max_length=512), one] = None,
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


# In the query: an address may hold slashes, which the gateway decodes, and paths are logged.
ItsChannel = Annotated[Channel, Query(description="email, sms or webhook")]
Address = Annotated[str, Query(description="An e-mail or web address, or a number", min_length=1, max_length=2048), one]


@routes.get("/v1/suppressions", role="operator", problems=("not_found",))
def get_suppression(channel: ItsChannel, address: Address, ports: Ports) -> Suppression:
    """Say why an address is not written to."""
    reason = ports.suppressions.reason(channel, address)
    if reason is None:
        raise NotFound("this address is not suppressed")
    return Suppression(channel=channel, address=address, reason=reason)


@routes.delete("/v1/suppressions", role="operator")
def remove_suppression(channel: ItsChannel, address: Address, ports: Ports) -> None:
    """Write to an address again."""
    ports.suppressions.remove(channel, address)
