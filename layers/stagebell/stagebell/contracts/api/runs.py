"""Runs as the API shows and takes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from stagebell.contracts.api.pages import Page, RecordName, Shape
from stagebell.contracts.model import Model
from stagebell.domain import runs

type Text256 = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Step(Shape):
    """One action of a run: when it is due, how it ended, and why."""

    name: str = Field(examples=["first-mail"])
    type: str = Field(description="The kind of action", examples=["send_email"])
    status: str = Field(description="waiting, acted, skipped, failed or cancelled", examples=["waiting"])
    due_at: datetime | None = Field(description="Null while nothing says when")
    settled_at: datetime | None
    reason: str = Field(description="A stable word", examples=["stage_changed"])
    why: Mapping[str, Any] | None = Field(description="The condition, limit or error behind the reason, with values")
    deliveries: tuple[str, ...] = Field(description="Keys of the messages it made")
    record: RecordName | None = Field(description="The record it changed, made, or started something for")

    @classmethod
    def from_domain(cls, step: runs.StepState) -> Self:
        return cls(
            name=step.name,
            type=step.kind,
            status=step.status,
            due_at=step.due_at,
            settled_at=step.settled_at,
            reason=step.reason,
            why=step.why,
            deliveries=step.deliveries,
            record=RecordName.from_domain(step.record) if step.record else None,
        )


class Run(Shape):
    """One instance of a workflow or scenario for one record, pinned to the version it started with."""

    id: str = Field(examples=["run_0f2c8f4e5d0b4f3a9c1d7e6b5a493827"])
    definition: str = Field(examples=["salesperson-not-assigned"])
    version: int
    record: RecordName
    change: str = Field(description="The change that started it", examples=["erp:msg_2"])
    status: str = Field(description="running, paused, completed, failed, cancelled or superseded", examples=["running"])
    reason: str = Field(description="Why it ended early: a stable word, or what the canceller gave")
    triggered_at: datetime = Field(description="When it happened in the source")
    started_at: datetime = Field(description="When Stagebell heard of it")
    ended_at: datetime | None
    left_at: datetime | None = Field(description="When the record left the stage")
    next_due_at: datetime | None = Field(description="When its next step acts")
    execution: int = Field(description="Its execution in the machines, which is called ID-EXECUTION", examples=[1])
    quiet: bool = Field(description="Started by a quiet import: nothing is sent")
    causes: tuple[str, ...] = Field(description="Runs whose actions led here, oldest first")
    steps: tuple[Step, ...]

    @classmethod
    def from_domain(cls, run: runs.Run) -> Self:
        upcoming = run.next if run.open else None
        return cls(
            id=run.id,
            definition=run.definition,
            version=run.version,
            record=RecordName.from_domain(run.key),
            change=run.change,
            status=run.status,
            reason=run.reason,
            triggered_at=run.triggered_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
            left_at=run.left_at,
            next_due_at=upcoming.due_at if upcoming else None,
            execution=run.execution,
            quiet=run.quiet,
            causes=run.causes,
            steps=tuple(Step.from_domain(step) for step in run.steps),
        )


class RunPage(Page[Run]):
    """Runs, newest first."""


class CancelRun(Model):
    """Why a run is cancelled."""

    reason: Annotated[
        str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$"), Field(description="A word shown on the run")
    ] = "cancelled_by_operator"


class StartRun(Model):
    """The record to start a workflow or scenario for."""

    object: Text256
    id: Text256
