"""Sketches of a definition with mistakes in its form: something right stands in for each mistaken part, so that all
others can be checked in the same go: each by itself, with each other, and for what they mean."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stagebell.domain.errors import Problem


@dataclass(frozen=True, slots=True)
class Sketch:
    """`written` has, for each part of the sketch, its path in the document as it was written: lists have moved up.
    `mended` are the paths at which something stands in; `problems` are those that only show themselves with that."""

    document: Mapping[str, Any]
    written: Mapping[str, str] = field(default_factory=dict)
    mended: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    def told(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Under their paths as written, without those of what stands in."""
        for problem in problems:
            path = _as_written(problem.path, self.written)
            if self.mended.isdisjoint((path, *around(path))):
                yield replace(problem, path=path)


def in_each(found: Iterable[Iterable[Problem]]) -> tuple[Problem, ...]:
    """The problems there are however the mistakes are mended: all others are no more than consequences."""
    first, *others = [dict.fromkeys(problems) for problems in found] or [{}]
    return tuple(problem for problem in first if all(problem in other for other in others))


def _as_written(path: str, written: Mapping[str, str]) -> str:
    known = next((before for before in (path, *around(path)) if before in written), "")
    return written.get(known, known) + path[len(known) :]


def around(path: str) -> Iterator[str]:
    """The paths of what a part stands in, from the inside out."""
    while path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
        yield path
