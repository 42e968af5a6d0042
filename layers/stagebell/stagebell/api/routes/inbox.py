"""The inbox: what users were told, and what they have read of it."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import Cursor, Id, Ports, Word
from stagebell.contracts.api.inbox import MarkedRead, Notice, NoticePage, UnreadCount
from stagebell.services import inbox

routes = Routes("inbox")


@routes.get("/v1/users/{user}/inbox", role="viewer", problems=("not_found",))
def list_notices(
    user: Id,
    ports: Ports,
    unread: Annotated[bool, Query(description="true: only those that are unread")] = False,
    cursor: Cursor = None,
) -> NoticePage:
    """List the notices of a user, newest first.

    Those that were read are kept as long as history is; unread ones stay."""
    page = inbox.notices(ports.inbox, ports.records, user, cursor, unread=unread)
    return NoticePage(items=tuple(map(Notice.from_domain, page.items)), cursor=page.cursor)


@routes.get("/v1/users/{user}/inbox/unread", role="viewer", problems=("not_found",))
def count_unread_notices(user: Id, ports: Ports) -> UnreadCount:
    """Count the unread notices of a user."""
    return UnreadCount(count=inbox.unread(ports.inbox, ports.records, user))


@routes.post("/v1/users/{user}/inbox/read", role="integrator", problems=("not_found", "record_busy"))
def mark_all_notices_read(user: Id, ports: Ports) -> MarkedRead:
    """Mark all notices of a user as read.

    Those that arrive at the same moment may stay unread."""
    return MarkedRead(marked=inbox.mark_all_read(ports.inbox, ports.records, user, ports.clock.now()))


@routes.post("/v1/users/{user}/inbox/{id}/read", role="integrator", problems=("not_found", "record_busy"))
def mark_notice_read(user: Id, id: Word, ports: Ports) -> Notice:
    """Mark a notice as read.

    Marking it twice keeps the first time."""
    return Notice.from_domain(inbox.mark_read(ports.inbox, user, id, ports.clock.now()))
