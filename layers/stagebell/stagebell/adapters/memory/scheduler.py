"""The scheduler in memory: runs sleep in a heap until somebody asks what is due."""

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count

from stagebell.domain.orders import Halt, Wake

type Name = tuple[str, int]

_SPARE = 1_000


class MemoryScheduler:
    """An execution has a name (run and number) that can be started once, ever, as with Step Functions."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Wake]] = []
        self._waiting: dict[Name, int] = {}
        self._names: set[int] = set()
        self._order = count()

    def __len__(self) -> int:
        """How many executions sleep."""
        return len(self._waiting)

    def start(self, wake: Wake) -> None:
        name = hash(_name(wake))
        if name not in self._names:
            self._names.add(name)
            self.sleep(wake)

    def sleep(self, wake: Wake) -> None:
        """Let an execution that goes already wait for its next step."""
        order = next(self._order)
        self._waiting[_name(wake)] = order
        heappush(self._heap, (wake.at, order, wake))

    def stop(self, halt: Halt) -> None:
        if self._waiting.pop((halt.run, halt.execution), None) is not None:
            self._tidy()

    def due(self, until: datetime | None = None, *, inclusive: bool = True) -> Iterator[Wake]:
        """Wakes in the order of their times (at equal times as they were started), those added meanwhile included.

        `until` None takes all; `inclusive=False` leaves those of that very instant (a change then counts first)."""
        while self._heap and (until is None or self._heap[0][0] < until or (inclusive and self._heap[0][0] == until)):
            _, order, wake = heappop(self._heap)
            if self._waiting.get(_name(wake)) == order:
                del self._waiting[_name(wake)]
                yield wake

    def _tidy(self) -> None:
        """Drop what was stopped once it outnumbers what sleeps."""
        if len(self._heap) > 2 * len(self._waiting) + _SPARE:
            self._heap = [entry for entry in self._heap if self._waiting.get(_name(entry[2])) == entry[1]]
            heapify(self._heap)


def _name(wake: Wake) -> Name:
    return (wake.run, wake.execution)
