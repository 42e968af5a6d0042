"""Interplay: what definitions do to each other, seen before anything has run.

An edge leads from one definition to another where a write of the first can let a record into the second: the second's
trigger listens to it, and its `only_if` can hold for the values that are written. A way back is a cycle. Every loop is
stopped at run time in the end; here it is told while it is still text.

What is told though it may never happen: clauses are judged one by one; computed values can be anything; a step's write
counts although the step may be skipped, and although the record may hold that value already. A definition that writes
what lets it in again is a cycle even where its second run changes nothing, for its messages go out twice. So is a
definition that moves its own date on: its causes add up, and it is stopped at the eighth.

What is not told though it may happen: loops through other systems, which answer a webhook or repeat a write-back with
other values; what people do; what a definition cancels or re-times instead of starting it; and steps for which only
somebody else's change at the very moment would open the way. Where no records are made on the way, a cycle is none
through a definition that lets each record in once only.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

from stagebell.domain.objects import Schema
from stagebell.domain.possible import Knowledge, outcomes
from stagebell.domain.rings import rings, round_trip
from stagebell.domain.scenarios import Scenario, Trigger
from stagebell.domain.writes import Allowed, Surroundings, Write, touched, writes_of

PAIRS_TRIED = 200_000
"""Definitions that all listen to everything are tried each against each; a stack that has hundreds of those gets what
is found in a few seconds, rather than no answer, and is told that this is not all."""

type Rule = Literal["cycle", "same_field", "unfinished"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about several definitions (or one and itself) that its author should know. It is a warning. One that is
    `unfinished` says of no definition in particular that not everything was looked at."""

    rule: Rule
    definitions: tuple[str, ...]
    message: str


UNTRIED = Finding(
    "unfinished",
    (),
    "not every definition was tried against every other, for too many listen to the same fields: there may be more "
    "loops; name fields in the triggers, and more is looked at",
)


