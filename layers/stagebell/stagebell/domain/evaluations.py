"""Evaluations: what one definition said to one change, and what came of it."""

from dataclasses import dataclass
from typing import Any, Literal

from stagebell.domain.conditions import Explanation
from stagebell.domain.limits import Limit

type Outcome = Literal["started", "not_matched", "once_only", "already_running", "loop_stopped", "too_many_runs"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one definition said to one change, with the values it saw (rule 13), or the limit that was reached."""

    definition: str
    version: int
    outcome: Outcome
    why: Explanation
    run: str = ""
    limit: Limit | None = None

    def document(self) -> dict[str, Any]:
        shown = {"definition": self.definition, "version": self.version, "outcome": self.outcome}
        came_of_it = {"run": self.run, "limit": self.limit}
        return shown | {key: word for key, word in came_of_it.items() if word} | {"why": self.why.document()}
