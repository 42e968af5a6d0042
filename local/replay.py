"""The extract of a ServiceNow log, posted change by change at the moments at which things happened."""

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from local.place import ROOT
from local.webhooks import Source
from stagebell.cli.changelog import ChangeLog
from stagebell.cli.files import load_valid
from stagebell.domain.fields import instant_text, parse_instant
from stagebell.ports.clock import Clock
from stagebell.runtime.offline import Offline

DEFINITIONS = ROOT / "examples" / "incidents"
EXTRACT = ROOT / "events" / "incidents" / "changes.jsonl"
USERS = ROOT / "events" / "incidents" / "users.jsonl"
SOURCE = "servicenow"
STARTS_AT = datetime(2016, 5, 16, 9, tzinfo=UTC)
"""When the source is connected. What happened earlier is posted first, at once: delays count from when things
happened, so what is overdue then goes out without waiting."""

TICK = 0.05  # seconds
CHANGES_PER_REQUEST = 100

type Change = dict[str, Any]
type Firing = tuple[str, str, str]
"""Scenario, step and record of a step that acts."""


@dataclass(frozen=True)
class Replay:
    """One showing of the extract: the first tells the log as it is, later ones under new ids and at later times."""

    number: int
    shift: timedelta

    def changes(self) -> list[Change]:
        return [self._moved(change) for change in read_lines(EXTRACT)]

    def expected(self) -> dict[Firing, datetime]:
        """What a backtest of the extract says will be sent, and when."""
        return {(scenario, step, self._renamed(id)): at + self.shift for (scenario, step, id), at in backtest().items()}

    def _moved(self, change: Change) -> Change:
        moment = parse_instant(change["occurred_at"]) + self.shift
        renamed = {name: self._renamed(change[name]) for name in ("id", "change_id")}
        return {**change, **renamed, "occurred_at": instant_text(moment)}

    def _renamed(self, id: str) -> str:
        return f"{id}-{self.number}" if self.number > 1 else id


def next_replay(number: int, clock: Clock) -> Replay:
    """The first begins as the clock shows the extract's time; later ones start a few seconds from now."""
    if number == 1:
        return Replay(1, timedelta())
    soon = clock.now() + timedelta(hours=4) - STARTS_AT
    return Replay(number, timedelta(minutes=soon // timedelta(minutes=1)))


def read_lines(path: Path) -> list[Change]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def backtest() -> dict[Firing, datetime]:
    """What the definitions do with the extract, in memory and on a virtual clock."""
    offline = Offline(ZoneInfo("UTC"), keep=False)
    offline.activate(load_valid(DEFINITIONS))
    test = offline.backtest()
    for change, _ in ChangeLog(EXTRACT).read(offline.catalog.schema):
        test.feed(change)
    return {(firing.scenario, firing.step, firing.record): firing.fires_at for firing in test.finish().firings}


def play(changes: Sequence[Change], source: Source, clock: Clock, watch: Callable[[int], None]) -> None:
    """Post each change as soon as the clock shows its time; `watch` is told how many were posted."""
    waiting, posted = deque(changes), 0
    while waiting:
        due = _due(waiting, clock.now())
        if due:
            source.post(due)
            posted += len(due)
        watch(posted)
        time.sleep(TICK)


def _due(waiting: deque[Change], now: datetime) -> list[Change]:
    due: list[Change] = []
    while waiting and len(due) < CHANGES_PER_REQUEST and parse_instant(waiting[0]["occurred_at"]) <= now:
        due.append(waiting.popleft())
    return due