class Interplay:
    """A set of definitions by name, all those that run beside each other. `allowed` is what functions may set."""

    def __init__(
        self, scenarios: Iterable[Scenario], schema: Schema, allowed: Allowed, *, pairs: int = PAIRS_TRIED
    ) -> None:
        self._pairs = pairs
        self._cut_short = False
        self.scenarios = {scenario.name: scenario for scenario in scenarios}
        self._schema = schema
        self._allowed = allowed
        self._writes: dict[str, list[Write]] = {}
        self._edges: dict[str, dict[str, Write]] = {}

    def writes(self, name: str) -> list[Write]:
        if name not in self._writes:
            around = Surroundings(_ByOthers(self._writers, self.scenarios[name]), name in self._started)
            self._writes[name] = writes_of(self.scenarios[name], self._schema, self._allowed, around)
        return self._writes[name]

    @cached_property
    def _writers(self) -> "_Writers":
        found: _Writers = {}
        for name, scenario in self.scenarios.items():
            for place in touched(scenario, self._schema, self._allowed):
                found.setdefault(place, set()).add(name)
        return found

    @cached_property
    def _started(self) -> frozenset[str]:
        """The definitions that others start by name."""
        steps = (step for scenario in self.scenarios.values() for step in scenario.steps)
        return frozenset(str(step.params.get("process")) for step in steps if step.kind == "start_process")

    def edges(self, name: str) -> Mapping[str, Write]:
        """The definitions that a definition can let records into, each with a write that does: one that makes a record
        where there is such a one, for nothing ends that."""
        if name not in self._edges:
            found: dict[str, Write] = {}
            for write in sorted(self.writes(name), key=lambda write: write.whose != "new"):
                for listener in self._tried(self._audience(write)):
                    if listener.name not in found and lets_in(write, listener):
                        found[listener.name] = write
            self._edges[name] = found
        return self._edges[name]

    def _tried(self, audience: Iterable[Scenario]) -> Iterator[Scenario]:
        for listener in audience:
            if not self._pairs:
                self._cut_short = True
                return
            self._pairs -= 1
            yield listener

    def _audience(self, write: Write) -> Iterable[Scenario]:
        if write.start:
            target = self.scenarios.get(write.start)
            return [target] if target is not None and target.object == write.object else []
        return self._listeners.about(write)

    @cached_property
    def _listeners(self) -> "_Listeners":
        return _Listeners(self.scenarios.values())

    def cycles(self, roots: Iterable[str]) -> Iterator[Finding]:
        """The cycles in which one of the roots takes part, one finding for all that hangs together; and last, where
        there are too many definitions to try them all, one that says so."""
        wanted = sorted(set(roots) & self.scenarios.keys())
        for ring in rings(wanted, self.edges):
            for part in self._endless(ring):
                if not part.isdisjoint(wanted):
                    yield self._cycle(part, next(name for name in wanted if name in part))
        if self._cut_short:
            yield UNTRIED

    def _endless(self, ring: frozenset[str]) -> list[frozenset[str]]:
        """The parts of a ring that go on for ever: where no records are made, those that `once` does not end."""
        inside = {name: {n: w for n, w in self.edges(name).items() if n in ring} for name in ring}
        if any(write.whose == "new" for edges in inside.values() for write in edges.values()):
            return [ring]
        again = {name for name in ring if self.scenarios[name].reentry != "once"}
        return rings(sorted(again), lambda name: [n for n in inside[name] if n in again])

    def _cycle(self, ring: frozenset[str], start: str) -> Finding:
        way = round_trip(start, ring, self.edges)
        told = "; ".join(self._told(one, other) for one, other in pairwise(way))
        others = sorted(ring - set(way))
        beside = f" (in the same loop: {', '.join(others)})" if others else ""
        advice = "unless that is meant, narrow a trigger or an only_if"
        return Finding("cycle", (*way[:-1], *others), f"{told}{beside}: {advice}")

    def _told(self, one: str, other: str) -> str:
        write, again = self.edges(one)[other], " again" if one == other else ""
        who = f"{one} (step {write.step.name})"
        if write.start:
            return f"{who} starts {other}{again}"
        if write.whose == "new":
            return f"{who} creates a {write.object}, which starts {other}{again}"
        name = next((n for n in self.scenarios[other].trigger.fields if n in write.fields), next(iter(write.fields)))
        return f"{who} writes {write.object}.{name}, which starts {other}{again}"


type _Writers = dict[tuple[str, str], set[str]]


@dataclass(frozen=True, slots=True)
class _ByOthers:
    """The fields of a definition's object that other definitions write."""

    writers: _Writers
    scenario: Scenario

    def __contains__(self, field: object) -> bool:
        names = self.writers.get((self.scenario.object, str(field)), set())
        return not names <= {self.scenario.name}


class _Listeners:
    """Definitions by what their trigger asks of a change, so that a write meets few of those it cannot start."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self._filed: dict[tuple[str, str], list[Scenario]] = {}
        for scenario in scenarios:
            for name in scenario.trigger.fields or ("",):
                self._filed.setdefault((scenario.object, name), []).append(scenario)

    def about(self, write: Write) -> Iterator[Scenario]:
        for name in ("", *write.fields):
            yield from self._filed.get((write.object, name), ())


def lets_in(write: Write, listener: Scenario) -> bool:
    """Whether a write can let a record into a definition."""
    fires = bool(write.start) or _fires(listener.trigger, write.known)
    return fires and outcomes(listener.only_if, write.known).true


def _fires(trigger: Trigger, known: Knowledge) -> bool:
    event = "created" if known.new else "updated"
    if event not in trigger.events:
        return False
    if trigger.fields and known.written.keys().isdisjoint(trigger.fields):
        return False
    if trigger.on not in ("stage", "left", "date"):
        return True
    before, after = known.before(trigger.fields[0]), known.after(trigger.fields[0])
    match trigger.on:
        case "stage":
            return after.can_be_in(trigger.values) and before.can_be_outside(trigger.values)
        case "left":
            return before.can_be_in(trigger.values) and after.can_be_outside(trigger.values)
        case _:
            return after.can_be_there
