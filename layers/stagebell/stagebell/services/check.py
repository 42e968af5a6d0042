"""Checking definitions: a whole set together, against each other and against what is active, every problem at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stagebell.contracts.definitions.kinds import Read, read_definition
from stagebell.contracts.definitions.sketch import Sketch, in_each
from stagebell.domain.errors import Problem
from stagebell.services.checks.calendars import calendar_problems
from stagebell.services.checks.calls import function_problems
from stagebell.services.checks.objects import object_problems
from stagebell.services.checks.processes import process_problems
from stagebell.services.checks.templates import template_problems
from stagebell.services.checks.web_addresses import source_problems
from stagebell.services.checks.world import SHELVES, Document, Key, Known, Tools, World, world_of
from stagebell.services.shelves import RUNNING, scenarios_of


@dataclass(frozen=True, slots=True)
class Checked:
    """One definition of a set. `document` is its normalised form, None where it has problems."""

    kind: str
    name: str
    document: Document | None
    problems: tuple[Problem, ...] = ()


def check_definitions(
    documents: Sequence[object],
    known: Known,
    tools: Tools,
    *,
    expected: Iterable[Key] = (),
    watch_active: bool = True,
) -> list[Checked]:
    """The result for each document, in order. `expected` definitions count as there although they are not active.

    With `watch_active` a change that active definitions would not survive is a problem too."""
    reads = [read_definition(document) for document in documents]
    before = world_of(known)
    worlds = [before.with_documents(there, {*expected, *_unreadable(reads)}) for there in _readable(reads)]
    results = [_checked(read, worlds, tools) for read in reads]
    _note_doubles(results)
    if watch_active:
        _note_breaks(results, before, known, tools)
    return [replace(result, document=None) if result.problems else result for result in results]


def problems_of(kind: str, document: Document, world: World, tools: Tools) -> Iterator[Problem]:
    """What is wrong with the meaning of a definition whose form is right."""
    match kind:
        case "object":
            yield from object_problems(document, world, tools)
        case "template":
            yield from template_problems(document, world, tools)
        case "calendar":
            yield from calendar_problems(document, tools)
        case "source":
            yield from source_problems(document, tools)
        case "function":
            yield from function_problems(document, world)
        case "scenario" | "workflow":
            yield from process_problems(document, world, tools)


def _readable(reads: Sequence[Read]) -> Iterator[dict[Key, Document]]:
    """The definitions of the set that others may refer to, for each way in which mistakes in their form may be mended;
    but those that would be there under another name, or for another object, are no more than expected."""
    right = {(r.kind, r.name): r.document for r in reads if r.document is not None and r.kind in (*SHELVES, *RUNNING)}
    mended = [r for r in reads if r.kind in SHELVES and r.sketches and not _renamed(r.sketches)]
    for way in range(max((len(r.sketches) for r in mended), default=1)):
        yield {**{(r.kind, r.name): _mended(r, way).document for r in mended}, **right}


def _renamed(sketches: Sequence[Sketch]) -> bool:
    return any(not sketch.mended.isdisjoint(("name", "alias")) for sketch in sketches)


def _mended(read: Read, way: int) -> Sketch:
    return read.sketches[way % len(read.sketches)]


def _unreadable(reads: Iterable[Read]) -> Iterator[Key]:
    return ((r.kind, r.name) for r in reads if r.document is None)


def _checked(read: Read, worlds: Sequence[World], tools: Tools) -> Checked:
    ways = max(len(worlds), len(read.sketches))
    meaning = in_each(_meant(read, way, worlds[way % len(worlds)], tools) for way in range(ways))
    return Checked(read.kind, read.name, read.document, tuple(dict.fromkeys((*read.problems, *meaning))))


def _meant(read: Read, way: int, world: World, tools: Tools) -> Iterable[Problem]:
    """What is wrong with the meaning of a definition, or of those parts of it whose form is right."""
    if read.document is not None:
        return problems_of(read.kind, read.document, world, tools)
    if not read.sketches:
        return ()
    sketch = _mended(read, way)
    alone = world.with_documents({(read.kind, sketch.document["name"]): sketch.document})
    return sketch.told(problems_of(read.kind, sketch.document, alone, tools))


def _note_doubles(results: list[Checked]) -> None:
    """Names are unique in each kind; those of workflows and scenarios among both."""
    seen: dict[Key, str] = {}
    for index, result in enumerate(results):
        key = ("running" if result.kind in RUNNING else result.kind, result.name)
        if result.name and key in seen:
            called = f"another {result.kind}" if seen[key] == result.kind else f"a {seen[key]}"
            results[index] = _worse(result, Problem("name", "unique_name", f"{called} is called so too"))
        seen.setdefault(key, result.kind)


def _worse(result: Checked, problem: Problem) -> Checked:
    return replace(result, problems=(*result.problems, problem))


def _note_breaks(results: list[Checked], before: World, known: Known, tools: Tools) -> None:
    """Adds to each changed definition what it would break; what stands in the set itself is checked anyway."""
    changed = {
        (r.kind, r.name): index
        for index, r in enumerate(results)
        if r.document is not None and before.documents.get((r.kind, r.name), r.document) != r.document
    }
    if not changed:
        return
    in_set = {(r.kind, r.name) for r in results}
    after = before.with_documents({key: results[i].document or {} for key, i in changed.items()})
    for (kind, name), problem in broken_by(before, after, known, tools, leave=in_set):
        key = _culprit(changed, kind, name, before, after, known, tools)
        where = "fields" if key[0] == "object" else ""
        message = f"active {kind} {name} would break: {problem.path}: {problem.message}"
        results[changed[key]] = _worse(results[changed[key]], Problem(where, "breaks_active", message))


def broken_by(
    before: World, after: World, known: Known, tools: Tools, leave: Iterable[Key] = ()
) -> Iterator[tuple[Key, Problem]]:
    """The active definitions that have a problem in the new world which they had not in the old one."""
    left_out = set(leave)
    for key, document in _active(before, known):
        if key in left_out or after.documents.get(key, document) is not document:
            continue
        old = {(p.path, p.rule) for p in problems_of(key[0], document, before, tools)}
        new = (p for p in problems_of(key[0], document, after, tools) if (p.path, p.rule) not in old)
        if problem := next(new, None):
            yield key, problem


def _active(world: World, known: Known) -> Iterator[tuple[Key, Document]]:
    yield from world.documents.items()
    for name in world.schema:
        for definition in known.active(scenarios_of(name)):
            yield (definition.kind, definition.name), definition.document


def _culprit(
    changed: Mapping[Key, int], kind: str, name: str, before: World, after: World, known: Known, tools: Tools
) -> Key:
    """Which of the changed definitions breaks that one on its own; of several together, the first."""
    if len(changed) > 1:
        for key in changed:
            alone = before.with_documents({key: after.documents[key]})
            if any(broken == (kind, name) for broken, _ in broken_by(before, alone, known, tools)):
                return key
    return next(iter(changed))
