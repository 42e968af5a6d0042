"""Objects: the kinds of record there are, and their fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from stagebell.domain import built_ins
from stagebell.domain.fields import Field

type Schema = Mapping[str, ObjectType]


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A kind of record. `alias` is a second name in templates; `owner_field` a reference to a user; `closed_if` says
    when a record no longer counts as open work of its owner; `record_url` is where people see it, a template."""

    name: str
    fields: Mapping[str, Field]
    label: str = ""
    alias: str = ""
    title: str = ""
    owner_field: str = ""
    version: int = 0
    record_url: str = ""
    closed_if: Mapping[str, Any] | None = None
    required: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", tuple(f.name for f in self.fields.values() if f.required))


def read_object(document: Mapping[str, Any], version: int = 0) -> ObjectType:
    """The object a validated definition document declares."""
    fields = {name: _field(name, spec) for name, spec in document["fields"].items()}
    return ObjectType(
        name=document["name"],
        fields=MappingProxyType(fields),
        label=document.get("label") or document["name"],
        alias=document.get("alias") or "",
        title=document.get("title") or "",
        owner_field=document.get("owner_field") or "",
        version=version,
        record_url=document.get("record_url") or "",
        closed_if=document.get("closed_if"),
    )


def _field(name: str, spec: Mapping[str, Any]) -> Field:
    return Field(
        name=name,
        type=spec["type"],
        required=bool(spec.get("required")),
        options=tuple(spec.get("options") or ()),
        object=spec.get("object") or "",
        currency=spec.get("currency") or "",
        label=spec.get("label") or "",
    )


BUILT_IN: Schema = MappingProxyType(
    {name: read_object({"name": name, **document}) for name, document in built_ins.DOCUMENTS.items()}
)
"""People and follow-ups are records: these objects always exist; a definition of the same name may add fields."""


def with_built_ins(declared: Mapping[str, ObjectType]) -> Schema:
    """All objects; a declared one that is built in as well keeps the built-in fields and adds its own."""
    merged = dict(BUILT_IN)
    for name, own in declared.items():
        base = BUILT_IN.get(name)
        merged[name] = _extended(base, own) if base else own
    return MappingProxyType(merged)


def _extended(base: ObjectType, own: ObjectType) -> ObjectType:
    return ObjectType(
        name=own.name,
        fields=MappingProxyType({**own.fields, **base.fields}),
        label=own.label,
        alias=own.alias,
        title=own.title or base.title,
        owner_field=own.owner_field or base.owner_field,
        version=own.version,
        record_url=own.record_url,
        closed_if=own.closed_if or base.closed_if,
    )
