"""AWS without a network: the answers that moto gave once, given again at once, so that only our own time is left."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from botocore import xform_name
from botocore.awsrequest import AWSResponse
from moto.core.models import botocore_stubber


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made, to be made again."""

    client: Any
    operation: str
    parameters: Mapping[str, Any]

    @property
    def table(self) -> str:
        """Empty where it is about none, or about several at once."""
        return str(self.parameters.get("TableName", ""))

    def __call__(self) -> None:
        getattr(self.client, xform_name(self.operation))(**self.parameters)


@dataclass
class Canned:
    """While `rehearsing`, calls and the last answer of each operation on each table are noted; while `playing`, nothing
    is sent."""

    clients: Sequence[Any]
    calls: list[Call] = field(default_factory=list)
    _answers: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(dict))

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        noters = [_Noter(self, client) for client in self.clients]
        for client, noter in zip(self.clients, noters, strict=True):
            client.meta.events.register("provide-client-params", noter.asked)
            client.meta.events.register("before-parse", self._answered)
        yield
        for client, noter in zip(self.clients, noters, strict=True):
            client.meta.events.unregister("provide-client-params", noter.asked)
            client.meta.events.unregister("before-parse", self._answered)

    @contextmanager
    def playing(self) -> Iterator[None]:
        for client in self.clients:
            client.meta.events.register("before-send", self._answer)
        with mock.patch.object(botocore_stubber, "enabled", False):  # botocore asks every handler, moto's as well
            yield
        for client in self.clients:
            client.meta.events.unregister("before-send", self._answer)

    def _answered(self, operation_model: Any, response_dict: Mapping[str, Any], **_rest: Any) -> None:
        self._answers[operation_model.name][self.calls[-1].table] = dict(response_dict)

    def _answer(self, request: Any, event_name: str, **_rest: Any) -> AWSResponse:
        answers = self._answers[event_name.rpartition(".")[2]]
        table = next(iter(answers)) if len(answers) == 1 else json.loads(request.body)["TableName"]
        known = answers[table]
        return AWSResponse(request.url, known["status_code"], known["headers"], _Body(known["body"]))


@dataclass(frozen=True, slots=True)
class _Noter:
    canned: Canned
    client: Any

    def asked(self, params: Mapping[str, Any], model: Any, **_rest: Any) -> None:
        self.canned.calls.append(Call(self.client, model.name, dict(params)))


@dataclass(frozen=True, slots=True)
class _Body:
    content: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.content
