"""Checking objects: what they refer to, their second names, and their titles."""

from collections.abc import Iterator

from stagebell.domain.errors import Problem
from stagebell.domain.objects import BUILT_IN, ObjectType, Schema
from stagebell.domain.paths import unknown_field
from stagebell.domain.views import fold
from stagebell.services.checks.closed_if import closed_if_problems
from stagebell.services.checks.templates import EXTRAS, RECORD, Names
from stagebell.services.checks.world import Document, Tools, World


def object_problems(document: Document, world: World, tools: Tools) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of an object definition."""
    kind = world.schema[document["name"]]
    yield from _name_problems(kind, world.schema)
    yield from _reference_problems(document, world)
    yield from _built_in_problems(document)
    yield from _owner_problems(kind)
    if document.get("closed_if"):
        yield from closed_if_problems(document["closed_if"], kind, world.schema)
    for key in ("title", "record_url"):
        if document.get(key):
            yield from _template_problems(document[key], key, kind, world.schema, tools)
    if document.get("record_url", "").startswith("http://") and not tools.any_address:
        yield Problem("record_url", "address", "it must begin with https://")


def _name_problems(kind: ObjectType, schema: Schema) -> Iterator[Problem]:
    for at, word in (("name", kind.name), ("alias", kind.alias)):
        if fold(word) in (*EXTRAS, RECORD):
            yield Problem(at, "reserved", f"{word} means something else in templates; choose another word")
    if not kind.alias:
        return
    for other in schema.values():
        if other.name != kind.name and fold(kind.alias) in (fold(other.name), fold(other.alias)):
            yield Problem("alias", "unique_alias", f"{kind.alias} is a name of object {other.name} already")


def _reference_problems(document: Document, world: World) -> Iterator[Problem]:
    for name, spec in document["fields"].items():
        target = spec.get("object")
        if target and not world.has("object", target):
            known = ", ".join(sorted(world.schema)[:20])
            message = f"there is no object {target}; there are {known}"
            yield Problem(f"fields.{name}.object", "known_object", message)


def _built_in_problems(document: Document) -> Iterator[Problem]:
    base = BUILT_IN.get(document["name"])
    for name, spec in document["fields"].items():
        own, full = base.fields.get(name) if base else None, f"{document['name']}.{name}"
        if own and (spec["type"], spec.get("object") or "") != (own.type, own.object):
            message = f"{full} is built in as {own.type}; leave it out, or give it that type"
            yield Problem(f"fields.{name}.type", "built_in", message)
        elif own and tuple(spec.get("options") or own.options) != own.options:
            words = f"with the options {', '.join(own.options)}" if own.options else "and takes any word"
            yield Problem(f"fields.{name}.options", "built_in", f"{full} is built in, {words}: leave them out")
        elif own and spec.get("required"):
            yield Problem(f"fields.{name}.required", "built_in", f"{full} is built in, and may be empty")
    for key in ("owner_field", "closed_if"):
        if base and getattr(base, key) and document.get(key, getattr(base, key)) != getattr(base, key):
            yield Problem(key, "built_in", f"{key} of {base.name} is built in: leave it out")


def _owner_problems(kind: ObjectType) -> Iterator[Problem]:
    if not kind.owner_field:
        return
    field = kind.fields.get(kind.owner_field)
    if field is None:
        yield Problem("owner_field", "known_field", unknown_field(kind, kind.owner_field))
    elif (field.type, field.object) != ("reference", "user"):
        yield Problem("owner_field", "user_field", f"{field.name} is no reference to user, so it has no owner in it")


def _template_problems(source: str, at: str, kind: ObjectType, schema: Schema, tools: Tools) -> Iterator[Problem]:
    """A title and an address see the record's own fields by their bare names."""
    problems = tools.templates.check(source, html=False)
    for problem in problems:
        yield Problem(at, "template", f"line {problem.line}: {problem.message}")
    names = Names({fold(kind.name): kind.name}, schema)
    for path in [] if problems else tools.templates.paths(source):
        named = fold(path[0]) == fold(kind.name) and len(path) > 1
        if wrong := names.problem(path if named else (kind.name, *path)):
            yield Problem(at, "known_field", f"{{{{ {'.'.join(path)} }}}}: {wrong}")
