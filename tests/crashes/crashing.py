"""A Stagebell that dies: every call of every port may be the last one of its process, before or after it took effect.

What died comes again, as the queue delivers a change again and the machine a task; the world around it lives on."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Literal

from botocore.exceptions import ReadTimeoutError

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.deliveries import Delivery
from stagebell.domain.errors import RETRIED_BY_MACHINES
from stagebell.domain.executions import Task
from stagebell.domain.orders import Wake
from stagebell.domain.runs import Run
from stagebell.ports.queues import Command
from stagebell.services.act import Actor
from stagebell.services.apply import Applier
from stagebell.services.finish import Commander, Finisher
from tests.stage import START, Stage

type When = Literal["before", "after"]


class Died(BaseException):
    """The process is gone; no `except Exception` sees it."""


@dataclass
class Fuse:
    """Burns at the n-th call of any port, once. Without `at` it only writes the calls down."""

    at: int | None = None
    when: When = "before"
    calls: list[str] = field(default_factory=list)
    quiet: bool = False

    def passes(self, call: str) -> bool:
        if self.quiet:
            return True
        self.calls.append(call)
        return self.at is None or len(self.calls) != self.at + 1

    @property
    def burnt(self) -> bool:
        return self.at is not None and len(self.calls) > self.at

    def instead(self, call: str, request: Mapping[str, Any]) -> Any:
        """What becomes of the call it burns at: None, and it is made, or an answer that is none of the service's."""
        if self.when == "before":
            raise Died(f"before {call}")

    def afterwards(self, call: str) -> None:
        """What becomes of the answer."""
        if self.when == "after":
            raise Died(f"after {call}")

    @contextmanager
    def ignored(self) -> Iterator[None]:
        """Calls of the test itself are none of Stagebell's."""
        self.quiet = True
        yield
        self.quiet = False


type How = Literal["busy", "conflict", "lost"]
_CODES: Mapping[How, str] = {"busy": "ThrottlingException", "conflict": "TransactionCanceledException"}


class Failing(Fuse):
    """Burns at the n-th call as well; not the process dies, the service fails: it is too `busy`, it is at work on the
    same items (`conflict`), or it has done its work and the answer is `lost`."""

    def __init__(self, at: int, how: How) -> None:
        super().__init__(at)
        self.how = how

    def instead(self, call: str, request: Mapping[str, Any]) -> Any:
        if self.how == "lost":
            return None
        answer: dict[str, Any] = {"Error": {"Code": _CODES[self.how], "Message": f"{self.how} at {call}"}}
        if self.how == "conflict":
            writes = len(json.loads(request["body"])["TransactItems"])
            answer["CancellationReasons"] = [{"Code": "None"}] * (writes - 1) + [{"Code": "TransactionConflict"}]
        return SimpleNamespace(status_code=400), answer | {"ResponseMetadata": {"HTTPStatusCode": 400}}

    def afterwards(self, call: str) -> None:
        if self.how == "lost":
            raise ReadTimeoutError(endpoint_url=call)


class Mortal:
    """A port whose calls may be the last."""

    def __init__(self, name: str, port: Any, fuse: Fuse) -> None:
        self._name, self._port, self._fuse = name, port, fuse

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)

        def mortal(*args: Any, **kwargs: Any) -> Any:
            if self._fuse.passes(f"{self._name}.{method}"):
                return call(*args, **kwargs)
            if self._fuse.when == "after":
                call(*args, **kwargs)
            raise Died(f"{self._fuse.when} {self._name}.{method}")

        return mortal

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._port(*args, **kwargs)


@dataclass(frozen=True)
class Told:
    """A change of a deal, some minutes after the start."""

    minute: float
    record: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Ordered:
    """A command of an operator on the runs of a scenario."""

    minute: float
    verb: Literal["cancel", "pause", "resume"]
    definition: str


@dataclass(frozen=True)
class ByHand:
    """Somebody starts a scenario for a record; `occasion` is what makes a second try the same one."""

    minute: float
    record: str
    definition: str
    occasion: str = ""


type Event = Told | Ordered | ByHand
type Work = Change | Command | ByHand


@dataclass(frozen=True, eq=False)
class Story:
    """Definitions, and what happens to them. `prepare` sets the scene before anything can die."""

    name: str
    definitions: tuple[dict[str, Any], ...]
    events: tuple[Event, ...]
    prepare: Callable[[Stage], None] = lambda stage: None
    until: timedelta = timedelta(days=30)


type Mode = Literal["again", "given_up", "overtaken"]


