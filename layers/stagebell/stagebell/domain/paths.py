"""Field paths: `stage`, or through references `account.owner.department.name`."""

from dataclasses import dataclass

from stagebell.domain.fields import Field
from stagebell.domain.objects import ObjectType, Schema

HOP_LIMIT = 5


@dataclass(frozen=True, slots=True)
class Path:
    """A resolved path: the references to follow as (field, object it points to), then the field itself."""

    hops: tuple[tuple[str, str], ...]
    field: Field
    object: str  # the object that has the field

    def __str__(self) -> str:
        return ".".join([*(name for name, _ in self.hops), self.field.name])


def resolve(text: str, object_name: str, schema: Schema) -> Path | str:
    """The path, or a sentence that says which part of it is not known."""
    *hops, last = text.split(".")
    if len(hops) > HOP_LIMIT:
        return f"a path follows at most {HOP_LIMIT} references"
    at, resolved = object_name, []
    for name in hops:
        field = schema[at].fields.get(name) if at in schema else None
        if field is None:
            return _unknown(name, at, schema)
        if field.type != "reference" or field.object not in schema:
            return f"{at}.{name} is no reference to a known object, so .{last} cannot follow it"
        resolved.append((name, field.object))
        at = field.object
    field = schema[at].fields.get(last) if at in schema else None
    return Path(tuple(resolved), field, at) if field else _unknown(last, at, schema)


def _unknown(name: str, object_name: str, schema: Schema) -> str:
    if object_name not in schema:
        return f"object {object_name} is not known"
    return unknown_field(schema[object_name], name)


def unknown_field(kind: ObjectType, name: str) -> str:
    """In words, with the fields there are."""
    return f"{kind.name} has no field {name}; it has {', '.join(sorted(kind.fields)[:20])}"
