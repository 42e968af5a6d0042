"""The action `unlock_record`: actions and edits change the record's data again."""

from dataclasses import dataclass

from stagebell.domain.runs import Run
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Deed
from stagebell.services.sight import Sights


@dataclass(frozen=True, slots=True)
class UnlockRecord:
    sights: Sights

    def act(self, look: Look) -> Outcome:
        record = look.record
        if not record.exists:
            return Outcome("skipped", "record_deleted")
        if record.lock is None:
            return Outcome("acted", "not_locked")
        change = look.change(record, {}, "unlocked", self.sights.reason(look))
        return Outcome("acted", deed=Deed(change, seen=record.version))

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """Nothing is left undecided: the end of the lock is stored together with the step's."""
