"""Tasks: what machines hand to functions. Released shapes parse for ever: a sleeping run outlives many deploys."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from stagebell.domain.executions import Task


class TaskModel(BaseModel):
    """Unknown keys are let through: an older function may meet a newer machine's state."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Failure(TaskModel):
    """What Step Functions caught when it stopped retrying."""

    error: str = Field(alias="Error", default="unknown")
    cause: str = Field(alias="Cause", default="")


class ActionTask(TaskModel):
    """A step whose time has come, for the function of its action kind."""

    version: Literal[1]
    run: str = Field(min_length=1)
    step: str = Field(min_length=1)
    execution: int = Field(ge=1)
    born: datetime
    failure: Failure | None = None
    express: bool = False

    def to_domain(self) -> Task:
        failure = {"Error": self.failure.error, "Cause": self.failure.cause[:500]} if self.failure else None
        return Task(self.run, self.step, self.execution, self.born, failure, self.express)


class ExecutionDetail(TaskModel):
    """`detail` of EventBridge's "Step Functions Execution Status Change"."""

    name: str
    status: str


class ExecutionEnded(TaskModel):
    """A machine execution that ended by itself in a way that it never should."""

    detail: ExecutionDetail

    @property
    def run(self) -> str:
        return self.detail.name.rpartition("-")[0]

    @property
    def execution(self) -> int:
        number = self.detail.name.rpartition("-")[2]
        return int(number) if number.isdigit() else 0

    @classmethod
    def of(cls, event: object) -> Self:
        return cls.model_validate(event)
