"""The action `lock_record`: from then on no action and no edit changes the record's data."""

from dataclasses import dataclass

from stagebell.domain.runs import Run
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Deed
from stagebell.services.sight import Sights


@dataclass(frozen=True, slots=True)
class LockRecord:
    sights: Sights

    def act(self, look: Look) -> Outcome:
        record = look.record
        if not record.exists:
            return Outcome("skipped", "record_deleted")
        if record.lock is not None:
            return Outcome("acted", "already_locked")
        change = look.change(record, {}, "locked", self.sights.reason(look))
        return Outcome("acted", deed=Deed(change, seen=record.version))

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """Nothing is left undecided: the lock is stored together with the step's end."""