class World:
    """Plays a story to its end. `mode` says what follows a death: the same work comes `again`; the machine has
    `given_up` and says so; or the work comes again, but a later change has `overtaken` it."""

    def __init__(self, story: Story, fuse: Fuse, mode: Mode = "again") -> None:
        self.story, self.fuse, self.mode = story, fuse, mode
        self.stage = Stage(*story.definitions)
        story.prepare(self.stage)
        self.held: Callable[[], None] | None = None
        self.died_in = ""
        self._wire()

    def _wire(self) -> None:
        here, fuse = self.stage.offline, self.fuse
        records, runs = Mortal("records", here.records, fuse), Mortal("runs", here.runs, fuse)
        self.scheduler = Mortal("scheduler", here.scheduler, fuse)
        self.queue = Mortal("queue", here.queue, fuse)
        deliveries = Mortal("deliveries", here.deliveries, fuse)
        self.teller = Mortal("teller", here.teller, fuse)
        self.applier = Applier(here.catalog, records, runs, self.scheduler, self.teller, here.clock)
        self.actor = Actor(self.applier, records, runs, here.clock, "offline")
        self.commander = Commander(Finisher(runs, self.scheduler, here.clock), runs, self.queue)
        actions = here.actions
        self.actions = {
            kind: replace(
                action,
                courier=replace(action.courier, deliveries=deliveries),
                directories=replace(action.directories, records=records),
                suppressions=Mortal("suppressions", action.suppressions, fuse),
                **{provider: Mortal(provider, getattr(action, provider), fuse)},
            )
            for kind, action, provider in (
                ("send_email", actions["send_email"], "mailer"),
                ("send_sms", actions["send_sms"], "texter"),
            )
        }

    def play(self) -> "World":
        events = list(self.story.events)
        changes = [self._change(number, event) for number, event in enumerate(events)]
        for event, work in zip(events, changes, strict=True):
            moment = START + timedelta(minutes=event.minute)
            self._run_until(moment, inclusive=False)
            self.stage.offline.clock.advance(moment)
            waiting, self.held = self.held, None
            self._do(work)
            if waiting is not None:
                waiting()
        self._release()
        self._run_until(START + self.story.until, inclusive=True)
        self._release()
        self._run_until(START + self.story.until, inclusive=True)
        return self

    def _release(self) -> None:
        waiting, self.held = self.held, None
        if waiting is not None:
            waiting()

    def _change(self, number: int, event: Event) -> Work:
        if isinstance(event, ByHand):
            return replace(event, occasion=f"by-hand-{number}")
        if isinstance(event, Ordered):
            return Command(event.verb, event.definition, f"command-{number}")
        at = START + timedelta(minutes=event.minute)
        return self.stage.change(event.record, at=at, id_=f"crm:{number}", **event.fields)

    def _do(self, work: Work) -> None:
        try:
            self._carry_out(work)
        except Died as death:
            self.died_in = str(death)
            self.held = lambda: self._do(work)
            if self.mode != "overtaken":
                self._release()

    def _carry_out(self, work: Work) -> None:
        if isinstance(work, Change):
            self.applier.apply(work)
            return
        if isinstance(work, ByHand):
            self.applier.start("scenario", work.definition, RecordKey("deal", work.record), work.occasion, "u1")
            return
        self.commander.carry_out(work)
        for following in list(self.stage.offline.queue.take_commands()):
            self._do(following)

    def _run_until(self, moment: datetime, *, inclusive: bool) -> None:
        for wake in self.stage.offline.scheduler.due(moment, inclusive=inclusive):
            self.stage.offline.clock.advance(wake.at)
            self._wake(Task(wake.run, wake.step, wake.execution, born=wake.at), wake.kind)

    def _wake(self, task: Task, kind: str, attempt: int = 1) -> None:
        """As the machine does it: Act with its retries, GiveUp after them, then Wait, Continue or Done."""
        try:
            answer = self.actor.act(task, self.actions[kind])
        except RETRIED_BY_MACHINES as error:
            again = task if attempt < 5 else replace(task, failure={"Error": type(error).__name__, "Cause": str(error)})
            self._wake(again, kind, attempt + 1)
            return
        except Died as death:
            self.died_in = str(death)
            if self.mode == "overtaken":
                self.held = lambda: self._wake(task, kind, attempt)
                return
            lost = {"Error": "Lambda.Unknown", "Cause": "the process died"}
            self._wake(replace(task, failure=lost) if self.mode == "given_up" else task, kind, attempt)
            return
        self._go_on(answer)

    def _go_on(self, answer: dict[str, Any]) -> None:
        if answer["next"] == "done":
            return
        kind = answer["function"].removeprefix("offline-").replace("-", "_")
        at = datetime.fromisoformat(answer["wait_until"])
        wake = Wake(answer["run"], answer["execution"], answer["step"], kind, at)
        here = self.stage.offline.scheduler
        if answer["next"] == "wait":
            here.sleep(wake)
        else:
            assert answer["execution_name"] == f"{wake.run}-{wake.execution}"
            here.start(wake)

    # --- how it ended ---

    @property
    def mirrors(self) -> Any:
        return self.stage.offline.store.records

    @property
    def runs(self) -> dict[str, Run]:
        return {id: replace(run, revision=0) for id, run in self.stage.offline.store.runs.items()}

    @property
    def enrolments(self) -> Any:
        return self.stage.offline.store.enrolments

    @property
    def asleep(self) -> set[tuple[str, int]]:
        """The executions that still matter: those of open runs."""
        runs = self.stage.offline.store.runs
        waiting = self.stage.offline.scheduler._waiting
        return {(run, number) for run, number in waiting if runs[run].open and runs[run].execution == number}

    @property
    def deliveries(self) -> dict[str, Delivery]:
        return {d.key: d for d in self.stage.deliveries}

    @property
    def sent(self) -> list[str]:
        """The delivery keys of all messages that went out."""
        here = self.stage.offline
        return sorted(message.key for message in (*here.mailer.sent, *here.texter.sent))


def deaths(calls: Iterable[str]) -> list[tuple[int, str, When]]:
    """Every way to die: at each call, before it and after it."""
    return [(number, call, when) for number, call in enumerate(calls) for when in ("before", "after")]  # type: ignore[misc]
