"""What is foreseen of definitions, held against what they then do: random sets of them, run on the whole engine.

Whatever happens must have been foreseen. What was foreseen need not happen."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.collisions import collisions
from stagebell.domain.interplay import Interplay
from stagebell.domain.objects import read_object, with_built_ins
from stagebell.domain.runs import Run, change_of
from stagebell.domain.scenario_documents import read_scenario
from stagebell.domain.scenarios import Scenario
from stagebell.runtime.offline import Offline
from tests.stage import START

SETS, DEFINITIONS, CHANGES = 250, 6, 10
STAGES = ["New", "Quote", "Won", "Lost"]
VALUES: Mapping[str, list[Any]] = {
    "stage": STAGES,
    "tier": ["silver", "gold"],
    "hot": [True, False],
    "rounds": [0, 1, 2, 3],
}
TIER = {"type": "select", "options": VALUES["tier"]}
DEAL = {
    "kind": "object",
    "name": "deal",
    "fields": {
        "stage": {"type": "select", "options": STAGES},
        "tier": TIER,
        "hot": {"type": "boolean"},
        "rounds": {"type": "integer"},
        "account": {"type": "reference", "object": "account"},
    },
}
ACCOUNT = {"kind": "object", "name": "account", "fields": {"tier": TIER}}
SCHEMA = with_built_ins({"deal": read_object(DEAL), "account": read_object(ACCOUNT)})
ONE_VALUE = ["eq", "ne"]
SEVERAL = ["in", "not_in", "changed_to", "changed_from"]
NO_VALUE = ["empty", "not_empty", "changed", "not_changed"]
OF_NUMBERS = ["gt", "gte", "lt", "lte", "rises_to", "falls_to", "between"]


class Author:
    """Writes definitions by chance: the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.names = [f"d{number}" for number in range(DEFINITIONS)]

    def definitions(self) -> list[dict[str, Any]]:
        return [self.definition(name) for name in self.names]

    def definition(self, name: str) -> dict[str, Any]:
        object_name = self.chance.choice(["deal", "deal", "deal", "account", "sales_record"])
        actions = [{"name": f"step-{n}", **self.action(object_name)} for n in range(self.chance.choice([1, 1, 2]))]
        document: dict[str, Any] = {"name": name, "object": object_name, "trigger": self.trigger(object_name)}
        document["reentry"] = self.chance.choice(["every_entry", "every_entry", "once", "restart"])
        if object_name == "deal" and self.chance.random() < 0.6:
            document["only_if"] = self.condition()
        if self.chance.random() < 0.7:
            return {"kind": "workflow", **document, "actions": actions}
        staged = document["trigger"]["on"] == "stage_entered"
        return {"kind": "scenario", **document, "steps": [action | self.timing(staged) for action in actions]}

    def timing(self, staged: bool) -> dict[str, Any]:
        after = self.chance.choice(["0 minutes", "5 minutes", "1 hour"])
        return {"at": {"after": after}, "unless_changed": staged and self.chance.random() < 0.5}

    def trigger(self, object_name: str) -> dict[str, Any]:
        general: list[dict[str, Any]] = [{"on": "created"}, {"on": "updated"}, {"on": "saved"}]
        if object_name != "deal":
            return self.chance.choice(general)
        stages = self.chance.sample(STAGES, self.chance.randint(1, 2))
        special = [
            {"on": on, "field": "stage", "is": stages} for on in ("stage_entered", "stage_entered", "stage_left")
        ]
        return self.chance.choice([*general, *special, {"on": "updated", "fields": [self.chance.choice([*VALUES])]}])

    def action(self, object_name: str) -> dict[str, Any]:
        if object_name == "sales_record":
            return {"type": "create_task", "title": "Call", "assignee": [{"user": "u1"}], "due": "1 hour"}
        kinds = [self._note, self._start] + (
            [self._set, self._set, self._set, self._related] if object_name == "deal" else [self._tier] * 2
        )
        action = self.chance.choice(kinds)()
        unsure = object_name == "deal" and self.chance.random() < 0.25
        return action | ({"only_if": self.condition()} if unsure else {})

    def _note(self) -> dict[str, Any]:
        return {"type": "create_sales_record", "entry": "note", "text": "x"}

    def _start(self) -> dict[str, Any]:
        return {"type": "start_process", "process": self.chance.choice(self.names)}

    def _set(self) -> dict[str, Any]:
        fields = self.chance.sample([*VALUES], self.chance.choice([1, 1, 2]))
        return {"type": "update_field", "set": {name: self._value(name) for name in fields}}

    def _tier(self) -> dict[str, Any]:
        return {"type": "update_field", "set": {"tier": self._value("tier")}}

    def _related(self) -> dict[str, Any]:
        return self._tier() | {"related": "account"}

    def _value(self, name: str) -> Any:
        if self.chance.random() < 0.15:
            return {"clear": True}
        moved = name == "rounds" and self.chance.random() < 0.5
        return {"add": self.chance.choice([1, -1, 2])} if moved else self.chance.choice(VALUES[name])

    def condition(self, depth: int = 0) -> dict[str, Any]:
        kind = self.chance.random() if depth < 2 else 1
        if kind < 0.3:
            word = self.chance.choice(["all", "all", "any"])
            return {word: [self.condition(depth + 1), self.condition(depth + 1)]}
        return {"not": self.condition(depth + 1)} if kind < 0.4 else self._clause()

    def _clause(self) -> dict[str, Any]:
        name = self.chance.choice([*VALUES])
        op = self.chance.choice([*ONE_VALUE, *SEVERAL, *NO_VALUE, *(OF_NUMBERS if name == "rounds" else [])])
        if op in NO_VALUE:
            return {"field": name, "op": op}
        if op in SEVERAL:
            return {"field": name, "op": op, "value": self.chance.sample(VALUES[name], self.chance.randint(1, 2))}
        pair = sorted(self.chance.choices(VALUES[name], k=2))
        return {"field": name, "op": op, "value": pair if op == "between" else pair[0]}


