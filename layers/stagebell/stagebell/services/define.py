"""Defining: storing versions of definitions, comparing them with what is active, and switching them on and off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stagebell.contracts.definitions.kinds import KINDS, read_definition
from stagebell.domain.differences import Difference, compare
from stagebell.domain.errors import Conflict, InvalidInput, NotFound, Problem
from stagebell.domain.interplay import Finding
from stagebell.ports.clock import Clock
from stagebell.ports.definitions import Definition, Definitions, Head
from stagebell.ports.pages import Page
from stagebell.ports.queues import Command
from stagebell.services.check import Checked, broken_by, check_definitions
from stagebell.services.checks.counterparts import counterparts
from stagebell.services.checks.world import SHELVES, Document, Key, Tools, world_of
from stagebell.services.shelves import RUNNING, shelf_of
from stagebell.services.warn import warnings_about

type LiveRuns = Literal["continue", "pause", "cancel"]


@dataclass(frozen=True, slots=True)
class Switched:
    """A definition after it was switched on or off, and the work on its live runs that the queue shall carry out.

    Switching again to the same answers the same command: a caller that lost it can repeat itself. `warnings` are what
    an activated workflow, scenario or function and the others that are active do to each other."""

    head: Head
    command: Command | None = None
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Definer:
    """Keeps definitions. `by` is the id of whoever asks."""

    definitions: Definitions
    tools: Tools
    clock: Clock

    def validate(self, documents: Sequence[object]) -> list[Checked]:
        """Check a set together with what is active; stores nothing."""
        checked = check_definitions(documents, self.definitions, self.tools)
        return [_worse(result, self._taken(result.kind, result.name)) for result in checked]

    def warnings(self, checked: Sequence[Checked]) -> tuple[Finding, ...]:
        """What the definitions of a checked set would do to each other and to those that are active."""
        return warnings_about({(c.kind, c.name): c.document for c in checked if c.document}, self.definitions)

    def diff(self, documents: Sequence[object]) -> list[Difference]:
        """How a set differs from what is active, and what is active beside it. Raises InvalidInput."""
        reads = [read_definition(document) for document in documents]
        _refuse(_under(f"definitions[{i}]", problem) for i, read in enumerate(reads) for problem in read.problems)
        listed = {(read.kind, read.name) for read in reads}
        found = [self._difference(read.kind, read.name, read.document or {}) for read in reads]
        return found + [Difference(h.kind, h.name, "not_listed", h.active) for h in self._active_beside(listed)]

    def put(self, document: object, by: str) -> Definition:
        """Store a new version, unless the newest one says the same. Raises InvalidInput, and Conflict where someone
        else stored a version meanwhile.

        It may build on definitions that are not active yet; objects may refer to each other in any order."""
        checked = self._check_draft(document)
        head = self.definitions.head(checked.kind, checked.name)
        latest = head.latest if head else 0
        newest = self.definitions.version(checked.kind, checked.name, latest) if latest else None
        if newest is not None and newest.document == checked.document:
            return newest
        definition = Definition(
            checked.kind, checked.name, latest + 1, checked.document or {}, self.clock.now(), saved_by=by
        )
        self.definitions.save(definition, expected_latest=latest)
        return definition

    def activate(self, kind: str, name: str, version: int | None = None, *, by: str) -> Switched:
        """Make a version (the newest where none is named) the active one. Raises NotFound, InvalidInput where it does
        not fit what is active now, and Conflict."""
        head = self._head(kind, name)
        definition = self._version(head, version or head.latest)
        if head.active == definition.version:
            return Switched(head, self._command("resume", head), self._warnings(definition))
        self._refuse_misfit(definition)
        warnings = self._warnings(definition)
        stamped = self._stamped(head, by)
        now_active = replace(stamped, active=definition.version, halted="", shelf=shelf_of(definition.document))
        self.definitions.point(now_active, head, definition)
        command = self._command("resume", head) if head.halted == "pause" else None
        return Switched(now_active, command, warnings)

    def deactivate(self, kind: str, name: str, live_runs: LiveRuns = "continue", *, by: str) -> Switched:
        """Switch a definition off. Raises NotFound, and Conflict where active definitions need it."""
        head = self._head(kind, name)
        if head.active:
            self._refuse_in_use(head)
        if head.active or head.halted != live_runs:
            off = replace(self._stamped(head, by), active=0, halted=live_runs)
            self.definitions.point(off, head, None)
            head = off
        return Switched(head, None if live_runs == "continue" else self._command(live_runs, head))

    def versions(self, kind: str, name: str, cursor: str | None = None) -> Page[Definition]:
        """All versions, newest first. Raises NotFound."""
        self._head(kind, name)
        return self.definitions.versions(kind, name, cursor)

    def heads(self, kind: str, cursor: str | None = None) -> Page[Head]:
        """All definitions of a kind, by name. Raises NotFound for a kind there is not."""
        if kind not in KINDS:
            raise NotFound(f"there is no kind {kind}; there are {', '.join(KINDS)}")
        return self.definitions.heads(kind, cursor)

    def _check_draft(self, document: object) -> Checked:
        targets = [*counterparts(read_definition(document).document or {})]
        for known in (self.definitions, Newest(self.definitions)):
            checked = check_definitions([document], known, self.tools, expected=targets, watch_active=False)[0]
            if not checked.problems:
                _refuse(self._taken(checked.kind, checked.name))
                return checked
        raise InvalidInput(checked.problems)

    def _refuse_misfit(self, definition: Definition) -> None:
        drafts = [key for key in counterparts(definition.document) if self.definitions.head(*key)]
        checked = check_definitions([definition.document], self.definitions, self.tools, expected=drafts)
        _refuse((*checked[0].problems, *self._taken(definition.kind, definition.name)))

    def _taken(self, kind: str, name: str) -> tuple[Problem, ...]:
        """Where the other kind that has runs uses a name: a run knows its definition by name, also after years."""
        others = [other for other in RUNNING if other != kind] if kind in RUNNING else []
        taken = [other for other in others if self.definitions.head(other, name)]
        message = "a {} has this name already, and no {} can have it too: choose another"
        return tuple(Problem("name", "unique_name", message.format(other, kind)) for other in taken)

    def _warnings(self, definition: Definition) -> tuple[Finding, ...]:
        return warnings_about({(definition.kind, definition.name): definition.document}, self.definitions)

    def _refuse_in_use(self, head: Head) -> None:
        key = (head.kind, head.name)
        before = world_of(self.definitions)
        broken = broken_by(before, before.without(key), self.definitions, self.tools, leave=[key])
        users = [f"{kind} {name}" for (kind, name), _ in broken] if head.kind in SHELVES else []
        if users:
            more = f" and {len(users) - 10} more" if len(users) > 10 else ""
            shown = ", ".join(users[:10])
            raise Conflict(f"{head.kind} {head.name} is in use by {shown}{more}: deactivate those first")

    def _difference(self, kind: str, name: str, document: Document) -> Difference:
        head = self.definitions.head(kind, name)
        active = self.definitions.version(kind, name, head.active) if head and head.active else None
        if active is None:
            return compare(kind, name, None, document)
        return compare(kind, name, active.document, document, active.version)

    def _active_beside(self, listed: set[Key]) -> Iterator[Head]:
        for kind in KINDS:
            for head in all_heads(self.definitions, kind):
                if head.active and (head.kind, head.name) not in listed:
                    yield head

    def _head(self, kind: str, name: str) -> Head:
        head = self.definitions.head(kind, name)
        if head is None:
            raise NotFound(f"there is no {kind} {name}")
        return head

    def _version(self, head: Head, version: int) -> Definition:
        definition = self.definitions.version(head.kind, head.name, version)
        if definition is None:
            raise NotFound(f"{head.kind} {head.name} has no version {version}; the newest is {head.latest}")
        return definition

    def _command(self, verb: Literal["resume", "pause", "cancel"], head: Head) -> Command | None:
        if head.kind not in RUNNING:
            return None
        return Command(verb, head.name, id=f"{head.name}-{verb}-{self.clock.real_now():%Y%m%dT%H%M%S%f}")

    def _stamped(self, head: Head, by: str) -> Head:
        return replace(head, changed_at=self.clock.now(), changed_by=by)


@dataclass(frozen=True, slots=True)
class Newest:
    """What would be known if the newest version of everything were active."""

    definitions: Definitions

    def active(self, shelf: str) -> Sequence[Definition]:
        if shelf not in SHELVES:
            return self.definitions.active(shelf)
        found = (self.definitions.version(shelf, h.name, h.latest) for h in all_heads(self.definitions, shelf))
        return [definition for definition in found if definition is not None]


def all_heads(definitions: Definitions, kind: str) -> Iterator[Head]:
    """Every definition of a kind, page by page."""
    cursor: str | None = None
    while True:
        page = definitions.heads(kind, cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def _worse(checked: Checked, problems: Sequence[Problem]) -> Checked:
    return replace(checked, document=None, problems=(*checked.problems, *problems)) if problems else checked


def _under(at: str, problem: Problem) -> Problem:
    return replace(problem, path=f"{at}.{problem.path}".removesuffix("."))


def _refuse(problems: Sequence[Problem] | Iterator[Problem]) -> None:
    if found := tuple(problems):
        raise InvalidInput(found)
