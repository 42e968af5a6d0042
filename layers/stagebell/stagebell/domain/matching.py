"""Matching: which definitions could fire on a change, found by lookup instead of by trying each.

Every definition states something that must be true before it can fire: the stage a record enters, the value a field
must have, the threshold it must reach, the field that must change. It is filed under one such guard per event, the
one that the fewest others share, so a change only meets definitions whose guard it satisfies.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stagebell.domain.conditions import Clause, required
from stagebell.domain.fields import Value
from stagebell.domain.records import EVENTS, Comparison, Event
from stagebell.domain.scenarios import Scenario

type Hashable = str | int | bool


@dataclass(frozen=True, slots=True)
class Guard:
    """A necessary condition: the field is (`value`) or becomes (`to`) one of `values`, reaches `threshold` (`rise`),
    or one of several changes at all (`touch`); `event` asks nothing."""

    kind: str
    fields: tuple[str, ...] = ("",)
    values: tuple[Hashable, ...] = ()
    threshold: Any = None

    def slots(self) -> Iterator[tuple[str, str, Any]]:
        for field in self.fields:
            for value in self.values or (self.threshold,):
                yield (self.kind, field, value)


def guards(scenario: Scenario) -> Iterator[Guard]:
    """Everything that must be true before the scenario can fire, as far as an index can look it up."""
    trigger = scenario.trigger
    if trigger.on == "stage":
        yield Guard("to", trigger.fields, _hashable(trigger.values))
    elif trigger.fields:
        yield Guard("touch", trigger.fields)
    for clause in required(scenario.only_if):
        if not clause.path.hops and clause.operand.path is None:
            yield from _clause_guards(clause)
    yield Guard("event")


def _clause_guards(clause: Clause) -> Iterator[Guard]:
    name, literals = (clause.path.field.name,), clause.operand.literals
    lists = clause.path.field.type == "multi_select"
    match clause.op:
        case "eq" | "in" if not lists:
            yield Guard("value", name, _hashable(literals))
        case "changed_to" if not lists:
            yield Guard("to", name, _hashable(literals))
        case "rises_to":
            yield Guard("rise", name, threshold=clause.operand.keys[0])
        case "changed" | "changed_to" | "changed_from" | "falls_to":
            yield Guard("touch", name)


def _hashable(values: Iterable[Value]) -> tuple[Hashable, ...]:
    return tuple(dict.fromkeys(v for v in values if isinstance(v, (str, int))))


class Index:
    """The scenarios of one object, filed for lookup. Built once per set of active definitions."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self.scenarios = {scenario.name: scenario for scenario in scenarios}
        self._events = {event: _EventIndex(self._listening(event)) for event in EVENTS}

    def _listening(self, event: Event) -> list[Scenario]:
        return [s for _, s in sorted(self.scenarios.items()) if event in s.trigger.events]

    def candidates(self, comparison: Comparison) -> list[Scenario]:
        """The scenarios whose guard the change satisfies and whose trigger fires, by name; conditions are not tried."""
        listening = self._events.get(comparison.event) if comparison.event else None
        if listening is None:
            return []
        found = {s.name: s for s in listening.lookup(comparison) if s.trigger.fires(comparison)}
        return [found[name] for name in sorted(found)]


class _EventIndex:
    def __init__(self, scenarios: list[Scenario]) -> None:
        crowd: dict[tuple[str, str, Any], int] = defaultdict(int)
        for scenario in scenarios:
            for guard in guards(scenario):
                for slot in guard.slots():
                    crowd[slot] += 1
        self._exact: dict[tuple[str, str], dict[Any, list[Scenario]]] = defaultdict(lambda: defaultdict(list))
        rises: dict[str, list[tuple[Any, int, Scenario]]] = defaultdict(list)
        for number, scenario in enumerate(scenarios):
            guard = min(guards(scenario), key=lambda g: max(crowd[slot] for slot in g.slots()))
            if guard.kind == "rise":
                rises[guard.fields[0]].append((guard.threshold, number, scenario))
            else:
                for kind, field, value in guard.slots():
                    self._exact[kind, field][value].append(scenario)
        self._to = {field: slots for (kind, field), slots in self._exact.items() if kind == "to"}
        self._values = {field: slots for (kind, field), slots in self._exact.items() if kind == "value"}
        self._touch = {field: slots[None] for (kind, field), slots in self._exact.items() if kind == "touch"}
        self._always = self._exact.get(("event", ""), {}).get(None, [])
        self._rises = {field: _Thresholds(entries) for field, entries in rises.items()}

    def lookup(self, comparison: Comparison) -> Iterator[Scenario]:
        after = comparison.known if comparison.event == "deleted" else comparison.after.current
        yield from self._always
        for field, slots in self._values.items():
            yield from _slot(slots, after.get(field))
        for field in comparison.changed:
            if field in self._to:
                yield from _slot(self._to[field], after.get(field))
            yield from self._touch.get(field, ())
            if field in self._rises:
                yield from self._rises[field].crossed(comparison.known.get(field), after.get(field))


def _slot(slots: Mapping[Any, list[Scenario]], value: Value) -> Iterable[Scenario]:
    return slots.get(value, ()) if isinstance(value, (str, int)) else ()


class _Thresholds:
    """Scenarios by the threshold a field must rise to, sorted, so a crossing is two binary searches."""

    def __init__(self, entries: list[tuple[Any, int, Scenario]]) -> None:
        ordered = sorted(entries, key=lambda entry: entry[:2])
        self._keys = [threshold for threshold, _, _ in ordered]
        self._scenarios = [scenario for _, _, scenario in ordered]

    def crossed(self, before: Value, after: Value) -> list[Scenario]:
        if after is None:
            return []
        numeric = isinstance(self._keys[0], Decimal)
        low = 0 if before is None else bisect_right(self._keys, _number(before) if numeric else before)
        high = bisect_right(self._keys, _number(after) if numeric else after)
        return self._scenarios[low:high]


def _number(value: Value) -> Decimal:
    return Decimal(value) if isinstance(value, int | str) else Decimal(0)
