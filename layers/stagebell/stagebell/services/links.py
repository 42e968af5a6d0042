"""Links: where people see a record, as the `record_url` of its object says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote
from zoneinfo import ZoneInfo

from stagebell.domain.errors import RenderFailed, TemplateError
from stagebell.domain.fields import Field, Value
from stagebell.domain.objects import ObjectType
from stagebell.domain.views import fold
from stagebell.ports.messages import Renderer

LENGTH_LIMIT = 2_048  # bytes
_OF_ADDRESSES = ":/?#[]@!$&'()*+,;=%~"  # RFC 3986: what an address is made of, and what is encoded already
_ADDRESS = re.compile(r"https?://[^/?#]+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Link:
    """An address (empty where there is none) and what it leads to."""

    url: str = ""
    title: str = ""


def record_url(kind: ObjectType, id: str, fields: Mapping[str, Value], renderer: Renderer) -> str:
    """The address of a record; empty where its object has none, or its values make no http address.

    Values are percent-encoded, each for itself; those of url fields are addresses already. Raises RenderFailed."""
    source = kind.record_url
    if not source:
        return ""
    spoken_of = {fold(word) for word in _WORD.findall(source)}
    given = {"id": id} | {name: value for name, value in fields.items() if fold(name) in spoken_of}
    variables = {name: _encoded(kind.fields.get(name), value) for name, value in given.items()}
    try:
        made = renderer.render(source, variables, html=False, locale="en", zone=_UTC, limit=LENGTH_LIMIT)
    except (RenderFailed, TemplateError) as error:
        raise RenderFailed(f"the record_url of {kind.name}: {error.message}") from error
    address = quote(made.strip(), safe=_OF_ADDRESSES)
    return address if _ADDRESS.match(address) else ""


def _encoded(field: Field | None, value: Value) -> str | None:
    if value is None:
        return None
    return quote(_text(value), safe=_OF_ADDRESSES if field is not None and field.type == "url" else "")


def _text(value: str | int | bool | list[str]) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(value)
    return str(value)
