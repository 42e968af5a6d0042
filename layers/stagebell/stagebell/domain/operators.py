"""Operators: which field types each takes, what value it needs, and when it holds.

Comparison is typed by the field: numbers as exact decimals (never float), instants in UTC, dates as days, text by
code points with case. `changed`, `changed_to`, `rises_to` … look at the record's own fields before and after.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from stagebell.domain import durations
from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import Field, Value, instant_text

if TYPE_CHECKING:
    from stagebell.domain.conditions import Clause, View

type Needs = Literal["nothing", "value", "list", "value_or_list", "pair", "duration", "text"]

TEXT = frozenset({"text", "select", "reference", "email", "phone", "url"})
NUMBER = frozenset({"integer", "decimal", "currency"})
MOMENT = frozenset({"date", "datetime"})
ORDERED = NUMBER | MOMENT
LISTS = frozenset({"multi_select"})
ANY = TEXT | ORDERED | LISTS | {"boolean"}

LAST = "~"  # sorts after every date and instant

type Key = Callable[[Value], Any]


@dataclass(frozen=True, slots=True)
class Operator:
    """`needs` is the shape of its value; `own_field`: it looks at a change, so it cannot follow references."""

    types: frozenset[str]
    needs: Needs
    test: "Callable[[Clause, View], bool]"
    meaning: str
    own_field: bool = False


def _number(value: Value) -> Decimal | None:
    return Decimal(value) if isinstance(value, (int, str)) else None


def _same(value: Value) -> Value:
    return value


def _sorted(value: Value) -> Value:
    return sorted(value) if isinstance(value, list) else value


def key_of(field: Field) -> Key:
    """Turns a canonical value into what is compared; the options of two fields may stand in different orders."""
    return _number if field.type in NUMBER else _sorted if field.type in LISTS else _same


def _keys(clause: "Clause", view: "View") -> tuple[Any, ...]:
    if clause.operand.path is None:
        return clause.operand.keys
    other = view.value(clause.operand.path)
    return () if other is None else (key_of(clause.operand.path.field)(other),)


def _seen(clause: "Clause", view: "View") -> Any:
    value = view.value(clause.path)
    return None if value is None else key_of(clause.path.field)(value)


def _seen_before(clause: "Clause", view: "View") -> Any:
    value = view.value_before(clause.path)
    return None if value is None else key_of(clause.path.field)(value)


def _comparison(compare: Callable[[Any, Any], bool]) -> "Callable[[Clause, View], bool]":
    def test(clause: "Clause", view: "View") -> bool:
        value, keys = _seen(clause, view), _keys(clause, view)
        return value is not None and bool(keys) and compare(value, keys[0])

    return test


def _negated(test: "Callable[[Clause, View], bool]") -> "Callable[[Clause, View], bool]":
    return lambda clause, view: not test(clause, view)


_eq = _comparison(lambda value, other: bool(value == other))


def _between(clause: "Clause", view: "View") -> bool:
    value, (low, high) = _seen(clause, view), clause.operand.keys
    return value is not None and low <= value <= high


def _in(clause: "Clause", view: "View") -> bool:
    value, keys = _seen(clause, view), _keys(clause, view)
    return any(v in keys for v in value) if isinstance(value, list) else value is not None and value in keys


def _contains(value: Any, other: Any) -> bool:
    return other in value


def _empty(clause: "Clause", view: "View") -> bool:
    return view.value(clause.path) is None


def _changed(clause: "Clause", view: "View") -> bool:
    return view.value_before(clause.path) != view.after.get(clause.path.field.name)


def _changed_to(clause: "Clause", view: "View") -> bool:
    return _changed(clause, view) and _in(clause, view)


def _changed_from(clause: "Clause", view: "View") -> bool:
    before = _seen_before(clause, view)
    if before is None or not _changed(clause, view):
        return False
    return any(v in clause.operand.keys for v in before) if isinstance(before, list) else before in clause.operand.keys


def _rises_to(clause: "Clause", view: "View") -> bool:
    before, after, keys = _seen_before(clause, view), _seen(clause, view), _keys(clause, view)
    return after is not None and bool(keys) and (before is None or before < keys[0]) and keys[0] <= after


def _falls_to(clause: "Clause", view: "View") -> bool:
    before, after, keys = _seen_before(clause, view), _seen(clause, view), _keys(clause, view)
    return after is not None and bool(keys) and (before is None or before > keys[0]) and keys[0] >= after


def _limit(clause: "Clause", view: "View", *, back: bool) -> str:
    """The far end of a window, as a canonical value of the field's type; where a calendar that is closed for years has
    none, the end that nothing reaches."""
    duration = clause.operand.duration
    assert duration is not None
    try:
        moment = durations.add(view.at, duration.negated() if back else duration, view.zone, view.calendar)
    except InvalidValue:
        return "" if back else LAST
    return _as_field(clause, moment, view)


def _as_field(clause: "Clause", moment: datetime, view: "View") -> str:
    if clause.path.field.type == "date":
        return moment.astimezone(view.zone).date().isoformat()
    return instant_text(moment)


def _within_last(clause: "Clause", view: "View") -> bool:
    value = view.value(clause.path)
    return isinstance(value, str) and _limit(clause, view, back=True) <= value <= _as_field(clause, view.at, view)


def _within_next(clause: "Clause", view: "View") -> bool:
    value = view.value(clause.path)
    return isinstance(value, str) and _as_field(clause, view.at, view) <= value <= _limit(clause, view, back=False)


def _older_than(clause: "Clause", view: "View") -> bool:
    value = view.value(clause.path)
    return isinstance(value, str) and value < _limit(clause, view, back=True)


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "eq": Operator(ANY, "value", _eq, "is equal to the value"),
        "ne": Operator(ANY, "value", _negated(_eq), "is not equal to the value, or is missing"),
        "gt": Operator(ORDERED, "value", _comparison(lambda a, b: bool(a > b)), "is greater or later than the value"),
        "gte": Operator(ORDERED, "value", _comparison(lambda a, b: bool(a >= b)), "is at least the value"),
        "lt": Operator(ORDERED, "value", _comparison(lambda a, b: bool(a < b)), "is less or earlier than the value"),
        "lte": Operator(ORDERED, "value", _comparison(lambda a, b: bool(a <= b)), "is at most the value"),
        "between": Operator(ORDERED, "pair", _between, "is between the two values, both included"),
        "in": Operator(ANY, "list", _in, "is one of the values; a multi_select: has one of them"),
        "not_in": Operator(ANY, "list", _negated(_in), "is none of the values, or is missing"),
        "contains": Operator(
            TEXT | LISTS, "text", _comparison(_contains), "has the text in it; a multi_select: has it"
        ),
        "not_contains": Operator(
            TEXT | LISTS, "text", _negated(_comparison(_contains)), "has not the text in it, or is missing"
        ),
        "starts_with": Operator(TEXT, "text", _comparison(lambda a, b: bool(a.startswith(b))), "starts with the text"),
        "ends_with": Operator(TEXT, "text", _comparison(lambda a, b: bool(a.endswith(b))), "ends with the text"),
        "empty": Operator(ANY, "nothing", _empty, "has no value"),
        "not_empty": Operator(ANY, "nothing", _negated(_empty), "has a value"),
        "changed": Operator(ANY, "nothing", _changed, "differs before and after the change", own_field=True),
        "not_changed": Operator(ANY, "nothing", _negated(_changed), "is the same before and after", own_field=True),
        "changed_to": Operator(
            ANY, "value_or_list", _changed_to, "changed, and is now one of the values", own_field=True
        ),
        "changed_from": Operator(
            ANY, "value_or_list", _changed_from, "changed, and was one of the values", own_field=True
        ),
        "rises_to": Operator(
            ORDERED, "value", _rises_to, "was below the value or missing, and is now at or above it", own_field=True
        ),
        "falls_to": Operator(
            ORDERED, "value", _falls_to, "was above the value or missing, and is now at or below it", own_field=True
        ),
        "within_last": Operator(MOMENT, "duration", _within_last, "lies between that long ago and now"),
        "within_next": Operator(MOMENT, "duration", _within_next, "lies between now and that far ahead"),
        "older_than": Operator(MOMENT, "duration", _older_than, "lies further back than that"),
    }
)
