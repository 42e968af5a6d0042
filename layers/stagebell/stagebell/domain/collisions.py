"""Collisions: definitions that one change starts together and that write the same field: who comes last is not defined.

Two writes collide where one change can fire both triggers and fulfil both conditions, both steps are due at the same
time, and they may write different values. Conditions are taken to exclude each other where no value of some field
fulfils what both ask of it; that is tried with the values that they name and those in between. Text that is searched
for, options of a multi_select, other records, other fields and the time do not count, so that what is left out is
certain. Steps at different times do not collide: the later one comes last. Nor do two steps of one definition.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from stagebell.domain.conditions import ALWAYS, Clause, Condition, required
from stagebell.domain.fields import Field, Value
from stagebell.domain.interplay import Finding, Interplay
from stagebell.domain.objects import Schema
from stagebell.domain.operators import LISTS, NUMBER, OPERATORS
from stagebell.domain.possible import Possible, holds
from stagebell.domain.records import EVENTS
from stagebell.domain.scenarios import Scenario, Step, Trigger
from stagebell.domain.writes import Write

SEARCHES = frozenset({"contains", "not_contains", "ends_with"})
TRIED = 100
"""Values of a field that are tried; conditions that name more are taken to go together."""

PAIRS_TRIED = 50_000
"""Pairs of definitions that are looked into; a set of hundreds beside thousands is told the first it has, and that
there may be more."""

UNTRIED = Finding(
    "unfinished",
    (),
    "not every two definitions that write one field were tried: there may be more that overwrite each other; check "
    "fewer definitions at once, and more is looked at",
)

type Place = tuple[str, str, str]  # the object that lets in, the way to the record that is written, the field


@dataclass(frozen=True)
class _Entry:
    scenario: Scenario
    write: Write
    value: Possible

    @property
    def step(self) -> Step:
        return self.write.step

    def asked(self, written: set[str]) -> "list[_Ask]":
        """What must be so for the step to act. `written` fields may look otherwise by the time it looks: of those only
        what lets the record in counts."""
        return [*self._entering, *(ask for ask in self._acting if ask.field not in written)]

    @cached_property
    def _entering(self) -> "list[_Ask]":
        return [*_asked_by(self.scenario.trigger), *_asked(self.scenario.only_if)]

    @cached_property
    def _acting(self) -> "list[_Ask]":
        on_date = self.scenario.due_if if self.step.at.date is not None else ALWAYS
        return [*_asked(on_date), *_asked(self.step.only_if)]


def collisions(
    interplay: Interplay, roots: Iterable[str], schema: Schema, *, pairs: int = PAIRS_TRIED
) -> Iterator[Finding]:
    """The collisions of the roots with each other and with everything beside them, each once; and last, where there are
    too many pairs to try them all, a finding that says so."""
    wanted, filed = sorted(set(roots) & interplay.scenarios.keys()), _filed(interplay)
    told: set[tuple[Place, str, str]] = set()
    for number, (place, mine, other) in enumerate(_pairs(filed, frozenset(wanted))):
        if number == pairs:
            yield UNTRIED
            return
        first, second = sorted((mine, other), key=lambda entry: entry.scenario.name)
        pair = (place, first.scenario.name, second.scenario.name)
        if pair not in told and _collide(mine, other, schema):
            told.add(pair)
            yield _finding(first, second, place[2])


def _pairs(filed: Mapping[Place, list[_Entry]], wanted: frozenset[str]) -> Iterator[tuple[Place, _Entry, _Entry]]:
    for place, entries in filed.items():
        for mine in (entry for entry in entries if entry.scenario.name in wanted):
            for other in entries:
                # of two that are both wanted, one order will do
                if mine.scenario.name < other.scenario.name or other.scenario.name not in wanted:
                    yield place, mine, other


def _filed(interplay: Interplay) -> dict[Place, list[_Entry]]:
    found: dict[Place, list[_Entry]] = {}
    for name, scenario in sorted(interplay.scenarios.items()):
        for write in interplay.writes(name):
            for field, value in write.fields.items() if write.whose != "new" else ():
                place = (scenario.object, write.related, field)
                found.setdefault(place, []).append(_Entry(scenario, write, value))
    return found


def _finding(first: _Entry, second: _Entry, field: str) -> Finding:
    one, two = (f"{entry.scenario.name} (step {entry.step.name})" for entry in (first, second))
    told = f"{one} and {two} both write {first.write.object}.{field} when the same change starts them"
    advice = "which of them writes last is not defined: make one definition of them, or let their only_if differ"
    return Finding("same_field", (first.scenario.name, second.scenario.name), f"{told}; {advice}")


def _collide(one: _Entry, other: _Entry, schema: Schema) -> bool:
    differ = not _agree(one.value, other.value)
    return differ and _same_time(one.step, other.step) and _together(one, other, schema)


def _agree(one: Possible, other: Possible) -> bool:
    return one == other and one.values is not None and len(one.values) == 1


def _same_time(one: Step, other: Step) -> bool:
    return one.at == other.at and one.at.origin != "previous_step"


def _together(one: _Entry, other: _Entry, schema: Schema) -> bool:
    """Whether one change can start both, and both steps can act."""
    first, second = one.scenario, other.scenario
    events = [e for e in EVENTS if e in first.trigger.events and e in second.trigger.events and e != "manual"]
    if not events:
        return False
    written = {*one.write.fields, *other.write.fields}
    ours, theirs = one.asked(written), other.asked(written)
    both = {ask.field for ask in ours} & {ask.field for ask in theirs}
    fields, new = schema[first.object].fields, events == ["created"]
    return all(_possible(fields[name], _of(name, [*ours, *theirs]), new=new) for name in sorted(both))


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is asked of one field, and the values that are named in asking. `change`: it matters what was before."""

    field: str
    named: tuple[Value, ...]
    fulfilled: Callable[[Value, Value], bool]  # before and after
    change: bool = True