@dataclass(frozen=True)
class Played:
    """A set of definitions, what was foreseen of it, and what came of it."""

    foreseen: Interplay
    offline: Offline

    @property
    def runs(self) -> list[Run]:
        return [run for run in self.offline.store.runs.values() if run.definition in self.foreseen.scenarios]

    def causes(self, run: Run) -> list[str]:
        """The definitions whose runs led to it, the last one last."""
        return [self.offline.store.runs[cause].definition for cause in run.causes]

    def writes(self, run: Run) -> Iterator[tuple[RecordKey, str, Any]]:
        for step in run.steps:
            if step.record is not None:
                applied = self.offline.records.applied(step.record, change_of(run.id, step.name))
                written = applied.change.fields if applied is not None else {}
                yield from ((step.record, name, value) for name, value in written.items())


@cache
def played() -> list[Played]:
    return [_play(seed) for seed in range(SETS)]


def _play(seed: int) -> Played:
    author = Author(seed)
    documents, chance = author.definitions(), author.chance
    offline, now = Offline(ZoneInfo("UTC")), START
    offline.clock.advance(now)
    offline.activate([ACCOUNT, DEAL, *documents])
    for number in range(CHANGES):
        now += timedelta(minutes=chance.choice([1, 7, 70]))
        offline.run_until(now)
        offline.clock.advance(now)
        for change in _happened(number, chance, now):
            offline.applier.apply(change)
    offline.run_until(now + timedelta(hours=3))
    return Played(Interplay(map(_read, documents), SCHEMA, {}), offline)


def _happened(number: int, chance: random.Random, now: Any) -> Iterator[Change]:
    names = chance.sample([*VALUES], chance.choice([1, 1, 2]))
    fields = {name: chance.choice(VALUES[name]) for name in names}
    if number:
        yield Change(f"crm:{number}", "crm", RecordKey("deal", "d1"), "updated", now, fields)
        return
    yield Change("crm:user", "crm", RecordKey("user", "u1"), "created", now, {"name": "Ada", "active": True})
    yield Change("crm:account", "crm", RecordKey("account", "a1"), "created", now, {"tier": "silver"})
    yield Change("crm:0", "crm", RecordKey("deal", "d1"), "created", now, {**fields, "account": "a1"})


def _read(document: Mapping[str, Any]) -> Scenario:
    compiled = read_scenario(document, 1, SCHEMA, [])
    assert compiled is not None
    return compiled


def test_whatever_starts_was_foreseen_to_be_able_to() -> None:
    seen = 0
    for game in played():
        for run in (run for run in game.runs if run.causes):
            seen += 1
            starter = game.causes(run)[-1]
            assert run.definition in game.foreseen.edges(starter), f"{starter} started {run.definition}"

    assert seen > 500


def test_whatever_comes_back_to_itself_was_foreseen_as_a_cycle() -> None:
    """Where something lets each record in once, the way back ends by itself and is none."""
    seen = 0
    for game in played():
        if any(scenario.reentry == "once" for scenario in game.foreseen.scenarios.values()):
            continue
        cycles = {name for found in game.foreseen.cycles(game.foreseen.scenarios) for name in found.definitions}
        for run in (run for run in game.runs if run.definition in game.causes(run)):
            seen += 1
            assert run.definition in cycles

    assert seen > 100


def test_whatever_was_written_twice_on_one_change_was_foreseen_to_collide() -> None:
    seen = 0
    for game in played():
        names = game.foreseen.scenarios
        found = collisions(game.foreseen, names, SCHEMA)
        told = {(f.definitions, f.message.split(" both write ")[1].split(" when ")[0]) for f in found}
        for one, other, place in _written_twice(game):
            seen += 1
            assert ((one, other), place) in told

    assert seen > 30


def _written_twice(game: Played) -> Iterator[tuple[str, str, str]]:
    together = defaultdict(list)
    for run in (run for run in game.runs if run.at_once):
        for record, name, value in game.writes(run):
            if record.object in ("deal", "account"):
                together[run.change, run.key, record, name].append((run.definition, value))
    for (_, _, record, name), written in together.items():
        for (one, value), (other, another) in permutations(written, 2):
            if one < other and value != another:
                yield one, other, f"{record.object}.{name}"
