"""What is possible: whether a condition can hold for a record of which only a part is known.

Of each field either all values it can have are known, or nothing but whether it can be missing. A condition then can
hold, can fail, or both. Clauses are judged one by one, as if they had nothing to do with each other, and whatever needs
another record, another field or the time can go either way: so "it cannot" is certain, and "it can" a possibility.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from stagebell.domain.conditions import All, Any_, Clause, Condition, Not, View, required
from stagebell.domain.fields import Value
from stagebell.domain.operators import LISTS, OPERATORS


@dataclass(frozen=True, slots=True)
class Possible:
    """What a field can hold: one of `values`; where those are not known (None), anything, or nothing if `missing`."""

    values: tuple[Value, ...] | None = None
    missing: bool = True

    @property
    def can_be_missing(self) -> bool:
        return self.missing if self.values is None else None in self.values

    @property
    def can_be_there(self) -> bool:
        return self.values is None or any(value is not None for value in self.values)

    def can_be_in(self, wanted: Sequence[Value]) -> bool:
        return self.values is None or any(value in wanted for value in self.values)

    def can_be_outside(self, wanted: Sequence[Value]) -> bool:
        return self.values is None or any(value not in wanted for value in self.values)


ANYTHING = Possible()
SOMETHING = Possible(missing=False)
NOTHING = Possible((None,))


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of a record before a change (`facts`) and of what is `written`. `new`: it did not exist before, and
    what is not written is missing."""

    written: Mapping[str, Possible]
    facts: Mapping[str, Possible]
    new: bool = False

    def before(self, name: str) -> Possible:
        return NOTHING if self.new else self.facts.get(name, ANYTHING)

    def after(self, name: str) -> Possible:
        return self.written[name] if name in self.written else self.before(name)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a condition can come to."""

    true: bool
    false: bool


EITHER = Outcomes(true=True, false=True)
IMPOSSIBLE = Outcomes(true=False, false=True)
CERTAIN = Outcomes(true=True, false=False)


def outcomes(condition: Condition, known: Knowledge) -> Outcomes:
    """What a condition can come to in the eyes of somebody who knows no more than that."""
    match condition:
        case Clause():
            return _clause(condition, known)
        case Not(part):
            inner = outcomes(part, known)
            return Outcomes(true=inner.false, false=inner.true)
        case All(parts):
            found = [outcomes(part, known) for part in parts]
            return Outcomes(true=all(o.true for o in found), false=any(o.false for o in found))
        case Any_(parts):
            found = [outcomes(part, known) for part in parts]
            return Outcomes(true=any(o.true for o in found), false=all(o.false for o in found))


def _clause(clause: Clause, known: Knowledge) -> Outcomes:
    name, op = clause.path.field.name, clause.op
    if clause.path.hops:
        return EITHER
    if OPERATORS[op].own_field:
        return _change(clause, known) if name in known.written else CERTAIN if op == "not_changed" else IMPOSSIBLE
    after = known.after(name)
    if op in ("empty", "not_empty"):
        found = Outcomes(true=after.can_be_missing, false=after.can_be_there)
        return found if op == "empty" else Outcomes(true=found.false, false=found.true)
    if after.values is None or not _literal(clause):
        return EITHER
    return _tried(clause, (None,), after.values)


def _change(clause: Clause, known: Knowledge) -> Outcomes:
    """A clause that looks at a change, of a field that is written; it may have had the very value before."""
    name = clause.path.field.name
    before, after = known.before(name).values, known.after(name).values
    if after is None or not clause.operand.literals:
        return EITHER
    befores = before if before is not None else (None, *_whole(clause))
    return Outcomes(true=_tried(clause, befores, after).true, false=True)


def _whole(clause: Clause) -> tuple[Value, ...]:
    """The literals as values of the field: options of a multi_select are compared one by one."""
    literals = clause.operand.literals
    return tuple([word] for word in literals if isinstance(word, str)) if _lists(clause) else literals


def _lists(clause: Clause) -> bool:
    return clause.path.field.type in LISTS


def _literal(clause: Clause) -> bool:
    return clause.operand.path is None and clause.operand.duration is None


def _tried(clause: Clause, befores: Sequence[Value], afters: Sequence[Value]) -> Outcomes:
    results = {holds(clause, before, after) for before in befores for after in afters}
    return Outcomes(true=True in results, false=False in results)


def holds(clause: Clause, before: Value, after: Value) -> bool:
    """A clause about one field of the record and literals, for one pair of values."""
    name = clause.path.field.name
    return clause.holds(View({name: before}, {name: after}, _SOME_TIME, _some_zone()))


_SOME_TIME = datetime.min.replace(tzinfo=UTC)


@cache
def _some_zone() -> ZoneInfo:
    return ZoneInfo("UTC")


def facts_of(condition: Condition) -> dict[str, Possible]:
    """What a record's own fields hold where the condition holds; of several statements about a field the first."""
    found: dict[str, Possible] = {}
    for clause in required(condition):
        fact = _fact(clause)
        if fact is not None:
            found.setdefault(clause.path.field.name, fact)
    return found


def _fact(clause: Clause) -> Possible | None:
    if clause.path.hops or _lists(clause) or not _literal(clause):
        return None
    match clause.op:
        case "eq" | "in" | "changed_to":
            return Possible(clause.operand.literals)
        case "empty":
            return NOTHING
        case "not_empty":
            return SOMETHING
        case _:
            return None
