"""Checking templates: their syntax, the fields they read, and whether an SMS can fit."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from stagebell.domain import sms
from stagebell.domain.errors import Problem
from stagebell.domain.fields import Field
from stagebell.domain.objects import Schema
from stagebell.domain.views import PARTS as FIELD_PARTS
from stagebell.domain.views import fold
from stagebell.services.checks.world import Document, TemplateChecker, Tools, World

EXTRAS: Mapping[str, frozenset[str]] = {
    "recipient": frozenset({"id", "name", "email", "phone", "locale"}),
    "entered_at": FIELD_PARTS["datetime"],
    "run": frozenset(),
    "record_url": frozenset(),
}
"""What every template may use besides the record: the names, and the fields each has."""

RECORD = "record"
PARTS = ("subject", "html", "text")
_MARKUP = re.compile(r"\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Names:
    """What the first word of a path stands for: an object's record by any of its names. `record` may be anybody's.

    Not `complete`: there are objects that could not be read, whose names may be anything."""

    objects: Mapping[str, str]
    schema: Schema
    complete: bool = True

    def problem(self, path: Sequence[str]) -> str:
        """What is wrong with a path, in a sentence; empty where nothing is."""
        root, rest = fold(path[0]), path[1:]
        if root in self.objects:
            return _walk(self.objects[root], rest, self.schema)
        if root in EXTRAS:
            fields = EXTRAS[root]
            wrong = rest and fold(rest[0]) not in fields
            return f"{path[0]} has no {rest[0]}{_meant(rest[0], fields)}" if wrong else ""
        if root == RECORD or not self.complete:
            return ""
        known = list(dict.fromkeys([*self.objects, RECORD, *EXTRAS]))
        return f"nothing is called {path[0]} here{_meant(path[0], known)}; there are {', '.join(known[:20])}"


def names_of(object_name: str, schema: Schema) -> Names:
    """What a message about one object's record may use."""
    kind = schema[object_name]
    words = (kind.name, kind.alias, RECORD)
    return Names({fold(word): object_name for word in words if word}, schema)


def names_of_any(world: World) -> Names:
    """What a template that no scenario uses yet may use: any object by its name or alias."""
    words = ((word, kind.name) for kind in world.schema.values() for word in (kind.alias, kind.name) if word)
    complete = all(name in world.schema for kind, name in world.expected if kind == "object")
    return Names({fold(word): name for word, name in words}, world.schema, complete)


def _walk(object_name: str, rest: Sequence[str], schema: Schema) -> str:
    if not rest:
        return ""
    kind, word = schema[object_name], rest[0]
    names = {fold(name): name for name in (*kind.fields, "id")}
    own = names.get(fold(word))
    if own is None:
        return f"{object_name} has no field {word}{_meant(word, names)}"
    return _beyond(object_name, kind.fields.get(own), rest[1:], schema)


def _beyond(object_name: str, field: Field | None, rest: Sequence[str], schema: Schema) -> str:
    if not rest:
        return ""
    if field is not None and field.type == "reference":
        return _walk(field.object, rest, schema) if field.object in schema else ""  # which is told of the object
    name, parts = (field.name, FIELD_PARTS.get(field.type, frozenset())) if field else ("id", frozenset())
    if len(rest) > 1 or not parts:
        return f"{object_name}.{name} has no fields of its own, so .{rest[0]} finds nothing"
    known = fold(rest[0]) in parts
    return "" if known else f"{object_name}.{name} has no {rest[0]}; it has {', '.join(sorted(parts))}"


def _meant(word: str, known: Iterator[str] | Sequence[str] | Mapping[str, object] | frozenset[str]) -> str:
    close = get_close_matches(fold(word), sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def content_problems(content: Document, names: Names, tools: Tools, at: str = "") -> Iterator[Problem]:
    """Problems of the subject, html and text of a template or step."""
    for part in PARTS:
        if part in content:
            yield from text_problems(f"{at}{part}", content[part], names, tools.templates, html=part == "html")


def text_problems(at: str, source: str, names: Names, checker: TemplateChecker, *, html: bool) -> Iterator[Problem]:
    """Problems of one template: its syntax, and fields that there are not."""
    problems = checker.check(source, html=html)
    for problem in problems:
        yield Problem(at, "template", f"line {problem.line}: {problem.message}")
    for path in [] if problems else checker.paths(source):
        if wrong := names.problem(path):
            yield Problem(at, "known_field", f"{{{{ {'.'.join(path)} }}}}: {wrong}")


def sms_problems(text: str, at: str) -> Iterator[Problem]:
    """An SMS whose fixed words alone are too long can never be sent; what branches leave out is not counted."""
    if "{%" not in text and sms.too_long(_MARKUP.sub("", text)):
        size = sms.measure(_MARKUP.sub("", text))
        yield Problem(
            at, "sms_size", f"even without its fields the text takes {size.parts} SMS; at most {sms.MAX_PARTS} are sent"
        )


def template_problems(document: Document, world: World, tools: Tools) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of a template definition."""
    yield from content_problems(document, names_of_any(world), tools)
    if document["channel"] == "sms" and "text" in document:
        yield from sms_problems(document["text"], "text")


def fit_problems(document: Document, object_name: str, world: World, tools: Tools) -> Iterator[str]:
    """Why a template does not fit the records of an object; mistakes it has anyway are told with itself."""
    names, others = names_of(object_name, world.schema), names_of_any(world)
    paths = (path for part in PARTS if part in document for path in tools.templates.paths(document[part]))
    for path in paths:
        root = fold(path[0])
        if root == RECORD and (wrong := names.problem(path)):
            yield f"its {{{{ {'.'.join(path)} }}}} does not fit: {wrong}"
        elif root in others.objects and root not in names.objects:
            yield f"it speaks of {path[0]}, but the records here are {object_name}"
