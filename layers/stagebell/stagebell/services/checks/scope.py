"""The scope of a check: what a step's record is, what is known, and where in the document the step stands."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from stagebell.domain.errors import Problem
from stagebell.domain.objects import ObjectType, Schema
from stagebell.domain.paths import Path, resolve
from stagebell.services.checks.templates import Names, names_of, text_problems
from stagebell.services.checks.world import Document, Tools, World


@dataclass(frozen=True, slots=True)
class Scope:
    """`at` is the step's path with a dot behind it, such as `steps[0].`; `process` the definition it stands in."""

    process: Document
    world: World
    tools: Tools
    at: str

    @property
    def object(self) -> str:
        return str(self.process["object"])

    @property
    def schema(self) -> Schema:
        return self.world.schema

    @property
    def kind(self) -> ObjectType:
        return self.schema[self.object]

    @property
    def names(self) -> Names:
        return names_of(self.object, self.schema)

    def path(self, text: str) -> Path | str:
        """The path from the step's record, or a sentence that says what is wrong with it."""
        return resolve(text, self.object, self.schema)

    def about(self, object_name: str) -> "Scope":
        """The same place, for what is about a record of another object."""
        return replace(self, process={**self.process, "object": object_name})

    def under(self, key: str) -> "Scope":
        """A part of the step."""
        return replace(self, at=f"{self.at}{key}.")

    def texts(self, step: Document, *keys: str) -> Iterator[Problem]:
        """Problems of the plain templates under these keys."""
        for key in keys:
            if step.get(key):
                yield from self.text(step[key], key)

    def text(self, source: str, key: str) -> Iterator[Problem]:
        yield from text_problems(f"{self.at}{key}", source, self.names, self.tools.templates, html=False)
