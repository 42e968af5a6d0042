"""Functions of the customer's in this process."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from stagebell.adapters.invocations import answer_of, payload_text
from stagebell.domain.errors import ChannelMisconfigured

type Handler = Callable[[dict[str, Any], None], object]


class MemoryFunctions:
    """`handlers` by ARN, called as Lambda calls them: what they get and answer travels as JSON.

    A function that is not among them may not be invoked, as in AWS; with `silent` it answers null instead: a history
    can be gone through without the functions. `invoked` keeps the payloads."""

    def __init__(self, handlers: Mapping[str, Handler] | None = None, *, silent: bool = False) -> None:
        self.handlers = dict(handlers or {})
        self.invoked: list[Mapping[str, Any]] = []
        self.silent = silent

    def invoke(self, arn: str, payload: Mapping[str, Any], timeout: float) -> Any:
        text = payload_text(payload)
        handler = self.handlers.get(arn)
        if handler is None and self.silent:
            return None
        if handler is None:
            raise ChannelMisconfigured(f"function {arn} is not there")
        self.invoked.append(json.loads(text))
        return answer_of(json.dumps(handler(json.loads(text), None), ensure_ascii=False).encode())
