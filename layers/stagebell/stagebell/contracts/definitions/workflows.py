"""Workflows as written: what lets a record in, and what is done at once."""

from typing import Annotated, Literal

from pydantic import Field

from stagebell.contracts.definitions.processes import Process
from stagebell.contracts.definitions.steps import WorkflowAction
from stagebell.domain.scenarios import STEP_LIMIT


class Workflow(Process):
    """Something happens to a record; the actions follow at once, one after the other."""

    called = ("workflow", "action")

    kind: Literal["workflow"]
    actions: Annotated[list[WorkflowAction], Field(min_length=1, max_length=STEP_LIMIT)]
