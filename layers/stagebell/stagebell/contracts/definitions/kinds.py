"""The kinds of definition, and reading one: what it says, or everything that is wrong with its form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from stagebell.contracts.definitions.calendars import Calendar
from stagebell.contracts.definitions.functions import Function
from stagebell.contracts.definitions.mending import sketches
from stagebell.contracts.definitions.objects import Object
from stagebell.contracts.definitions.scenarios import Scenario
from stagebell.contracts.definitions.sketch import Sketch, in_each
from stagebell.contracts.definitions.sources import Source
from stagebell.contracts.definitions.templates import Template
from stagebell.contracts.definitions.workflows import Workflow
from stagebell.contracts.model import DefinitionModel
from stagebell.contracts.problems import problems_of
from stagebell.domain.errors import Problem

KINDS: Mapping[str, type[DefinitionModel]] = MappingProxyType(
    {
        "object": Object,
        "calendar": Calendar,
        "source": Source,
        "template": Template,
        "function": Function,
        "workflow": Workflow,
        "scenario": Scenario,
    }
)
"""In the order in which they build on each other."""

DEPTH_LIMIT = 40  # conditions nest 8 deep, each level two of these

LATER_KINDS = ("pipeline",)


@dataclass(frozen=True, slots=True)
class Read:
    """One definition as read: its normalised form, or its problems and sketches of what is right in it."""

    kind: str
    name: str
    document: Mapping[str, Any] | None
    problems: tuple[Problem, ...] = ()
    sketches: tuple[Sketch, ...] = ()


def read_definition(document: object) -> Read:
    """The definition in a parsed document (numbers with a point as Decimal)."""
    if not isinstance(document, Mapping):
        return Read("", "", None, (Problem("", "mapping", "a definition is a mapping that starts with its kind"),))
    if _depth(document) > DEPTH_LIMIT:
        return Read("", "", None, (Problem("", "depth_limit", f"it is nested more than {DEPTH_LIMIT} deep"),))
    kind, name = _text(document.get("kind")), _text(document.get("name"))
    model = KINDS.get(kind)
    if model is None:
        return Read(kind, name, None, (_kind_problem(document),))
    across = tuple(model.across(document))
    try:
        normalised = model.model_validate(dict(document)).model_dump(mode="json", by_alias=True, exclude_none=True)
    except ValidationError as error:
        drawn = sketches(model, document)
        hidden = in_each(sketch.problems for sketch in drawn) if drawn else across
        return Read(kind, name, None, tuple(dict.fromkeys((*problems_of(error), *hidden))), drawn)
    return Read(kind, name, None, across, (Sketch(normalised),)) if across else Read(kind, name, normalised)


def _depth(value: object) -> int:
    """How deep lists and mappings nest, without recursion: the input may be anybody's."""
    depth, level = 0, [value]
    while level and depth <= DEPTH_LIMIT:
        depth += 1
        level = [inner for outer in level for inner in _inner(outer)]
    return depth


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _kind_problem(document: Mapping[str, Any]) -> Problem:
    kinds = ", ".join(KINDS)
    if "kind" not in document:
        return Problem("kind", "required", f"say which kind of definition this is: {kinds}")
    kind = str(document["kind"])[:60]
    if kind in LATER_KINDS:
        return Problem("kind", "available", f"kind {kind} is not available in this version; there are {kinds}")
    return Problem("kind", "known_kind", f"there is no kind {kind}; there are {kinds}")
