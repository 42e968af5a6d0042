"""Mending a definition whose form is mistaken, so that it can be looked at as a whole."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stagebell.contracts.definitions.sketch import Sketch, around
from stagebell.contracts.definitions.stand_ins import KEPT, OUT, VARIANTS, stand_in
from stagebell.contracts.model import PARTS, DefinitionModel
from stagebell.contracts.problems import is_tag, meant_key, path_text, problems_of
from stagebell.domain.errors import Problem

ROUNDS = 20

type Place = tuple[int | str, ...]


def sketches(model: type[DefinitionModel], document: Mapping[str, Any]) -> tuple[Sketch, ...]:
    """One for each way in which the mistakes may be mended; none where too little is right."""
    drawn = [sketch for variant in range(VARIANTS) if (sketch := _Mending(model, document, variant).sketch())]
    return tuple(drawn[:1] if all(sketch == drawn[0] for sketch in drawn) else drawn)


class _Mending:
    """One way of mending a document, part by part, until each is right by itself."""

    def __init__(self, model: type[DefinitionModel], document: Mapping[str, Any], variant: int) -> None:
        self._model = model
        self._document = document
        self._variant = variant
        self._mended: dict[Place, Any] = {}
        self._problems: list[Problem] = []

    def sketch(self) -> Sketch | None:
        for _ in range(ROUNDS):
            drawn, written = _redrawn(self._document, self._mended)
            try:
                model = self._model.model_validate(drawn, context=PARTS)
            except ValidationError as error:
                self._note(error, written)
                if not all(self._mend(detail, written) for detail in error.errors(include_url=False)):
                    return None
            else:
                sketch = self._with(model.model_dump(mode="json", by_alias=True, exclude_none=True), written)
                between = (*self._between(sketch), *sketch.told(self._model.across(drawn)))
                return replace(sketch, problems=tuple(dict.fromkeys((*self._problems, *between))))
        return None

    def _between(self, sketch: Sketch) -> Iterator[Problem]:
        """What is wrong between parts: where they stand is mended in turn, since it hides what is wrong around it."""
        mended = dict(self._mended)
        for _ in range(ROUNDS):
            drawn, written = _redrawn(self._document, mended)
            try:
                self._model.model_validate(drawn)
            except ValidationError as error:
                yield from replace(sketch, written=_paths(written)).told(problems_of(error))
                broken = {place: loc for loc, place in (_places(d, written) for d in error.errors())}
            else:
                return
            if () in broken or not broken.keys().isdisjoint(mended):
                return
            mended |= {place: stand_in(loc, self._variant) for place, loc in broken.items()}

    def _with(self, document: Mapping[str, Any], written: Mapping[Place, Place]) -> Sketch:
        return Sketch(document, _paths(written), frozenset(map(path_text, self._mended)))

    def _note(self, error: ValidationError, written: Mapping[Place, Place]) -> None:
        """What a part that is mended now had hidden; not what its stand-in makes of the parts around it."""
        sketch = self._with({}, written)
        containers = {container for path in sketch.mended for container in around(path)}
        self._problems += [problem for problem in sketch.told(problems_of(error)) if problem.path not in containers]

    def _mend(self, detail: ErrorDetails, written: Mapping[Place, Place]) -> bool:
        """Whether something can stand in for what an error complains about."""
        loc, place = _places(detail, written)
        kind, value = detail["type"], detail["input"]
        before = next((place[:size] for size in range(1, len(place) + 1) if place[:size] in self._mended), None)
        if before is not None:
            return self._leave_out(before if self._mended[before] is not OUT else before[:-1])
        if kind in KEPT and isinstance(value, Mapping):
            return self._keep(place, value, *KEPT[kind])
        if kind == "extra_forbidden":
            self._take_for_what_it_may_mean(place, loc)
            return self._leave_out(place)
        if _is_a_name_for_others(place, detail):
            return self._leave_out(place[:-1])
        found = stand_in(loc, self._variant) if place else OUT
        if found is OUT:
            return self._leave_out(place[:-1] if kind == "missing" else place)
        self._mended[place] = found
        return True

    def _leave_out(self, place: Place) -> bool:
        self._mended[place] = OUT
        return bool(place)

    def _keep(self, place: Place, value: Mapping[str, Any], taken_for: Mapping[str, Any], kept: frozenset[str]) -> bool:
        self._mended |= {(*place, key): OUT for key in value if key not in kept}
        self._mended |= {(*place, key): part for key, part in taken_for.items()}
        return True

    def _take_for_what_it_may_mean(self, place: Place, loc: Place) -> None:
        """An unknown key may be no more than misspelt: in every other sketch it is not."""
        meant = meant_key(str(place[-1]))
        found = stand_in((*loc[:-1], meant), self._variant) if meant and self._variant % 2 else OUT
        if found is not OUT and _at(self._document, place[:-1]).get(meant) is None:
            self._mended[(*place[:-1], meant)] = found


def _is_a_name_for_others(place: Place, detail: ErrorDetails) -> bool:
    """Of a field, or an option: whoever uses it is not to blame, so that it is not known which there are."""
    return (place[-2:-1] == ("fields",) and detail["loc"][-1] == "[key]") or (
        place[-2:-1] == ("options",) and isinstance(place[-1], int)
    )


def _places(detail: ErrorDetails, written: Mapping[Place, Place]) -> tuple[Place, Place]:
    """What an error complains about: its place in the sketch, with what it was read as; and in the document."""
    loc = detail["loc"]
    while loc and is_tag(loc[-1]):
        loc = loc[:-1]
    return loc, _known(tuple(part for part in loc if not is_tag(part)), written)


def _paths(written: Mapping[Place, Place]) -> Mapping[str, str]:
    return {path_text(new): path_text(old) for new, old in written.items()}


def _redrawn(document: Mapping[str, Any], mended: Mapping[Place, Any]) -> tuple[Mapping[str, Any], dict[Place, Place]]:
    """The document with what stands in, and for each place in it the place as it was written."""
    keys: dict[Place, list[int | str]] = defaultdict(list)
    for place in mended:
        keys[place[:-1]].append(place[-1])
    written: dict[Place, Place] = {}
    return _part_redrawn(document, mended, keys, written, (), ()), written


def _part_redrawn(
    value: Any,
    mended: Mapping[Place, Any],
    keys: Mapping[Place, Sequence[int | str]],
    written: dict[Place, Place],
    new: Place,
    old: Place,
) -> Any:
    def part(inner: Any, now: int | str, before: int | str) -> Any:
        return _part_redrawn(inner, mended, keys, written, (*new, now), (*old, before))

    written[new] = old
    if old in mended:
        return mended[old]
    if isinstance(value, Mapping):
        there = (key for key in dict.fromkeys((*value, *keys.get(old, ()))) if mended.get((*old, key)) is not OUT)
        return {key: part(value.get(key), key, key) for key in there}
    if isinstance(value, list):
        kept = [index for index in range(len(value)) if mended.get((*old, index)) is not OUT]
        return [part(value[index], position, index) for position, index in enumerate(kept)]
    return value


def _known(place: Place, written: Mapping[Place, Place]) -> Place:
    """A place of the sketch as one of the document; parts that are in neither stay as they are."""
    known = next(place[:size] for size in range(len(place), -1, -1) if place[:size] in written)
    return (*written[known], *place[len(known) :])


def _at(document: Any, place: Place) -> Any:
    """What stands at a place that there is."""
    for part in place:
        document = document[part]
    return document
