"""A source that is told of changes made here, and the queue that carries the telling: for tests."""

import heapq
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from stagebell.adapters.memory.poster import Post
from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import Delivery
from stagebell.domain.orders import Tell
from stagebell.ports.calls import Posted
from stagebell.ports.records import Applied
from tests.stage import Stage

ADDRESS = "https://crm.example.com/stagebell"
CRM = {"kind": "source", "name": "crm", "format": "stagebell", "write_back": ADDRESS}
RUN = "run_" + "0" * 31
"""With one more digit, the id of a run."""

LONGEST_PAUSE = timedelta(hours=11)


class ToldStage(Stage):
    """A stage whose source `crm` wants to know, and has reported deal-7."""

    def __init__(self, *documents: dict[str, Any], **fields: Any) -> None:
        super().__init__(CRM, *documents)
        self.offline.secrets.rotate("crm")
        self.post(**(fields or {"name": "Pumps", "stage": "Quotation in progress", "amount": "1"}))
        self._steps = iter(range(1, 1_000_000))

    def deed(
        self, *, record: str = "deal-7", type: Any = "updated", causes: tuple[str, ...] = (), **fields: Any
    ) -> Applied:
        """A change that a step of a run makes."""
        run, step = f"{RUN}0", f"step-{next(self._steps)}"
        change = self.change(record, **fields)
        change = replace(
            change, id=f"{run}:{step}", source="stagebell", type=type, actor=run, causes=causes or (run,), why="audit"
        )
        return self.offline.applier.apply(change)

    def tell(self) -> None:
        self.offline.tell_all()

    def answers(self, answer: Callable[[Post], Posted] | int) -> None:
        """What the source answers from now on: a status, or what comes of a post."""
        self.offline.poster.answer = (lambda _: Posted(answer)) if isinstance(answer, int) else answer

    @property
    def posts(self) -> list[Post]:
        return self.offline.poster.posted

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(post.body) for post in self.posts]

    @property
    def told(self) -> list[dict[str, Any]]:
        """The fields of each post."""
        return [body["data"]["fields"] for body in self.bodies]

    @property
    def write_backs(self) -> list[Delivery]:
        """In the order their changes were made."""
        found = [delivery for delivery in self.deliveries if delivery.channel == "write_back"]
        return sorted(found, key=lambda delivery: int(delivery.change.rpartition("-")[2]))

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(delivery.state, delivery.reason) for delivery in self.write_backs]

    @property
    def waiting(self) -> int:
        """How many letters the outbox holds for deal-7."""
        return len(self.offline.outbox.waiting(RecordKey("deal", "deal-7"), "crm", 100))


class Queue:
    """The write-backs queue as SQS plays it: in order within a group, paused messages come back, none comes sooner than
    its pause, and pauses have a longest. It takes over the messages of the stage."""

    def __init__(self, stage: ToldStage) -> None:
        self._stage = stage
        self._due: list[tuple[datetime, int, Tell, int]] = []
        self._numbers = iter(range(1_000_000))
        self.received: list[int] = []
        """How often each message that is done with was received."""

    def run(self, until: datetime) -> None:
        """Carry out what comes by then, the clock going with it."""
        self._take_in()
        while self._due and self._due[0][0] <= until:
            at, _, tell, received = heapq.heappop(self._due)
            self._stage.offline.clock.advance(at)
            later = self._stage.offline.write_back.carry_out(tell)
            if later is None:
                self.received.append(received + 1)
            else:
                self._push(min(later, self._stage.now + LONGEST_PAUSE), tell, received + 1)
            self._take_in()
        self._stage.offline.clock.advance(until)

    def _take_in(self) -> None:
        for tell in list(self._stage.offline.teller.take()):
            self._push(self._stage.now, tell, 0)

    def _push(self, at: datetime, tell: Tell, received: int) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), tell, received))
