"""DynamoDB items: plain values to attribute values and back.

Text, whole numbers, booleans and bytes are themselves; lists and mappings become one JSON text. What is empty is left
out, so that it may be (or not be) part of an index key."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

type Values = dict[str, Any]
type Item = dict[str, dict[str, Any]]

ITEM_LIMIT = 380 * 1024  # bytes; the service's is 400 KB, names and numbers included
KEY_LIMIT = 900  # bytes; the service's is 1,024 for a sort key, prefixes included


def item(values: Mapping[str, Any]) -> Item:
    return {name: attribute(value) for name, value in values.items() if not _empty(value)}


def attribute(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
    return {"S": json_text(value)}


def _empty(value: Any) -> bool:
    return value is None or (not isinstance(value, bool | int) and not value)


def json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def values_of(stored: Item, json_names: Iterable[str] = ()) -> Values:
    """The plain values of an item; those named are JSON texts, packed or not."""
    values = {name: _value(*next(iter(typed.items()))) for name, typed in stored.items()}
    for name in json_names:
        if name in values:
            values[name] = json.loads(unpacked(values[name]))
    return values


def _value(kind: str, value: Any) -> Any:
    return int(value) if kind == "N" else value


def packed(values: Mapping[str, Any], big: Iterable[str], spare: Iterable[str] = ()) -> Values:
    """The values with those in `big` as JSON text, compressed where the item would be too large for the table.

    Where it still is, those in `spare` are left out one after the other and named in `left_out`."""
    fitted = {name: json_text(value) if name in big and not _empty(value) else value for name, value in values.items()}
    if _size(fitted) <= ITEM_LIMIT:
        return fitted
    for name in big:
        if isinstance(text := fitted.get(name), str):
            fitted[name] = zlib.compress(text.encode())
    left_out: list[str] = []
    for name in spare:
        if _size(fitted) > ITEM_LIMIT:
            del fitted[name]
            left_out.append(name)
    return fitted | {"left_out": left_out} if left_out else fitted


def packed_text(value: Any) -> str | bytes:
    """One value as JSON text, compressed where it is too large."""
    text = json_text(value)
    return text if _length(text) <= ITEM_LIMIT else zlib.compress(text.encode())


def unpacked(value: str | bytes) -> str:
    return value if isinstance(value, str) else zlib.decompress(value).decode()


def _size(values: Mapping[str, Any]) -> int:
    return sum(len(name) + _length(value) for name, value in values.items() if not _empty(value))


def _length(value: Any) -> int:
    match value:
        case bytes():
            return len(value)
        case str():
            return len(value.encode())
        case bool() | int():
            return 21
    return len(json_text(value).encode())


def key_text(text: str) -> str:
    """Text as part of a key: itself, or a hash of it where it is too long."""
    if len(text.encode()) <= KEY_LIMIT:
        return text
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
