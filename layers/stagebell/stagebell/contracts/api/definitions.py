"""Definitions as the API shows and takes them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import Field

from stagebell.contracts.api.pages import Page, Shape
from stagebell.contracts.model import Model
from stagebell.domain import differences
from stagebell.domain.errors import Problem
from stagebell.ports import definitions as ports


class _Checked(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def problems(self) -> Sequence[Problem]: ...


class _Finding(Protocol):
    @property
    def rule(self) -> str: ...
    @property
    def definitions(self) -> tuple[str, ...]: ...
    @property
    def message(self) -> str: ...


type LiveRuns = Literal["continue", "pause", "cancel"]


class DefinitionHead(Shape):
    """Where a definition stands. `active` 0: none is; `halted` says what deactivation decided for live runs."""

    kind: str = Field(examples=["scenario"])
    name: str = Field(examples=["salesperson-not-assigned"])
    latest: int = Field(description="The newest version", examples=[3])
    active: int = Field(description="The active version; 0: not active", examples=[2])
    halted: str = Field(description="What the last deactivation did with live runs: continue, pause or cancel")
    changed_at: datetime | None = Field(description="When it was last activated or deactivated")
    changed_by: str = Field(description="The id of the API key that did it")

    @classmethod
    def from_domain(cls, head: ports.Head) -> Self:
        return cls(
            kind=head.kind,
            name=head.name,
            latest=head.latest,
            active=head.active,
            halted=head.halted,
            changed_at=head.changed_at,
            changed_by=head.changed_by,
        )


class DefinitionVersion(Shape):
    """One stored version."""

    kind: str
    name: str
    version: int
    document: Mapping[str, Any] = Field(description="The definition, normalised")
    saved_at: datetime
    saved_by: str = Field(description="The id of the API key that stored it")

    @classmethod
    def from_domain(cls, definition: ports.Definition) -> Self:
        return cls(
            kind=definition.kind,
            name=definition.name,
            version=definition.version,
            document=definition.document,
            saved_at=definition.saved_at,
            saved_by=definition.saved_by,
        )


class DefinitionDetail(DefinitionHead):
    """A definition with its newest version."""

    newest: DefinitionVersion

    @classmethod
    def of(cls, head: ports.Head, newest: ports.Definition) -> Self:
        known = DefinitionHead.from_domain(head).model_dump()
        return cls(**known, newest=DefinitionVersion.from_domain(newest))


class DefinitionPage(Page[DefinitionHead]):
    """Definitions of a kind, by name."""


class VersionPage(Page[DefinitionVersion]):
    """Versions of a definition, newest first."""


class SetOfDefinitions(Model):
    """Definitions to look at together, as they are written."""

    definitions: Annotated[list[Any], Field(min_length=1, max_length=500)]


class InputProblem(Shape):
    """One thing wrong: where, which rule, and what to do."""

    path: str = Field(examples=["steps[0].at.after"])
    rule: str = Field(examples=["required"])
    message: str


class Checked(Shape):
    """What is wrong with one definition; nothing, where `problems` is empty."""

    kind: str
    name: str
    problems: tuple[InputProblem, ...]


class Finding(Shape):
    """Something that definitions do to each other and their author should know; nothing is refused for it."""

    rule: str = Field(
        description="`cycle`: they start each other; `same_field`: they overwrite each other; `unfinished`, as the "
        "last: not everything was looked at, or told"
    )
    definitions: tuple[str, ...] = Field(
        description="None where something is `unfinished`", examples=[["tell-owner", "chase"]]
    )
    message: str = Field(
        examples=["tell-owner (step back) writes deal.stage, which starts chase; chase (step forth) writes …"]
    )

    @classmethod
    def from_domain(cls, found: _Finding) -> Self:
        return cls(rule=found.rule, definitions=found.definitions, message=found.message)


class ActivatedDefinition(DefinitionHead):
    """Where a definition stands once it is active, and what it and the others that are active do to each other."""

    warnings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, head: ports.Head, warnings: Iterable[_Finding]) -> Self:
        known = DefinitionHead.from_domain(head).model_dump()
        return cls(**known, warnings=tuple(map(Finding.from_domain, warnings)))


class Validation(Shape):
    """What is wrong with a set of definitions, in the order they came in; and what it and those that are active would
    do to each other, as far as nothing is wrong."""

    valid: bool
    definitions: tuple[Checked, ...]
    warnings: tuple[Finding, ...] = ()

    @classmethod
    def from_domain(cls, checked: Iterable[_Checked], warnings: Iterable[_Finding] = ()) -> Self:
        told = tuple(Checked(kind=c.kind, name=c.name, problems=tuple(map(_told, c.problems))) for c in checked)
        found = tuple(map(Finding.from_domain, warnings))
        return cls(valid=not any(c.problems for c in told), definitions=told, warnings=found)


def _told(problem: Problem) -> InputProblem:
    return InputProblem(path=problem.path, rule=problem.rule, message=problem.message)


class Difference(Shape):
    """How one definition would change. `version` is the active one; 0: none is."""

    kind: str
    name: str
    standing: differences.Standing = Field(description="`not_listed`: active, but not in the set; it stays as it is")
    version: int
    lines: tuple[str, ...] = Field(examples=[["steps.first-mail.at.after: 5 minutes → 10 minutes"]])

    @classmethod
    def from_domain(cls, found: differences.Difference) -> Self:
        return cls(kind=found.kind, name=found.name, standing=found.standing, version=found.version, lines=found.lines)


class Comparison(Shape):
    """How a set of definitions differs from what is active."""

    differences: tuple[Difference, ...]


class Activate(Model):
    """Which version to activate."""

    version: Annotated[int | None, Field(ge=1, description="Absent: the newest")] = None


class Deactivate(Model):
    """What happens to runs that wait."""

    live_runs: LiveRuns = Field(description="`continue` to their end, `pause` until activated again, or `cancel` now")