def _asked(condition: Condition) -> Iterator[_Ask]:
    for clause in required(condition):
        if _decidable(clause):
            change = OPERATORS[clause.op].own_field
            yield _Ask(clause.path.field.name, clause.operand.literals, _bound(clause), change)


def _bound(clause: Clause) -> Callable[[Value, Value], bool]:
    return lambda before, after: holds(clause, before, after)


def _decidable(clause: Clause) -> bool:
    simple = not clause.path.hops and clause.operand.path is None and clause.operand.duration is None
    return simple and clause.op not in SEARCHES and clause.path.field.type not in LISTS


def _asked_by(trigger: Trigger) -> Iterator[_Ask]:
    values = trigger.values
    if trigger.on == "stage":
        yield _Ask(trigger.fields[0], values, lambda before, after: after in values and before not in values)
    elif trigger.on == "left":
        yield _Ask(trigger.fields[0], values, lambda before, after: before in values and after not in values)
    elif len(trigger.fields) == 1 and trigger.on != "deleted":
        yield _Ask(trigger.fields[0], (), lambda before, after: before != after)


def _of(name: str, asked: Iterable[_Ask]) -> list[_Ask]:
    return [ask for ask in asked if ask.field == name]


def _possible(field: Field, asked: Sequence[_Ask], *, new: bool) -> bool:
    """Whether some value of a field, coming from some value, fulfils everything that is asked of it."""
    if field.type in LISTS:
        return True
    values = _worth_trying(field, [value for ask in asked for value in ask.named if value is not None])
    if len(values) > TRIED:
        return True
    at_rest, moving = [a for a in asked if not a.change], [a for a in asked if a.change]
    afters = [value for value in values if all(ask.fulfilled(None, value) for ask in at_rest)]
    befores = [None] if new or not moving else values
    return any(all(ask.fulfilled(before, after) for ask in moving) for after in afters for before in befores)


def _worth_trying(field: Field, named: Sequence[Value]) -> list[Value]:
    """Nothing, the values that are named, and one from between each two of them, from below and from above."""
    if field.type == "boolean":
        return [None, True, False]
    if field.type in NUMBER:
        numbers = sorted({Decimal(value) for value in named if isinstance(value, int | str)})
        return [None, *(_number(field, number) for number in _around(numbers))]
    words = sorted({value for value in named if isinstance(value, str)})
    return [None, *field.options, *(w for w in words if w not in field.options), *_beside(field, words)]


def _around(numbers: Sequence[Decimal]) -> list[Decimal]:
    if not numbers:
        return [Decimal(0), Decimal(1)]
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    return [numbers[0] - 1, *numbers, *between, numbers[-1] + 1]


def _number(field: Field, number: Decimal) -> Value:
    return int(number) if field.type == "integer" else str(number)


def _beside(field: Field, words: Iterable[str]) -> list[str]:
    """Text that is none of the words: just after each in the order of characters, and before all of them. A select
    that names its options has no other."""
    return [] if field.options else ["", *(f"{word}!" for word in words)]
