"""The action `start_process`: starts another workflow or scenario for the same record."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stagebell.domain import runs
from stagebell.domain.evaluations import Outcome as Word
from stagebell.domain.runs import Run, StepStatus
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Acting, Applier, Deed

_ENDS: Mapping[Word, StepStatus] = MappingProxyType(
    {
        "not_matched": "skipped",
        "once_only": "skipped",
        "already_running": "skipped",
        "loop_stopped": "failed",
        "too_many_runs": "failed",
    }
)
"""How the step ends where nothing was started: as the other process wants it, or refused by a limit."""


def _after(look: Look) -> Run:
    """The run once this step has acted: it may be over then, and so may be started again itself."""
    at = look.view.at
    return runs.close(runs.settle(look.run, look.step.name, "acted", at), at)


@dataclass(frozen=True, slots=True)
class StartProcess:
    """Whatever the other one's trigger is, it is started by hand; what it asks of the record, it asks here too."""

    applier: Applier

    def act(self, look: Look) -> Outcome:
        scenario = self.applier.catalog.index(look.record.key.object).scenarios.get(look.step.params["process"])
        if scenario is None:
            return Outcome("failed", "inactive_process")
        if not look.record.exists:
            return Outcome("skipped", "record_deleted")
        change = look.change(look.record, {})
        weighed = self.applier.weigh(scenario, change, Acting(_after(look), look.stored))
        if weighed.outcome != "started":
            why = {"limit": weighed.limit} if weighed.limit else weighed.why.document()
            return Outcome(_ENDS[weighed.outcome], weighed.outcome, why=why)
        deed = Deed(change, (scenario,), by_hand=True, seen=look.record.version)
        return Outcome("acted", why={"started": weighed.run}, deed=deed)

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """Nothing is left undecided: the other run is stored together with the step's end."""
