"""The changes queue in memory: what was sent, in order."""

from collections import deque
from collections.abc import Iterator, Sequence

from stagebell.domain.changes import Change
from stagebell.ports.queues import Command


class MemoryQueue:
    """First in, first out; duplicates stay, as the real queue knows them for five minutes only."""

    def __init__(self) -> None:
        self.changes: deque[Change] = deque()
        self.commands: deque[Command] = deque()

    def send(self, changes: Sequence[Change]) -> None:
        self.changes.extend(changes)

    def command(self, command: Command) -> None:
        self.commands.append(command)

    def take(self) -> Iterator[Change]:
        """The queued changes one by one, those sent meanwhile included."""
        while self.changes:
            yield self.changes.popleft()

    def take_commands(self) -> Iterator[Command]:
        while self.commands:
            yield self.commands.popleft()
