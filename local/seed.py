"""What `make run` fills the local stack with: the incident scenarios, and changes of a real ServiceNow log."""

import io
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from local import guide, outbox, report
from local.clock import clock_of, parameters, seconds_until, set_clock
from local.place import ROOT, LocalStackError, Place
from local.replay import DEFINITIONS, SOURCE, STARTS_AT, USERS, Firing, Replay, next_replay, play, read_lines
from local.stack import Stack
from local.waiting import until
from local.webhooks import Source
from stagebell.adapters.dynamodb_access import DynamoApiKeys
from stagebell.cli import apply
from stagebell.cli.client import Client, path_of
from stagebell.cli.plan import make_plan
from stagebell.domain.errors import StagebellError
from stagebell.ports.clock import Clock
from stagebell.services.access import create

__all__ = ["main", "parameters"]

PIPED_WIDTH = 120
LATE = 30  # seconds after its time that a message may take on a busy machine


@dataclass(frozen=True)
class Seeded:
    """What was put into the stack. Key and secret open nothing but this machine's emulator."""

    key: str
    secret: str
    replays: int = 0
    """How many replays were begun, and how many came to their end."""
    finished: int = 0

    @classmethod
    def read(cls, place: Place) -> "Seeded | None":
        return cls(**json.loads(place.seeded.read_text())) if place.seeded.exists() else None

    def write(self, place: Place) -> "Seeded":
        place.seeded.touch(mode=0o600)
        place.seeded.write_text(json.dumps(asdict(self)))
        return self


@dataclass(frozen=True)
class Seeding:
    """One seeding of a stack, with everything it talks to."""

    stack: Stack
    console: Console

    def run(self, *, again: bool = False) -> None:
        """Replays when nothing was replayed to its end yet, or when asked to; shows what was sent either way."""
        seeded = self._seeded()
        if again or not seeded.finished:
            seeded = self._replay(seeded)
        else:
            self.console.print("The log was replayed before, and is kept. To replay it again: make run REPLAY=1")
        self._show(seeded)
        guide.show(self.console, self.stack, seeded.key, self._source(seeded), self._clock)

    def _seeded(self) -> Seeded:
        return Seeded.read(self.stack.place) or self._first_time()

    def _first_time(self) -> Seeded:
        """A key as `stagebell keys create --stack` makes it; everything else goes over the API."""
        table = DynamoApiKeys(self.stack.client("dynamodb"), self.stack.outputs["AccessTableName"])
        key = create(table, "make run", "admin", datetime.now(UTC)).text
        api = self._api(key)
        made = make_plan(api, DEFINITIONS)
        with redirect_stdout(io.StringIO()):
            apply.carry_out(api, made, activate=True)
        self.console.print(f"Applied {len(made.changes)} definitions from {DEFINITIONS.relative_to(ROOT)}")
        secret = api.post(path_of("sources", SOURCE, "secrets"), {})["secret"]
        return Seeded(key, secret).write(self.stack.place)

    def _replay(self, seeded: Seeded) -> Seeded:
        seeded = replace(seeded, replays=seeded.replays + 1).write(self.stack.place)
        first = not self.stack.place.clock.exists()
        clock = self._set_clock() if first else self._clock
        source = self._source(seeded)
        source.post(read_lines(USERS))
        self._play(next_replay(1 if first else seeded.replays, clock), source, clock, self._api(seeded.key))
        return replace(seeded, finished=seeded.finished + 1).write(self.stack.place)

    def _set_clock(self) -> Clock:
        self.console.print("Setting the clock: an hour of the log is a second here")
        return set_clock(self.stack, STARTS_AT)

    def _play(self, showing: Replay, source: Source, clock: Clock, api: Client) -> None:
        changes, expected = showing.changes(), showing.expected()
        records = {change["id"] for change in changes}
        names = {scenario for scenario, _, _ in expected}
        last = max(expected.values())
        seconds = seconds_until(clock, last)
        self.console.print(
            f"Posting {len(changes)} changes to {len(records)} incidents as they happened ({seconds:.0f} s)"
        )
        with self._progress() as bar:
            task = bar.add_task("", total=len(changes), clock="", sent=0)

            def watch(posted: int) -> None:
                sent = len(outbox.sent(self.stack))
                bar.update(task, completed=posted, clock=f"{clock.now():%a %d %b %H:%M}", sent=sent)

            def sent() -> set[Firing]:
                watch(len(changes))
                found = map(report.firing, report.deliveries_sent(api))
                return {firing for firing in found if firing[0] in names and firing[2] in records}

            play(changes, source, clock, watch)
            patience = max(0.0, seconds_until(clock, last)) + LATE
            what = f"Sending all {len(expected)} messages that a backtest expects"
            until(lambda: expected.keys() <= sent(), what, seconds=patience, pause=0.5)
        if unexpected := sent() - expected.keys():
            raise LocalStackError(f"Sent, though a backtest does not expect it: {sorted(unexpected)}")
        self.console.print(f"Sent {len(expected)} messages: exactly those that a backtest of the log expects\n")

    def _progress(self) -> Progress:
        columns = (
            "{task.fields[clock]}",
            "{task.completed}/{task.total} changes posted",
            "{task.fields[sent]} messages sent",
        )
        return Progress(BarColumn(), *map(TextColumn, columns), console=self.console, transient=True)

    def _show(self, seeded: Seeded) -> None:
        api = self._api(seeded.key)
        sent = report.deliveries_sent(api)
        labels = report.scenarios(api, "incident")
        report.show_sent(self.console, sent, self._noted(sent))
        report.show_not_sent(self.console, report.runs_of(api, labels), labels)

    def _noted(self, sent: list[report.Delivery]) -> Mapping[str, outbox.Message]:
        """What the emulator noted of these; it must know every one of them."""
        noted = outbox.sent(self.stack)
        unknown = [
            d["key"] for d in sent if d["recipient"] not in getattr(noted.get(d["message_id"]), "recipients", ())
        ]
        if unknown:
            raise LocalStackError(
                f"The emulator did not send {len(unknown)} messages that Stagebell calls sent: {unknown}"
            )
        return noted

    @cached_property
    def _clock(self) -> Clock:
        return clock_of(self.stack.place)

    def _api(self, key: str) -> Client:
        return Client(self.stack.api_url, key)

    def _source(self, seeded: Seeded) -> Source:
        return Source(self.stack.api_url, SOURCE, seeded.secret)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)


def main(stack: Stack) -> None:
    try:
        Seeding(stack, _console()).run(again=bool(os.environ.get("REPLAY")))
    except StagebellError as error:
        raise LocalStackError(str(error)) from error
