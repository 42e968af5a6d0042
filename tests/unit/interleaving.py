"""Two at the same time: at any moment of one piece of work, another one happens, wholly."""

from collections.abc import Callable
from typing import Any

from stagebell.runtime.offline import Offline
from stagebell.services.act import Actor
from stagebell.services.apply import Applier


class Moments:
    """Counts the moments before and after every call of a port; at one of them something else happens, once."""

    def __init__(self, at: int, happening: Callable[[], Any]) -> None:
        self.at, self.count, self._happening = at, 0, happening

    def passed(self) -> None:
        self.count += 1
        if self.count == self.at:
            self._happening()


class Fork:
    """A port whose calls are watched."""

    def __init__(self, port: Any, moments: Moments) -> None:
        self._port, self._moments = port, moments

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)

        def forked(*args: Any, **kwargs: Any) -> Any:
            self._moments.passed()
            answer = call(*args, **kwargs)
            self._moments.passed()
            return answer

        return forked


def forked_actor(here: Offline, moments: Moments) -> tuple[Actor, Any]:
    """An actor on watched ports, and its records."""
    records, runs = Fork(here.records, moments), Fork(here.runs, moments)
    scheduler, teller = Fork(here.scheduler, moments), Fork(here.teller, moments)
    applier = Applier(here.catalog, records, runs, scheduler, teller, here.clock)
    return Actor(applier, records, runs, here.clock, "offline"), records
