"""AWS calls by the function that makes them, counted where botocore makes them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest import mock

from stagebell.runtime import wiring
from tests.machines import world
from tests.machines.recorder import acting
from tests.machines.resources import STACK

READS = ("BatchGetItem", "GetItem", "GetSecretValue", "Query")
CALLED = ("dynamodb", "sqs", "stepfunctions", "secretsmanager")
SENDING = ("sesv2", "sns")

type Calls = Counter[str]

_CALLER: ContextVar[str] = ContextVar("caller", default="")


class Tally:
    """What each function has called since the last `forget`. Lambda's own pollers are none of them."""

    def __init__(self) -> None:
        self._calls: dict[str, Calls] = defaultdict(Counter)

    def of(self, function: str) -> Calls:
        return self._calls[f"{STACK}-{function.replace('_', '-')}"]

    def all(self) -> Calls:
        return sum(self._calls.values(), Counter())

    def forget(self) -> None:
        self._calls.clear()

    @contextmanager
    def listening(self) -> Iterator["Tally"]:
        """Within a world."""
        clients = [*map(wiring.client, CALLED), *map(wiring.sending_client, SENDING)]
        for client in clients:
            client.meta.events.register("before-call", self._called)
        with mock.patch.object(world, "acting", _calling):
            yield self
        for client in clients:
            client.meta.events.unregister("before-call", self._called)

    def _called(self, model: Any, **_rest: Any) -> None:
        if function := _CALLER.get():
            self._calls[function][f"{model.service_model.service_name}.{model.name}"] += 1


@contextmanager
def _calling(function: str) -> Iterator[None]:
    token = _CALLER.set(function)
    with acting(function):
        yield
    _CALLER.reset(token)


def told(calls: Mapping[str, int]) -> str:
    """Reads and all else, each with how often."""
    reads = {name: count for name, count in calls.items() if name.partition(".")[2] in READS}
    rest = {name: count for name, count in calls.items() if name not in reads}
    parts = (("read", reads), ("do", rest))
    return "; ".join(f"{sum(found.values())} {word}: {listed(found)}" for word, found in parts if found)


def listed(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" if count > 1 else name for name, count in sorted(calls.items()))
