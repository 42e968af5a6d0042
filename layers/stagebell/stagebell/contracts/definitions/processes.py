"""Processes as written: what scenarios and workflows have in common."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from stagebell.contracts.definitions.conditions import Condition
from stagebell.contracts.definitions.triggers import Stage, Trigger
from stagebell.contracts.model import DefinitionModel, Description, FieldName, Label, Name, Zone, written
from stagebell.domain.errors import Problem
from stagebell.domain.scenario_documents import steps_key


class Process(DefinitionModel):
    """A record is let in, and something is done for it."""

    called: ClassVar[tuple[str, str]]  # the kind, and one of its steps, in a sentence

    kind: str
    name: Name
    label: Label | None = None
    description: Description | None = None
    object: FieldName
    stage: Stage | None = None
    trigger: Trigger | None = None
    only_if: Annotated[Condition | None, Field(description="Must hold for a record to enter")] = None
    cancel_if: Annotated[Condition | None, Field(description="A later change that ends the run")] = None
    reentry: Annotated[
        Literal["every_entry", "once", "restart"],
        Field(description="once: per record, ever; restart: a new match replaces the waiting run"),
    ] = "every_entry"
    past_due: Annotated[
        Literal["run", "skip", "fail"], Field(description="A step whose time had passed before we heard of it")
    ] = "run"
    on_unknown: Annotated[
        Literal["resend", "leave"], Field(description="A message of which nobody knows whether it went out")
    ] = "leave"
    timezone: Zone | None = None
    calendar: Annotated[Name | None, Field(description="The calendar that business days and hours count on")] = None

    @classmethod
    def across(cls, document: Mapping[str, Any]) -> Iterator[Problem]:
        whole, part = cls.called
        if (document.get("stage") is None) == (document.get("trigger") is None):
            yield Problem("", "stage_or_trigger", f"a {whole} has either a stage or a trigger")
        key = steps_key(document)
        steps = document.get(key)
        names = [written(step).get("name") for step in steps] if isinstance(steps, list) else []
        for index, name in enumerate(names):
            if isinstance(name, str) and name in names[:index]:
                yield Problem(f"{key}[{index}].name", "unique_name", f"an earlier {part} is called {name} too")
