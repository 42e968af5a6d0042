"""Access: API keys, and the signing secrets of sources and webhooks."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from stagebell.api.endpoints import Routes
from stagebell.api.parameters import By, Cursor, Name, NewName, Ports, Word
from stagebell.contracts.api.access import ApiKey, ApiKeyPage, CreateKey, NewApiKey, SourceSecret, WebhookSecret
from stagebell.services import access

routes = Routes("access")


@routes.get("/v1/keys", role="admin")
def list_keys(ports: Ports, cursor: Cursor = None) -> ApiKeyPage:
    """List the API keys, revoked ones included."""
    page = ports.api_keys.all(cursor)
    return ApiKeyPage(items=tuple(map(ApiKey.from_domain, page.items)), cursor=page.cursor)


@routes.post("/v1/keys", role="admin", status=201, once="key")
def create_key(body: Annotated[CreateKey, Body()], ports: Ports) -> NewApiKey:
    """Make an API key.

    The answer is the only one that ever shows it; we keep its hash."""
    made = access.create(ports.api_keys, body.label, body.role, ports.clock.real_now())
    return NewApiKey.made(made.stored, made.text)


@routes.delete("/v1/keys/{id}", role="admin", problems=("not_found", "conflict"))
def revoke_key(id: Word, ports: Ports, by: By) -> None:
    """Revoke an API key.

    It stops working within a minute, as the gateway remembers keys for so long. A key cannot revoke itself."""
    access.revoke(ports.api_keys, id, by.key, ports.clock.real_now())


@routes.post("/v1/sources/{source}/secrets", role="admin", status=201, once="secret", problems=("not_found",))
def rotate_secret(source: Name, ports: Ports) -> SourceSecret:
    """Make a new signing secret for a source.

    The answer is the only one that ever shows it. The newest secret before it stays valid, so that the source can
    change over; older ones end now."""
    return SourceSecret(source=source, secret=access.rotate(ports.definitions, ports.secrets, source))


@routes.post("/v1/webhooks/{name}/secrets", role="admin", status=201, once="secret", problems=("conflict",))
def rotate_webhook_secret(name: NewName, ports: Ports) -> WebhookSecret:
    """Make a new secret that signs outgoing webhooks.

    Steps name it as `secret` in `call_webhook`; the first one makes the name. The answer is the only one that ever
    shows it. The newest secret before it signs as well until the next rotation, so that receivers can change over."""
    return WebhookSecret(name=name, secret=access.rotate_webhook(ports.secrets, name))
