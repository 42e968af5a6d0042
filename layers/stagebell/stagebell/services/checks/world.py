"""The world of a definition: the objects, templates and calendars it may refer to, and the tools to look with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from stagebell.domain.calendars import HolidayLookup
from stagebell.domain.objects import Schema, read_object, with_built_ins
from stagebell.domain.template_problems import TemplateProblem
from stagebell.ports.definitions import Definition
from stagebell.services.shelves import RUNNING, scenarios_of

type Document = Mapping[str, Any]
type Key = tuple[str, str]  # kind and name

SHELVES = ("object", "template", "calendar", "function")


class TemplateChecker(Protocol):
    """Reads templates without rendering them."""

    def check(self, source: str, *, html: bool) -> Sequence[TemplateProblem]: ...

    def paths(self, source: str) -> Sequence[tuple[str, ...]]: ...


class Known(Protocol):
    """The definitions there are already: the port, or nothing."""

    def active(self, shelf: str) -> Sequence[Definition]: ...


class Nothing:
    """No definitions yet."""

    def active(self, shelf: str) -> Sequence[Definition]:
        return ()


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Tools:
    """`zone` is the stack's: what a calendar without a time zone means. `any_address`: the stack is for local use, and
    may call addresses without https and in private networks."""

    templates: TemplateChecker
    holidays: HolidayLookup
    zone: ZoneInfo
    any_address: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """`expected` are definitions that count as there although they cannot be read (yet). `known` has the scenarios and
    workflows that are active; they are read where somebody asks for one."""

    documents: Mapping[Key, Document]
    expected: frozenset[Key] = frozenset()
    known: Known = NOTHING
    schema: Schema = field(init=False)

    def __post_init__(self) -> None:
        objects = {name: read_object(doc) for (kind, name), doc in self.documents.items() if kind == "object"}
        object.__setattr__(self, "schema", with_built_ins(objects))

    def document(self, kind: str, name: str) -> Document | None:
        return self.documents.get((kind, name))

    def has(self, kind: str, name: str) -> bool:
        known = name in self.schema if kind == "object" else (kind, name) in self.documents
        return known or (kind, name) in self.expected

    def has_process(self, name: str, object_name: str) -> bool:
        """Whether there is a scenario or workflow of that name for an object."""
        keys = [(kind, name) for kind in RUNNING]
        written = next((self.documents[key] for key in keys if key in self.documents), None)
        if written is not None:
            return bool(written["object"] == object_name)
        active = (definition.name for definition in self.known.active(scenarios_of(object_name)))
        return not self.expected.isdisjoint(keys) or name in active

    def with_documents(self, added: Mapping[Key, Document], expected: Iterable[Key] = ()) -> "World":
        return replace(
            self,
            documents=MappingProxyType({**self.documents, **added}),
            expected=self.expected | frozenset(expected),
        )

    def without(self, key: Key) -> "World":
        return replace(self, documents={k: d for k, d in self.documents.items() if k != key})


def world_of(known: Known) -> World:
    return World({(d.kind, d.name): d.document for shelf in SHELVES for d in known.active(shelf)}, known=known)
