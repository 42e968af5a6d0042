"""DynamoDB tables: reads, conditional writes, transactions and pages, with every error translated.

`Expression` texts write names as `#name` and values as `:value`; names are collected from the text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.adapters.cursors import read_cursor, write_cursor
from stagebell.adapters.dynamodb_items import Item, attribute, item
from stagebell.domain.errors import InvalidInput, Problem, RecordBusy, StagebellError

type Client = Any  # of a botocore session; its methods are made at run time
type Key = Mapping[str, str]
type Write = dict[str, dict[str, Any]]

PAGE_SIZE = 50
_READS = 10
_READ_AT_ONCE = 1_000  # of which only some are wanted
_NAME = re.compile(r"#(\w+)")
_REFUSED = "ConditionalCheckFailed"
_BUSY = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class Expression:
    """A condition, update or key condition with the values it speaks of."""

    def __init__(self, text: str, **values: Any) -> None:
        self.text = text
        self._values = values

    def arguments(self, parameter: str) -> dict[str, Any]:
        """As the service's arguments; `parameter` is what the text is called there."""
        names = {f"#{name}": name for name in _NAME.findall(self.text)}
        values = {f":{name}": attribute(value) for name, value in self._values.items()}
        given: dict[str, Any] = {parameter: self.text, "ExpressionAttributeNames": names}
        return given | ({"ExpressionAttributeValues": values} if values else {})

    def joined(self, other: "Expression | None", parameter: str, other_parameter: str) -> dict[str, Any]:
        """This and another expression in one call."""
        first = self.arguments(parameter)
        for name, value in (other.arguments(other_parameter) if other else {}).items():
            first[name] = {**first.get(name, {}), **value} if isinstance(value, dict) else value
        return first


@dataclass(frozen=True, slots=True)
class Listing:
    """A query that is read in pages: `key` are the attributes that tell where it goes on. `only` some of the items are
    wanted: it is for those that are not rare, as the others are read too."""

    condition: Expression
    key: tuple[str, ...]
    index: str = ""
    newest_first: bool = False
    name: str = ""  # with its parameters: a cursor fits no other
    only: Expression | None = None


@dataclass(frozen=True, slots=True)
class RawPage:
    items: Sequence[Item]
    cursor: str | None


