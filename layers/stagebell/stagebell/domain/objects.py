"""Objects: the kinds of record there are, and their fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from stagebell.domain.fields import Field

type Schema = Mapping[str, ObjectType]


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A kind of record. `alias` is a second name in templates; `owner_field` a reference to a user."""

    name: str
    fields: Mapping[str, Field]
    label: str = ""
    alias: str = ""
    title: str = ""
    owner_field: str = ""
    version: int = 0
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


def _built_in(name: str, label: str, fields: Mapping[str, Mapping[str, Any]]) -> ObjectType:
    return read_object({"name": name, "label": label, "title": "{{ name }}", "fields": fields})


BUILT_IN: Schema = MappingProxyType(
    {
        "user": _built_in(
            "user",
            "User",
            {
                "name": {"type": "text"},
                "email": {"type": "email"},
                "phone": {"type": "phone"},
                "locale": {"type": "text"},
                "timezone": {"type": "text"},
                "manager": {"type": "reference", "object": "user"},
                "department": {"type": "reference", "object": "department"},
                "roles": {"type": "multi_select"},
                "active": {"type": "boolean"},
            },
        ),
        "department": _built_in(
            "department",
            "Department",
            {
                "name": {"type": "text"},
                "manager": {"type": "reference", "object": "user"},
                "parent": {"type": "reference", "object": "department"},
            },
        ),
    }
)
"""People are records: these two objects always exist; a definition of the same name may add fields."""


def with_built_ins(declared: Mapping[str, ObjectType]) -> Schema:
    """All objects; a declared `user` or `department` keeps the built-in fields and adds its own."""
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
        owner_field=own.owner_field,
        version=own.version,
    )
