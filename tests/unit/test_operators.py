"""Every operator on every type it takes, with values there, missing, before and after."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stagebell.domain.calendars import WorkingCalendar
from stagebell.domain.conditions import View, compile_condition
from stagebell.domain.errors import Problem
from stagebell.domain.fields import canonical
from stagebell.domain.objects import read_object, with_built_ins
from stagebell.domain.operators import ANY, MOMENT, NUMBER, OPERATORS, ORDERED, TEXT

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
BERLIN = ZoneInfo("Europe/Berlin")
UNSET = object()

THING = read_object(
    {
        "name": "thing",
        "fields": {
            "text": {"type": "text"},
            "other": {"type": "text"},
            "count": {"type": "integer"},
            "share": {"type": "decimal"},
            "price": {"type": "currency"},
            "ready": {"type": "boolean"},
            "agreed": {"type": "boolean"},
            "stage": {"type": "select", "options": ["New", "Won", "Lost"]},
            "tags": {"type": "multi_select", "options": ["hot", "cold", "new"]},
            "labels": {"type": "multi_select", "options": ["new", "cold", "hot"]},
            "on": {"type": "date"},
            "until": {"type": "date"},
            "at": {"type": "datetime"},
            "owner": {"type": "reference", "object": "user"},
            "mail": {"type": "email"},
            "phone": {"type": "phone"},
            "site": {"type": "url"},
        },
    }
)
SCHEMA = with_built_ins({"thing": THING})
OF_TYPE = {field.type: name for name, field in reversed(THING.fields.items())}


def record(**values: Any) -> dict[str, Any]:
    told = {name: canonical(THING.fields[name], value) for name, value in values.items()}
    return {name: value for name, value in told.items() if value is not None}


def view(
    before: dict[str, Any], after: dict[str, Any], zone: ZoneInfo, calendar: WorkingCalendar | None = None
) -> View:
    return View(record(**before), record(**after), NOW, zone, calendar)


def holds(
    field: str,
    op: str,
    value: Any,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
    zone: ZoneInfo = BERLIN,
    calendar: WorkingCalendar | None = None,
) -> bool:
    problems: list[Problem] = []
    clause = {"field": field, "op": op} | ({} if value is UNSET else {"value": value})
    condition = compile_condition(clause, "thing", SCHEMA, problems)
    assert not problems, problems
    return condition.holds(view(after if before is None else before, after, zone, calendar))


@pytest.mark.parametrize(
    ("field", "op", "value", "held", "result", "reason"),
    [
        ("text", "eq", "Acme", "Acme", True, "the same text"),
        ("text", "eq", "acme", "Acme", False, "case counts"),
        ("text", "eq", "5", "5.0", False, "text is not compared as numbers"),
        ("text", "ne", "Acme", "Beta", True, "another text"),
        ("count", "eq", 3, 3, True, "integers"),
        ("count", "eq", "3", 3, None, "an integer is not written as text"),
        ("share", "eq", 0.3, Decimal("0.3"), True, "a YAML float means its digits"),
        ("share", "eq", "0.30", Decimal("0.3"), True, "trailing zeros do not count"),
        ("share", "eq", 1000, "1E+3", True, "nor does the notation"),
        ("share", "eq", "0.3", Decimal("0.30000000000000004"), False, "exact: this is not 0.3"),
        ("price", "gt", "9", "10", True, "numbers, not text: 9 < 10"),
        ("price", "gt", "9" * 37, "1" + "0" * 37, True, "38 digits are compared exactly"),
        ("price", "gte", 1000, "1000.00", True, "at least includes the value"),
        ("price", "lt", 1000, "999.99999999999999999999", True, "however close"),
        ("price", "lte", "-1", "-1.5", True, "negative numbers"),
        ("ready", "eq", True, True, True, "booleans"),
        ("ready", "eq", False, False, True, "false is a value"),
        ("ready", "eq", 1, True, None, "an integer is no boolean"),
        ("count", "eq", True, 1, None, "a boolean is no integer"),
        ("ready", "in", [True], False, False, "booleans in a list"),
        ("stage", "eq", "Won", "Won", True, "an option"),
        ("stage", "in", ["Won", "Lost"], "Lost", True, "one of several"),
        ("stage", "not_in", ["Won", "Lost"], "New", True, "none of them"),
        ("stage", "contains", "o", "Won", True, "a part of an option may be any text"),
        ("tags", "eq", ["cold", "hot"], ["hot", "cold"], True, "a whole list, in any order"),
        ("tags", "eq", ["hot"], ["hot", "cold"], False, "the whole list"),
        ("tags", "ne", ["hot"], ["hot", "cold"], True, "differs"),
        ("tags", "in", ["hot", "new"], ["cold", "new"], True, "they overlap"),
        ("tags", "in", ["hot"], ["cold"], False, "they do not"),
        ("tags", "not_in", ["hot"], ["cold"], True, "no overlap"),
        ("tags", "contains", "hot", ["hot", "cold"], True, "has the option"),
        ("tags", "contains", "ho", ["hot"], None, "half an option is none"),
        ("tags", "not_contains", "hot", ["cold"], True, "has it not"),
        ("text", "contains", "cm", "Acme", True, "anywhere in it"),
        ("text", "not_contains", "x", "Acme", True, "nowhere in it"),
        ("text", "starts_with", "Ac", "Acme", True, "at the beginning"),
        ("text", "ends_with", "me", "Acme", True, "at the end"),
        ("mail", "ends_with", "@example.com", "ada@example.com", True, "the domain of an address"),
        ("phone", "starts_with", "+49", "+49 30 901820", True, "the country of a number"),
        ("site", "starts_with", "https:", "https://example.com", True, "the scheme of an address"),
        ("owner", "eq", "u1", "u1", True, "an id"),
        ("owner", "in", ["u1", 7], "7", True, "an id written as a number"),
        ("on", "gt", "2026-03-01", "2026-03-02", True, "a later day"),
        ("on", "between", ["2026-03-01", "2026-03-31"], "2026-03-31", True, "both ends included"),
        ("on", "between", ["2026-03-31", "2026-03-01"], "2026-03-15", False, "ends the wrong way round hold nothing"),
        ("at", "eq", "2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00Z", True, "the same instant"),
        ("at", "lt", "2026-03-02T09:00:00.000001Z", "2026-03-02T09:00:00Z", True, "to the microsecond"),
        ("at", "between", ["2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"], "2026-03-02T09:00:00Z", True, "instants"),
        ("price", "between", [1, "2.5"], "2.50", True, "numbers, one as text"),
        ("text", "empty", UNSET, "x", False, "there is something"),
        ("tags", "not_empty", UNSET, ["hot"], True, "there is something"),
        ("ready", "not_empty", UNSET, False, True, "false is something"),
    ],
)
def test_a_comparison_is_typed_by_the_field(field, op, value, held, result, reason):
    if result is None:
        assert problem_of(field, op, value), reason
    else:
        assert holds(field, op, value, {field: held}) is result, reason


def problem_of(field: str, op: str, value: Any) -> str:
    problems: list[Problem] = []
    clause = {"field": field, "op": op} | ({} if value is UNSET else {"value": value})
    compile_condition(clause, "thing", SCHEMA, problems, "only_if")
    return problems[0].rule if problems else ""


WRITTEN = {
    "text": "x",
    "integer": 1,
    "decimal": 1,
    "currency": 1,
    "boolean": True,
    "select": "Won",
    "multi_select": ["hot"],
    "date": "2026-03-02",
    "datetime": "2026-03-02T09:00:00Z",
    "reference": "u1",
    "email": "a@example.com",
    "phone": "+49 30 901820",
    "url": "https://example.com",
}


def written(op: str, kind: str) -> Any:
    """A value as the operator wants it for a field of this type."""
    one = WRITTEN[kind]
    single = one[0] if isinstance(one, list) else one
    match OPERATORS[op].needs:
        case "nothing":
            return UNSET
        case "duration":
            return "2 days"
        case "list" | "value_or_list":
            return [single]
        case "pair":
            return [one, one]
        case "text":
            return single
        case _:
            return one


APPLIES = [(op, kind) for op, operator in OPERATORS.items() for kind in sorted(operator.types)]
ACCEPT_MISSING = {"empty", "ne", "not_in", "not_contains"}


@pytest.mark.parametrize(("op", "kind"), [(op, kind) for op, kind in APPLIES if not OPERATORS[op].own_field])
def test_a_comparison_with_a_missing_value_is_false_but_for_the_four_that_accept_it(op, kind):
    assert holds(OF_TYPE[kind], op, written(op, kind), {}) is (op in ACCEPT_MISSING)


@pytest.mark.parametrize(("op", "kind"), APPLIES)
def test_every_operator_is_decided_for_every_type_it_names(op, kind):
    assert holds(OF_TYPE[kind], op, written(op, kind), {OF_TYPE[kind]: WRITTEN[kind]}) in (True, False)


@pytest.mark.parametrize(
    ("op", "kind"), [(op, kind) for op in OPERATORS for kind in sorted(ANY) if kind not in OPERATORS[op].types]
)
def test_every_other_type_is_refused(op, kind):
    assert problem_of(OF_TYPE[kind], op, written(op, kind)) == "operator_type"


@pytest.mark.parametrize(
    ("op", "value", "rule", "reason"),
    [
        ("eq", UNSET, "required", "a comparison needs something to compare with"),
        ("eq", ["a"], "one_value", "one value, not a list"),
        ("eq", "", "text", "empty text compares with nothing"),
        ("empty", "x", "no_value", "takes none"),
        ("changed", "x", "no_value", "takes none"),
        ("in", "x", "list", "takes a list"),
        ("in", [], "list", "a list of something"),
        ("in", ["a", ""], "text", "each of them something"),
        ("changed_to", [], "list", "one or several, not none"),
        ("contains", ["x"], "one_value", "one text"),
        ("like", "x", "known_operator", "there is no such operator"),
        ("in", {"field": "other"}, "literal", "a list is written out"),
        ("eq", {"field": "nothing"}, "known_field", "no such field to compare with"),
        ("eq", {"field": "count"}, "same_type", "text and a number cannot be compared"),
    ],
)
def test_a_value_of_the_wrong_shape_is_named(op, value, rule, reason):
    assert problem_of("text", op, value) == rule, reason


@pytest.mark.parametrize(
    ("field", "op", "value", "rule", "reason"),
    [
        ("price", "between", [1], "pair", "two values"),
        ("price", "between", [1, 2, 3], "pair", "not three"),
        ("price", "between", 1, "list", "not one"),
        ("price", "gt", "many", "currency", "no number"),
        ("on", "within_last", "soon", "duration", "no duration"),
        ("on", "within_last", {"field": "until"}, "literal", "a duration is written out"),
        ("on", "gt", {"field": "at"}, "same_type", "a day and an instant are not comparable"),
        ("on", "gt", "2026-13-01", "date", "no such month"),
        ("at", "gt", "2026-03-02T09:00:00", "datetime", "a time needs its zone"),
        ("stage", "eq", "Open", "select", "no such option"),
        ("tags", "eq", "hot", "multi_select", "a whole list is compared with a list"),
        ("owner.name", "changed", UNSET, "own_field", "a change of this record only"),
        ("owner.name", "rises_to", 5, "operator_type", "and of its type"),
        ("text.name", "eq", "x", "known_field", "text cannot be followed"),
        ("id", "eq", "x", "known_field", "the id is no field"),
    ],
)
def test_a_clause_that_cannot_be_is_named(field, op, value, rule, reason):
    assert problem_of(field, op, value) == rule, reason


@pytest.mark.parametrize(
    ("field", "op", "other", "values", "result", "reason"),
    [
        ("count", "gt", "price", {"count": 3, "price": "2.5"}, True, "numbers of different types"),
        ("count", "eq", "share", {"count": 1000, "share": "1E+3"}, True, "equal as numbers"),
        ("on", "lte", "until", {"on": "2026-03-01", "until": "2026-03-01"}, True, "days"),
        ("text", "eq", "other", {"text": "a", "other": "a"}, True, "texts"),
        ("text", "contains", "stage", {"text": "is Won now", "stage": "Won"}, True, "text and an option"),
        ("tags", "contains", "stage", {"tags": ["hot"], "stage": "Won"}, False, "a list and an option"),
        ("tags", "eq", "labels", {"tags": ["hot", "new"], "labels": ["new", "hot"]}, True, "options in another order"),
        ("ready", "eq", "agreed", {"ready": False, "agreed": False}, True, "booleans"),
        ("count", "gt", "price", {"count": 3}, False, "the other one is missing"),
        ("text", "eq", "other", {}, False, "both are missing: equal to nothing"),
        ("text", "ne", "other", {"text": "a"}, True, "ne accepts a missing value"),
        ("text", "not_contains", "other", {"text": "a"}, True, "and so does not_contains"),
    ],
)
def test_a_field_is_compared_with_another_field(field, op, other, values, result, reason):
    assert holds(field, op, {"field": other}, values) is result, reason


@pytest.mark.parametrize(
    ("field", "op", "value", "before", "after", "result", "reason"),
    [
        ("stage", "changed", UNSET, {}, {"stage": "New"}, True, "a created record has changed from nothing"),
        ("stage", "changed", UNSET, {"stage": "New"}, {}, True, "emptied"),
        ("stage", "changed", UNSET, {"stage": "New"}, {"stage": "New"}, False, "the same"),
        ("stage", "changed", UNSET, {}, {}, False, "nothing before and after"),
        ("price", "changed", UNSET, {"price": "1.0"}, {"price": "1.00"}, False, "the same number"),
        ("tags", "changed", UNSET, {"tags": ["hot", "new"]}, {"tags": ["new", "hot"]}, False, "the same set"),
        ("stage", "not_changed", UNSET, {"stage": "New"}, {"stage": "New"}, True, "the same"),
        ("stage", "not_changed", UNSET, {}, {"stage": "New"}, False, "created with it"),
        ("stage", "changed_to", "Won", {"stage": "New"}, {"stage": "Won"}, True, "became the value"),
        ("stage", "changed_to", "Won", {}, {"stage": "Won"}, True, "was created with it"),
        ("stage", "changed_to", "Won", {"stage": "Won"}, {"stage": "Won"}, False, "was it before"),
        ("stage", "changed_to", ["Won", "Lost"], {"stage": "Won"}, {"stage": "Lost"}, True, "within the list counts"),
        ("stage", "changed_to", "Won", {"stage": "Won"}, {}, False, "emptied is no value"),
        ("stage", "changed_from", "New", {"stage": "New"}, {"stage": "Won"}, True, "was the value"),
        ("stage", "changed_from", "New", {"stage": "New"}, {}, True, "and is nothing now"),
        ("stage", "changed_from", ["New", "Lost"], {}, {"stage": "Won"}, False, "was nothing"),
        ("stage", "changed_from", "New", {"stage": "New"}, {"stage": "New"}, False, "still is"),
        ("tags", "changed_to", "hot", {"tags": ["new"]}, {"tags": ["hot", "new"]}, True, "changed, and has it now"),
        ("tags", "changed_from", "hot", {"tags": ["hot"]}, {"tags": ["new"]}, True, "changed, and had it"),
        ("price", "rises_to", 100, {"price": "99.99"}, {"price": 100}, True, "reached"),
        ("price", "rises_to", 100, {"price": 50}, {"price": 500}, True, "jumped over"),
        ("price", "rises_to", 100, {"price": 100}, {"price": 101}, False, "was there already"),
        ("price", "rises_to", 100, {}, {"price": 100}, True, "created at it"),
        ("price", "rises_to", 100, {}, {"price": 99}, False, "created below it"),
        ("price", "rises_to", 100, {"price": 50}, {}, False, "gone"),
        ("price", "falls_to", 100, {"price": 101}, {"price": 100}, True, "fell to it"),
        ("price", "falls_to", 100, {}, {"price": 7}, True, "created below it"),
        ("price", "falls_to", 100, {"price": 100}, {"price": 99}, False, "was there already"),
        (
            "price",
            "rises_to",
            {"field": "share"},
            {"price": 1},
            {"price": 9, "share": 5},
            True,
            "a threshold of its own",
        ),
        ("price", "rises_to", {"field": "share"}, {"price": 1}, {"price": 9}, False, "without one"),
        ("on", "rises_to", "2026-03-02", {"on": "2026-03-01"}, {"on": "2026-03-05"}, True, "days rise too"),
        (
            "at",
            "falls_to",
            "2026-03-02T00:00:00Z",
            {"at": "2026-03-03T00:00:00Z"},
            {"at": "2026-03-01T00:00:00Z"},
            True,
            "instants",
        ),
        ("count", "rises_to", 3, {"count": 2}, {"count": 3}, True, "integers"),
    ],
)
def test_an_operator_of_change_looks_at_before_and_after(field, op, value, before, after, result, reason):
    assert holds(field, op, value, after, before) is result, reason


TOKYO = ZoneInfo("Asia/Tokyo")
HONOLULU = ZoneInfo("Pacific/Honolulu")


@pytest.mark.parametrize(
    ("field", "op", "value", "held", "zone", "result", "reason"),
    [
        ("at", "within_last", "2 hours", "2026-03-02T07:00:00Z", BERLIN, True, "the far end is included"),
        ("at", "within_last", "2 hours", "2026-03-02T06:59:59.999999Z", BERLIN, False, "but not before it"),
        ("at", "within_last", "2 hours", "2026-03-02T09:00:00.000001Z", BERLIN, False, "nor after now"),
        ("at", "within_next", "2 hours", "2026-03-02T11:00:00Z", BERLIN, True, "ahead"),
        ("at", "within_next", "2 hours", "2026-03-02T08:59:59Z", BERLIN, False, "not behind"),
        ("at", "older_than", "2 hours", "2026-03-02T06:59:59Z", BERLIN, True, "further back"),
        ("at", "older_than", "2 hours", "2026-03-02T07:00:00Z", BERLIN, False, "not the limit itself"),
        ("on", "within_last", "0 days", "2026-03-02", BERLIN, True, "today"),
        ("on", "within_last", "0 days", "2026-03-01", HONOLULU, True, "on Hawaii it is still 1 March, 23:00"),
        ("on", "within_last", "0 days", "2026-03-02", HONOLULU, False, "so the 2nd lies ahead"),
        ("on", "within_next", "1 day", "2026-03-03", BERLIN, True, "tomorrow"),
        ("on", "within_next", "1 day", "2026-03-03", HONOLULU, False, "there, tomorrow is the 2nd"),
        ("on", "older_than", "1 day", "2026-02-28", BERLIN, True, "before yesterday"),
        ("on", "older_than", "1 day", "2026-03-01", BERLIN, False, "yesterday is not older than a day"),
        ("on", "within_last", "1 business day", "2026-02-27", BERLIN, True, "Friday is one business day before Monday"),
        ("on", "within_last", "1 business day", "2026-02-26", BERLIN, False, "Thursday is two"),
        ("at", "within_next", "3 business days", "2026-03-05T09:00:00Z", BERLIN, True, "Thursday at the same time"),
        ("at", "older_than", "8 business hours", "2026-02-27T08:59:00Z", ZoneInfo("UTC"), True, "a working day ago"),
        ("at", "older_than", "8 business hours", "2026-02-27T09:30:00Z", ZoneInfo("UTC"), False, "less than that"),
        ("at", "older_than", "1 month", "2026-02-02T08:59:59Z", ZoneInfo("UTC"), True, "calendar months"),
        ("on", "within_next", "PT48H", "2026-03-04", TOKYO, True, "ISO 8601"),
    ],
)
def test_a_window_is_reckoned_from_now_in_the_zone(field, op, value, held, zone, result, reason):
    assert holds(field, op, value, {field: held}, zone=zone) is result, reason


def test_business_days_count_on_the_calendar():
    closed_friday = WorkingCalendar("c", BERLIN, closed_dates=frozenset({(NOW - timedelta(days=3)).date()}))

    assert holds("on", "within_last", "1 business day", {"on": "2026-02-26"}, calendar=closed_friday)
    assert not holds("on", "within_last", "1 business day", {"on": "2026-02-26"})


NUMBERS = some.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)


@given(left=NUMBERS, right=NUMBERS)
def test_exactly_one_of_less_equal_greater_holds(left, right):
    told = [holds("price", op, right, {"price": left}) for op in ("lt", "eq", "gt")]

    assert sum(told) == 1
    assert told == [left < right, left == right, left > right]


@given(before=some.none() | NUMBERS, after=some.none() | NUMBERS, limit=NUMBERS)
def test_rises_to_holds_exactly_when_the_limit_is_crossed_upwards(before, after, limit):
    expected = after is not None and (before is None or before < limit) and limit <= after

    assert holds("price", "rises_to", limit, {"price": after}, {"price": before}) is expected


@pytest.mark.parametrize("op", OPERATORS)
def test_every_operator_says_what_it_means(op):
    assert OPERATORS[op].meaning and OPERATORS[op].types <= ANY
    assert ORDERED == NUMBER | MOMENT and not TEXT & ORDERED
