"""Conditions: `all`, `any`, `not` around `{field, op, value}`, compiled once and evaluated on before and after.

`compile_condition` turns a condition document into a tree, checked against the object's fields; every problem is
named. A comparison with a missing value is false; only `empty`, `ne`, `not_in` and `not_contains` accept one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain.calendars import WorkingCalendar
from stagebell.domain.errors import Problem
from stagebell.domain.fields import Value
from stagebell.domain.objects import Schema
from stagebell.domain.operands import Operand, read_operand, unknown_operator
from stagebell.domain.operators import OPERATORS
from stagebell.domain.paths import Path, resolve

DEPTH_LIMIT = 8
CLAUSE_LIMIT = 100
SHOWN_CHARACTERS = 200
SHOWN_OPTIONS = 20

type Related = Callable[[str, str], Mapping[str, Value] | None]
type Condition = Clause | All | Any_ | Not


def _nobody(_object: str, _id: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class View:
    """What a condition can see: one record before and after a change, related records, and the time and place."""

    before: Mapping[str, Value]
    after: Mapping[str, Value]
    at: datetime
    zone: ZoneInfo
    calendar: WorkingCalendar | None = None
    related: Related = _nobody

    def value(self, path: Path) -> Value:
        """The value at a path, following references; None where anything on the way is missing."""
        fields: Mapping[str, Value] | None = self.after
        for name, target in path.hops:
            reference = fields.get(name) if fields else None
            fields = self.related(target, reference) if isinstance(reference, str) else None
        return fields.get(path.field.name) if fields else None

    def value_before(self, path: Path) -> Value:
        return self.before.get(path.field.name)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a condition said what it said: the words of it, the values it saw, and its parts."""

    text: str
    result: bool
    saw: Value = None
    before: Value = None
    other: Value = None  # of the field it was compared with
    parts: tuple["Explanation", ...] = ()

    def document(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"condition": self.text, "result": self.result}
        if self.parts:
            return shown | {"parts": [part.document() for part in self.parts]}
        shown |= {"saw": _shortened(self.saw), "before": _shortened(self.before)}
        return shown if self.other is None else shown | {"other": _shortened(self.other)}


def _shortened(value: Value) -> Value:
    """Enough of a value to see why; an explanation is kept with every change and step."""
    if isinstance(value, str):
        return value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…"
    return value[:SHOWN_OPTIONS] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison. `operand` is the literal or the path it compares with."""

    path: Path
    op: str
    operand: Operand

    def holds(self, view: View) -> bool:
        return OPERATORS[self.op].test(self, view)

    def explain(self, view: View) -> Explanation:
        before = view.value_before(self.path) if not self.path.hops else None
        other = view.value(self.operand.path) if self.operand.path is not None else None
        return Explanation(str(self), self.holds(view), view.value(self.path), before, other)

    def __str__(self) -> str:
        return f"{self.path} {self.op}{self.operand.shown}"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]

    def holds(self, view: View) -> bool:
        return all(part.holds(view) for part in self.parts)

    def explain(self, view: View) -> Explanation:
        parts = tuple(part.explain(view) for part in self.parts)
        return Explanation("all", all(p.result for p in parts), parts=parts)


@dataclass(frozen=True, slots=True)
class Any_:
    parts: tuple[Condition, ...]

    def holds(self, view: View) -> bool:
        return any(part.holds(view) for part in self.parts)

    def explain(self, view: View) -> Explanation:
        parts = tuple(part.explain(view) for part in self.parts)
        return Explanation("any", any(p.result for p in parts), parts=parts)


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition

    def holds(self, view: View) -> bool:
        return not self.part.holds(view)

    def explain(self, view: View) -> Explanation:
        part = self.part.explain(view)
        return Explanation("not", not part.result, parts=(part,))


ALWAYS = All(())
NEVER = Any_(())


def clauses(condition: Condition) -> Iterator[Clause]:
    """Every clause of a condition, in writing order."""
    match condition:
        case Clause():
            yield condition
        case Not(part):
            yield from clauses(part)
        case All(parts) | Any_(parts):
            for part in parts:
                yield from clauses(part)


def both(first: Condition, second: Condition) -> Condition:
    """A condition that holds where both do."""
    if first is ALWAYS:
        return second
    return first if second is ALWAYS else All((first, second))


def required(condition: Condition) -> Iterator[Clause]:
    """The clauses that must all hold for the condition to hold: what an index may look up."""
    match condition:
        case Clause():
            yield condition
        case All(parts):
            for part in parts:
                yield from required(part)
        case Any_((only,)):
            yield from required(only)
        case _:
            return


def paths(condition: Condition) -> Iterator[Path]:
    """Every path a condition reads."""
    for clause in clauses(condition):
        yield clause.path
        if clause.operand.path is not None:
            yield clause.operand.path


def compile_condition(
    document: Mapping[str, Any] | None, object_name: str, schema: Schema, problems: list[Problem], at: str = ""
) -> Condition:
    """The condition a document describes; what is wrong with it is added to `problems` under the path `at`."""
    if document is None:
        return ALWAYS
    compiled = _Compiler(object_name, schema, problems).compile(document, at, depth=1)
    if sum(1 for _ in clauses(compiled)) > CLAUSE_LIMIT:
        problems.append(Problem(at, "clause_limit", f"a condition is limited to {CLAUSE_LIMIT} clauses"))
    return compiled


@dataclass(frozen=True, slots=True)
class _Compiler:
    object_name: str
    schema: Schema
    problems: list[Problem]

    def compile(self, document: Mapping[str, Any], at: str, depth: int) -> Condition:
        if depth > DEPTH_LIMIT:
            self._add(at, "depth_limit", f"conditions nest at most {DEPTH_LIMIT} deep")
            return ALWAYS
        match document:
            case {"all": parts}:
                return All(self._parts(parts, f"{at}.all", depth))
            case {"any": parts}:
                return Any_(self._parts(parts, f"{at}.any", depth))
            case {"not": part}:
                return Not(self.compile(part, f"{at}.not", depth + 1))
            case _:
                return self._clause(document, at)

    def _parts(self, parts: Sequence[Mapping[str, Any]], at: str, depth: int) -> tuple[Condition, ...]:
        return tuple(self.compile(part, f"{at}[{i}]", depth + 1) for i, part in enumerate(parts))

    def _clause(self, document: Mapping[str, Any], at: str) -> Condition:
        path = resolve(document["field"], self.object_name, self.schema)
        if isinstance(path, str):
            self._add(f"{at}.field", "known_field", path)
            operand: Operand | Problem | None = unknown_operator(document["op"])
        else:
            operand = read_operand(document, path, self.object_name, self.schema)
        if isinstance(operand, Problem):
            self._add(f"{at}.{operand.path}", operand.rule, operand.message)
        if isinstance(path, str) or not isinstance(operand, Operand):
            return ALWAYS
        return Clause(path, document["op"], operand)

    def _add(self, at: str, rule: str, message: str) -> None:
        self.problems.append(Problem(at.lstrip("."), rule, message))
