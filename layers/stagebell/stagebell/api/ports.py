"""Everything the API needs from the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from stagebell.ports.access import ApiKeys, Requests
from stagebell.ports.clock import Clock
from stagebell.ports.definitions import Definitions
from stagebell.ports.deliveries import Deliveries, Suppressions
from stagebell.ports.inbox import Inbox
from stagebell.ports.outbox import Outbox, Teller
from stagebell.ports.queues import ChangeQueue
from stagebell.ports.records import Records
from stagebell.ports.runs import Runs, Scheduler
from stagebell.ports.secrets import Secrets
from stagebell.services.catalog import Catalog
from stagebell.services.checks.world import Tools


@dataclass(frozen=True, slots=True)
class ApiPorts:
    """The ports of one deployment."""

    definitions: Definitions
    records: Records
    runs: Runs
    deliveries: Deliveries
    queue: ChangeQueue
    scheduler: Scheduler
    teller: Teller
    outbox: Outbox
    suppressions: Suppressions
    inbox: Inbox
    secrets: Secrets
    api_keys: ApiKeys
    requests: Requests
    clock: Clock
    catalog: Catalog
    tools: Tools


def deferred(**makers: Callable[[], Any]) -> ApiPorts:
    """Ports that are made when an endpoint first asks for them: most requests need one or two."""
    return cast(ApiPorts, _Deferred(makers))


class _Deferred:
    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = makers

    def __getattr__(self, name: str) -> Any:
        return self._makers[name]()
