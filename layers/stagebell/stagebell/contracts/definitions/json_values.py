"""JSON as written: what functions and webhooks are given. Numbers stay numbers, as far as JSON carries them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, StringConstraints, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.templates import SOURCE_LIMIT
from stagebell.contracts.definitions.values import FromField, FromTemplate
from stagebell.contracts.model import Model, written

BODY_LIMIT = 1_000  # keys and values of a webhook's body
KEY_LIMIT = 200

_SCALARS: list[dict[str, Any]] = [{"type": kind} for kind in ("string", "number", "boolean")]


def _scalar(value: Any) -> Any:
    match value:
        case str() if len(value) > SOURCE_LIMIT:
            raise PydanticCustomError("length", "a text is limited to {limit} characters", {"limit": SOURCE_LIMIT})
        case str() | int():
            return value
        case float() | Decimal():
            return _number(Decimal(repr(value)) if isinstance(value, float) else value)
    raise PydanticCustomError("literal", "expected text, a number, true or false")


def _number(value: Decimal) -> int | float:
    if not value.is_finite() or abs(value.adjusted()) > 40:
        raise PydanticCustomError("number", "expected a number of usual size")
    if value == value.to_integral_value():
        return int(value)
    if Decimal(repr(float(value))) != value:
        raise PydanticCustomError("number", "JSON carries about 15 digits of a number: write it in quotes, as text")
    return float(value)


def _literal(value: Any) -> Any:
    return [_scalar(item) for item in value] if isinstance(value, list) else _scalar(value)


def _body(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise PydanticCustomError("mapping", "the body of a webhook is a mapping")
    copied = _copied(value)
    if (size := _size(copied)) > BODY_LIMIT:
        text = "a body is limited to {limit} values, not {size}"
        raise PydanticCustomError("count", text, {"limit": BODY_LIMIT, "size": size})
    return copied


def _copied(value: Any) -> Any:
    match value:
        case None:
            return None
        case Mapping():
            return {_key(key): _copied(inner) for key, inner in value.items()}
        case list():
            return [_copied(inner) for inner in value]
    return _scalar(value)


def _key(key: Any) -> str:
    if not isinstance(key, str) or len(key) > KEY_LIMIT:
        raise PydanticCustomError("form", "a key of JSON is a text of up to {limit} characters", {"limit": KEY_LIMIT})
    return key


def _size(value: Any) -> int:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


type JsonBody = Annotated[dict[str, Any], BeforeValidator(_body), WithJsonSchema({"type": "object"})]
"""JSON whose texts are templates."""


def _given_by(value: Any) -> str | None:
    if not isinstance(value, Mapping | Model):
        return "<literal>"
    return next((f"<{word}>" for word in ("field", "template") if word in written(value)), None)


type Parameter = Annotated[
    Annotated[
        Any,
        BeforeValidator(_literal),
        WithJsonSchema({"anyOf": [*_SCALARS, {"type": "array", "items": {"anyOf": _SCALARS}}]}),
        Tag("<literal>"),
    ]
    | Annotated[FromField, Tag("<field>")]
    | Annotated[FromTemplate, Tag("<template>")],
    Discriminator(
        _given_by,
        custom_error_type="value_form",
        custom_error_message="a parameter is a literal, a list of literals, {field: …} or {template: …}",
    ),
]
type ParameterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
