"""One action at work: what it sees, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stagebell.domain import runs
from stagebell.domain.changes import Change, ChangeType
from stagebell.domain.conditions import View
from stagebell.domain.fields import Value
from stagebell.domain.records import Record
from stagebell.domain.runs import Run, StepStatus
from stagebell.domain.scenarios import Scenario, Step
from stagebell.ports.records import Stored
from stagebell.services.apply import Deed


@dataclass(frozen=True, slots=True)
class Look:
    """What an action sees when it acts; `stored` is the run's record with what it remembers of each definition."""

    run: Run
    scenario: Scenario
    step: Step
    stored: Stored
    view: View

    @property
    def record(self) -> Record:
        return self.stored.record

    def change(
        self, record: Record, fields: Mapping[str, Value], type: ChangeType = "updated", why: str = ""
    ) -> Change:
        """The change this step makes to a record: the same at every attempt, and after all that the record has seen."""
        seen = [stamp.at for stamp in (record.touched, record.deleted) if stamp is not None]
        at = max([self.view.at, *seen])
        return Change(
            id=runs.change_of(self.run.id, self.step.name),
            source="stagebell",
            key=record.key,
            type=type,
            occurred_at=at,
            fields=fields,
            actor=self.run.id,
            mode="quiet" if self.run.quiet else "run",
            causes=(*self.run.causes, self.run.id),
            why=why,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did: how its step ends, why, and the keys of the deliveries it made.

    `deed` is what is still to be done to a record: it is stored together with the step's end."""

    status: StepStatus
    reason: str = ""
    deliveries: tuple[str, ...] = ()
    why: Mapping[str, Any] | None = None
    deed: Deed | None = None


class Action(Protocol):
    """One action kind."""

    def act(self, look: Look) -> Outcome:
        """Do it. Raises RunMoved to look again, a retried error to be called again by the machine; any other
        StagebellError fails the step with its code."""

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """No attempt will follow: leave nothing undecided behind. `reason` says why."""