class Table:
    """One table. Reads are consistent where the service offers it (not on indexes)."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: Key) -> Item | None:
        with translated(self.name):
            found = self.client.get_item(TableName=self.name, Key=item(key), ConsistentRead=True)
        stored: Item | None = found.get("Item")
        return stored

    def put(self, values: Mapping[str, Any], condition: Expression | None = None) -> bool:
        """False where the condition does not hold."""
        return self._write("put_item", self.putting(values, condition)["Put"])

    def update(self, key: Key, change: Expression, condition: Expression | None = None) -> bool:
        return self._write("update_item", self.updating(key, change, condition)["Update"])

    def delete(self, key: Key) -> None:
        self._write("delete_item", self.deleting(key)["Delete"])

    def _write(self, method: str, arguments: dict[str, Any]) -> bool:
        try:
            with translated(self.name):
                getattr(self.client, method)(**arguments)
        except ConditionRefused:
            return False
        return True

    def putting(self, values: Mapping[str, Any], condition: Expression | None = None) -> Write:
        return {"Put": {"TableName": self.name, "Item": item(values), **_condition(condition)}}

    def updating(self, key: Key, change: Expression, condition: Expression | None = None) -> Write:
        expressions = change.joined(condition, "UpdateExpression", "ConditionExpression")
        return {"Update": {"TableName": self.name, "Key": item(key), **expressions}}

    def deleting(self, key: Key) -> Write:
        return {"Delete": {"TableName": self.name, "Key": item(key)}}

    def checking(self, key: Key, condition: Expression) -> Write:
        return {"ConditionCheck": {"TableName": self.name, "Key": item(key), **_condition(condition)}}

    def every(self, condition: Expression) -> Iterator[Item]:
        """All items under a key condition, whatever their number."""
        position: dict[str, Any] = {}
        while True:
            answer = self._query(condition, {"ConsistentRead": True} | position)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            position = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def page(self, listing: Listing, cursor: str | None, size: int) -> RawPage:
        """One item more than a page is asked for, so that the last page is known to be the last. Where only some are
        wanted, a page may hold fewer of them, or none, and the next one more."""
        arguments: dict[str, Any] = {"Limit": size + 1, "ScanIndexForward": not listing.newest_first}
        arguments |= {"IndexName": listing.index} if listing.index else {"ConsistentRead": True}
        if cursor is not None:
            arguments["ExclusiveStartKey"] = _position(listing, cursor)
        try:
            items, more = self._some(listing, arguments, size)
        except _Invalid as error:
            raise _bad_cursor() if cursor is not None else error from error
        if len(items) > size:
            items = items[:size]
            more = items[-1]
        return RawPage(items, _cursor(listing, more) if more else None)

    def _some(self, listing: Listing, arguments: dict[str, Any], size: int) -> tuple[list[Item], Item | None]:
        if listing.only is None:
            answer = self._query(listing.condition, arguments)
            return answer["Items"], answer.get("LastEvaluatedKey")
        items: list[Item] = []
        for _ in range(_READS):
            answer = self._query(listing.condition, arguments | {"Limit": _READ_AT_ONCE}, listing.only)
            items += answer["Items"]
            more = answer.get("LastEvaluatedKey")
            if len(items) > size or not more:
                break
            arguments = arguments | {"ExclusiveStartKey": more}
        return items, more

    def count(self, index: str, condition: Expression, limit: int) -> int:
        """How many items there are under a key condition of an index, counted up to a limit."""
        found = 0
        position: dict[str, Any] = {}
        while found < limit:
            arguments = {"IndexName": index, "Select": "COUNT", "Limit": limit - found} | position
            answer = self._query(condition, arguments)
            found += answer["Count"]
            if not answer.get("LastEvaluatedKey"):
                break
            position = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found

    def _query(
        self, condition: Expression, arguments: dict[str, Any], only: Expression | None = None
    ) -> dict[str, Any]:
        given = condition.joined(only, "KeyConditionExpression", "FilterExpression")
        with translated(self.name):
            answer: dict[str, Any] = self.client.query(TableName=self.name, **given, **arguments)
        return answer


def transact(client: Client, writes: Sequence[Write]) -> Sequence[str]:
    """Write all or nothing. Empty when done; else, per write, `refused`, `conflict` or nothing.

    botocore sends each transaction with a token of its own, so its retries do not write twice."""
    try:
        with translated("transaction"):
            client.transact_write_items(TransactItems=list(writes))
    except _Cancelled as error:
        if error.busy:
            raise RecordBusy("the tables are throttled; trying again later is safe") from error
        return error.reasons
    return ()


class ConditionRefused(Exception):
    """The condition of a single write does not hold."""


class _Invalid(StagebellError):
    """The service calls a request invalid."""


class _Cancelled(Exception):
    """A transaction was cancelled."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(", ".join(codes))
        words = {_REFUSED: "refused", "TransactionConflict": "conflict", "None": ""}
        self.reasons = tuple(words.get(code, code) for code in codes)
        self.busy = not any(reason == "refused" for reason in self.reasons) and any(code in _BUSY for code in codes)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Third-party errors as our own: RecordBusy where trying again is safe, else StagebellError."""
    try:
        yield
    except ClientError as error:
        raise _translated(what, error) from error
    except BotoCoreError as error:
        raise RecordBusy(f"DynamoDB could not be reached for {what}: {error}") from error


def _translated(what: str, error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    match code:
        case "ConditionalCheckFailedException":
            return ConditionRefused(what)
        case "TransactionCanceledException":
            return _Cancelled(_codes(error))
        case "ValidationException":
            return _Invalid(f"DynamoDB refused a request for {what} as invalid: {error}")
    if code in _BUSY or status >= 500:
        return RecordBusy(f"DynamoDB asked to try {what} again later: {code}")
    return StagebellError(f"DynamoDB refused a request for {what}: {error}")


def _codes(error: ClientError) -> list[str]:
    reasons: Any = error.response.get("CancellationReasons", ())
    if reasons:
        return [reason.get("Code", "None") for reason in reasons]
    listed = re.search(r"\[([\w, ]+)\]", str(error))
    return listed[1].split(", ") if listed else []


def _condition(condition: Expression | None) -> dict[str, Any]:
    return condition.arguments("ConditionExpression") if condition else {}


def _cursor(listing: Listing, place: Item) -> str:
    return write_cursor(listing.name, [place[name]["S"] for name in listing.key])


def _position(listing: Listing, cursor: str) -> Item:
    parts = read_cursor(listing.name, cursor)
    if not isinstance(parts, list) or len(parts) != len(listing.key) or not all(isinstance(p, str) for p in parts):
        raise _bad_cursor()
    return {name: {"S": part} for name, part in zip(listing.key, parts, strict=True)}


def _bad_cursor() -> InvalidInput:
    return InvalidInput([Problem("cursor", "cursor", "this is no cursor: take it from the page before, unchanged")])
