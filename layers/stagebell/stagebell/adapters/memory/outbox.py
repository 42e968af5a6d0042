"""The outbox in memory, and a queue of what is to be told."""

from collections.abc import Iterator, Sequence

from stagebell.adapters.memory.store import MemoryStore
from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import Echo, expect
from stagebell.domain.orders import Tell
from stagebell.ports.outbox import Letter


class MemoryOutbox:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def waiting(self, key: RecordKey, source: str, limit: int) -> Sequence[Letter]:
        letters = [letter for letter in self._store.outbox.values() if (letter.key, letter.source) == (key, source)]
        return sorted(letters, key=lambda letter: letter.version)[:limit]

    def done(self, letter: Letter) -> None:
        self._store.outbox.pop(_place(letter), None)

    def put_back(self, letter: Letter) -> None:
        self._store.outbox[_place(letter)] = letter

    def told_late(self, key: RecordKey, echo: Echo) -> None:
        self._store.late[key] = expect(self._store.late.get(key, ()), [echo], echo.at)


class MemoryTeller:
    """What is to be told, in order; whoever carries it out takes it from `waiting`."""

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self.waiting: list[Tell] = []

    def tell(self, tell: Tell, again: str = "") -> None:
        if self._keep and tell not in self.waiting:
            self.waiting.append(tell)

    def take(self) -> Iterator[Tell]:
        """What is to be told one by one, what comes meanwhile included."""
        while self.waiting:
            yield self.waiting.pop(0)


def _place(letter: Letter) -> tuple[RecordKey, str, int]:
    return (letter.key, letter.source, letter.version)
