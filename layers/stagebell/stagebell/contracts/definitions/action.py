"""What every action has, whatever its kind."""

from typing import Annotated, Literal

from pydantic import Field

from stagebell.contracts.definitions.conditions import Condition
from stagebell.contracts.model import Label, Model, Name


class Action(Model):
    """What every action has, whatever its kind."""

    name: Annotated[Name, Field(description="Unique among the steps; runs and reports show it")]
    label: Annotated[Label | None, Field(description="A longer name for people")] = None
    only_if: Annotated[Condition | None, Field(description="Looked at when the time has come; else skipped")] = None
    on_failure: Annotated[
        Literal["continue", "stop"], Field(description="Whether later steps still run when this one fails")
    ] = "continue"
