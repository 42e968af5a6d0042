"""Scenarios as written: what lets a record in, and the steps that follow at their times."""

from typing import Annotated, Literal

from pydantic import Field

from stagebell.contracts.definitions.processes import Process
from stagebell.contracts.definitions.steps import Step
from stagebell.domain.scenarios import STEP_LIMIT


class Scenario(Process):
    """A record enters; each step acts at its own time, unless something ends the run before."""

    called = ("scenario", "step")

    kind: Literal["scenario"]
    steps: Annotated[list[Step], Field(min_length=1, max_length=STEP_LIMIT)]
