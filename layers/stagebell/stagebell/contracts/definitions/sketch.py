"""A sketch of a definition with mistakes in its form: the mistaken parts are left out, so that the meaning of all
others can be checked in the same go."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stagebell.contracts.problems import path_text
from stagebell.domain.errors import Problem

ROUNDS = 10

type Normalise = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sketch:
    """`written` has, for each part of the sketch, its path in the document as it was written: lists have moved up."""

    document: Mapping[str, Any]
    written: Mapping[str, str] = field(default_factory=dict)

    def as_written(self, problem: Problem) -> Problem:
        return Problem(_translated(problem.path, self.written), problem.rule, problem.message)


def sketch(document: Mapping[str, Any], normalise: Normalise) -> Sketch | None:
    """The sketch of a document, or None where too little of it is right. `normalise` raises ValidationError."""
    left_out: set[str] = set()
    for _ in range(ROUNDS):
        written: dict[str, str] = {}
        pruned = _pruned(document, left_out, written, "", "")
        try:
            return Sketch(normalise(pruned), written)
        except ValidationError as error:
            mistaken = {_translated(_target(detail), written) for detail in _details(error)}
        if "" in mistaken or mistaken <= left_out:
            return None
        left_out |= mistaken
    return None


def _details(error: ValidationError) -> Iterable[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _target(detail: ErrorDetails) -> str:
    """What to leave out: the mistaken part, or what lacks a part."""
    return path_text(detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"])


def _pruned(value: Any, left_out: set[str], written: dict[str, str], new: str, old: str) -> Any:
    written[new] = old
    if isinstance(value, Mapping):
        inner = {key: f".{key}" if old else str(key) for key in value}
        return {
            key: _pruned(value[key], left_out, written, f"{new}{part}", f"{old}{part}")
            for key, part in inner.items()
            if f"{old}{part}" not in left_out
        }
    if isinstance(value, list):
        kept = [index for index in range(len(value)) if f"{old}[{index}]" not in left_out]
        return [
            _pruned(value[index], left_out, written, f"{new}[{position}]", f"{old}[{index}]")
            for position, index in enumerate(kept)
        ]
    return value


def _translated(path: str, written: Mapping[str, str]) -> str:
    """A path of the sketch as a path of the document; parts that are in neither stay as they are."""
    known = path
    while known and known not in written:
        known = known[: max(known.rfind("."), known.rfind("["), 0)]
    return written.get(known, known) + path[len(known) :]
