"""Which function asks AWS for what, in the words that policies use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_ACTING: ContextVar[str] = ContextVar("acting", default="")
_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


@dataclass(frozen=True, order=True)
class Use:
    """One permission that a function needed. The resource is its logical id, or what its name is built of."""

    function: str
    action: str
    resource: str


@contextmanager
def acting(function: str) -> Iterator[None]:
    """What is called meanwhile in this thread, is called by this function."""
    token = _ACTING.set(function)
    try:
        yield
    finally:
        _ACTING.reset(token)


@dataclass
class Recorder:
    """`calls` are operations as `dynamodb.Query`; `uses` what they needed, of calls made by a function."""

    calls: list[str] = field(default_factory=list)
    uses: set[Use] = field(default_factory=set)

    @contextmanager
    def listening(self, clients: list[Any]) -> Iterator[None]:
        def called(model: Any, **_rest: Any) -> None:
            self.calls.append(f"{model.service_model.service_name}.{model.name}")

        def asked(params: Mapping[str, Any], model: Any, **_rest: Any) -> None:
            if function := _ACTING.get():
                found = needs(model.service_model.service_name, model.name, params)
                self.uses.update(Use(function, action, resource) for action, resource in found)

        for made in clients:
            made.meta.events.register("before-call", called)
            made.meta.events.register("before-parameter-build", asked)
        yield
        for made in clients:
            made.meta.events.unregister("before-call", called)
            made.meta.events.unregister("before-parameter-build", asked)


def needs(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    match service:
        case "dynamodb":
            yield from _tables(operation, params)
        case "sqs":
            name = params["QueueUrl"].rpartition("/")[2].removesuffix(".fifo").partition("-")[2]
            action = "SendMessage" if operation.startswith("SendMessage") else operation
            yield f"sqs:{action}", "".join(map(str.capitalize, name.split("-"))) + "Queue"
        case "stepfunctions" if operation == "StopExecution":
            machine, name = params["executionArn"].split(":")[-2:]
            yield "states:StopExecution", f"execution:{_machine(machine)}:{name}"
        case "stepfunctions":
            yield f"states:{operation}", _machine(params["stateMachineArn"].rpartition(":")[2])
        case "secretsmanager":
            yield f"secretsmanager:{operation}", f"secret:{params.get('SecretId') or params['Name']}"
        case "sesv2":
            yield f"ses:{operation}", "identity/example.com"
        case _:
            yield f"{service}:{operation}", "*"


def _machine(name: str) -> str:
    return name.rpartition("-")[2].capitalize() + "Machine"


def _tables(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation == "TransactWriteItems":
        for write in params["TransactItems"]:
            ((kind, arguments),) = write.items()
            yield f"dynamodb:{_WRITES[kind]}", arguments["TableName"]
    elif operation == "BatchGetItem":
        for table in params["RequestItems"]:
            yield "dynamodb:BatchGetItem", table
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", params["TableName"] + index
