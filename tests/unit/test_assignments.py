"""What fields are set to: read from a definition, worked out from a record."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from operator import add, sub
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stagebell.domain.arithmetic import reckon
from stagebell.domain.assignments import assigned, read_assignments
from stagebell.domain.calendars import calendar_from
from stagebell.domain.conditions import View
from stagebell.domain.errors import InvalidInput, InvalidValue, Problem, RenderFailed
from stagebell.domain.expressions import Sight
from stagebell.domain.fields import Field, Value, canonical
from stagebell.domain.objects import read_object, with_built_ins

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # 00:30 of the next day in Berlin
FIELDS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "note": {"type": "text"},
    "count": {"type": "integer"},
    "share": {"type": "decimal"},
    "amount": {"type": "currency", "currency": "EUR"},
    "yen": {"type": "currency", "currency": "JPY"},
    "stage": {"type": "select", "options": ["Open", "Won"]},
    "tags": {"type": "multi_select", "options": ["hot", "cold", "new"]},
    "owner": {"type": "reference", "object": "user"},
    "due_on": {"type": "date"},
    "met_at": {"type": "datetime"},
    "urgent": {"type": "boolean"},
    "contact": {"type": "email"},
    "mobile": {"type": "phone"},
    "page": {"type": "url"},
}
SCHEMA = with_built_ins({"deal": read_object({"name": "deal", "fields": FIELDS})})
BEFORE: dict[str, Value] = {
    "name": "Acme",
    "count": 7,
    "share": "2.5",
    "amount": "100",
    "yen": "100",
    "stage": "Open",
    "tags": ["hot", "new"],
    "owner": "ada",
    "due_on": "2026-03-06",
    "met_at": "2026-03-06T10:00:00.000000Z",
    "urgent": False,
    "contact": "a@example.com",
}
PEOPLE = {"ada": {"manager": "bob", "name": "Ada"}}


def rendered(template: str) -> str:
    if "1 / 0" in template:
        raise RenderFailed("line 1: division by zero")
    return template.replace("{{ name }}", "Acme")


def sight(**fields: Value) -> Sight:
    seen = {**BEFORE, **fields}
    return Sight(View(seen, seen, NOW, BERLIN, related=lambda _, id: PEOPLE.get(id)), rendered)


def problems_of(written: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    read_assignments(written, "deal", "deal", SCHEMA, problems)
    return problems


def result(written: dict[str, Any], **fields: Value) -> dict[str, Value]:
    problems: list[Problem] = []
    assignments = read_assignments(written, "deal", "deal", SCHEMA, problems)
    assert not problems, problems
    return assigned(assignments, {**BEFORE, **fields}, sight(**fields))


@pytest.mark.parametrize(
    ("field", "written", "expected", "why"),
    [
        ("name", "Acme Ltd", "Acme Ltd", "text as written"),
        ("count", 8, 8, "an integer"),
        ("count", 8.0, 8, "a whole number, however the document holds it"),
        ("share", 0.1, "0.1", "a float of a document is what was written, to the digit"),
        ("amount", "12.50", "12.5", "a decimal, once stored, is text"),
        ("urgent", True, True, "a boolean"),
        ("stage", "Won", "Won", "an option"),
        ("tags", ["new", "cold"], ["cold", "new"], "options come in their order"),
        ("owner", "bob", "bob", "a person is the id of a user"),
        ("due_on", "2026-12-24", "2026-12-24", "a date"),
        ("met_at", "2026-12-24T18:00:00+01:00", "2026-12-24T17:00:00.000000Z", "an instant, as UTC"),
        ("note", None, None, "nothing"),
    ],
)
def test_a_literal_is_brought_into_the_form_of_its_field(field, written, expected, why):
    assert result({field: written}) == {field: expected}, why


@pytest.mark.parametrize(
    ("field", "path", "expected", "why"),
    [
        ("note", "name", "Acme", "of the same record"),
        ("owner", "owner.manager", "bob", "over a reference"),
        ("note", "owner.name", "Ada", "a field of a related record"),
        ("note", "owner.manager.name", None, "where the way ends, there is nothing"),
        ("share", "count", "7", "an integer is a decimal"),
        ("amount", "share", "2.5", "numbers are numbers"),
        ("count", "amount", 100, "a whole amount is an integer"),
        ("note", "count", "7", "a number as text"),
        ("note", "amount", "100", "an amount as text"),
        ("due_on", "met_at", "2026-03-06", "the local day of an instant"),
        ("met_at", "due_on", "2026-03-05T23:00:00.000000Z", "a day begins at midnight, local time"),
        ("tags", "stage", ["Open"], "one word among several"),
    ],
)
def test_a_field_is_copied(field, path, expected, why):
    schema_fields = {**FIELDS, "tags": {"type": "multi_select"}}
    schema = with_built_ins({"deal": read_object({"name": "deal", "fields": schema_fields})})
    assignments = read_assignments({field: {"field": path}}, "deal", "deal", schema, [])

    assert assigned(assignments, BEFORE, sight()) == {field: expected}, why


@pytest.mark.parametrize(
    ("field", "template", "expected", "why"),
    [
        ("note", " Hello {{ name }}\n", "Hello Acme", "the space around does not count"),
        ("note", "  \n ", None, "what comes out empty is nothing"),
        ("count", "-12", -12, "digits are an integer"),
        ("share", "1.50", "1.5", "or a decimal"),
        ("share", "-1,234,567.125", "-1234567.125", "as templates show numbers"),
        ("count", "1,234", 1234, "whole ones too"),
        ("urgent", "True", True, "true and false in any case"),
        ("urgent", "no", False, "as templates show what is not so"),
        ("tags", "new, hot,", ["hot", "new"], "words between commas"),
        ("stage", "Won", "Won", "an option"),
        ("due_on", "2026-05-01", "2026-05-01", "a date"),
    ],
)
def test_a_template_is_read_as_a_value_of_its_field(field, template, expected, why):
    assert result({field: {"template": template}}) == {field: expected}, why


@pytest.mark.parametrize(
    ("field", "written", "expected", "why"),
    [
        ("count", {"add": 3}, 10, "a sum"),
        ("count", {"subtract": {"field": "count"}}, 0, "a field less itself"),
        ("share", {"multiply": "0.1"}, "0.25", "decimals are exact"),
        ("amount", {"multiply": "1.19"}, "119", "a product is exact and never longer than it must be"),
        ("amount", {"divide": 8}, "12.5", "a quotient that ends is exact"),
        ("amount", {"divide": 3}, "33.33", "one without end is rounded to the cent"),
        ("yen", {"divide": 3}, "33", "or to what the currency has"),
        ("share", {"divide": 3}, "0.83333333333333333333", "a number that is no money to 20 places"),
        ("count", {"divide": 7}, 1, "a whole quotient"),
        ("amount", {"add": {"field": "share"}}, "102.5", "the number of another field"),
    ],
)
def test_numbers_are_reckoned_exactly(field, written, expected, why):
    assert result({field: written}) == {field: expected}, why


def test_sums_begin_at_nothing():
    assert result({"count": {"add": 1}, "amount": {"subtract": 5}}, count=None, amount=None) == {
        "count": 1,
        "amount": "-5",
    }


@pytest.mark.parametrize(
    ("field", "written", "expected", "why"),
    [
        ("due_on", {"add": "3 days"}, "2026-03-09", "days"),
        ("due_on", {"add": "1 business day"}, "2026-03-09", "from Friday to Monday"),
        ("due_on", {"subtract": "1 month"}, "2026-02-06", "a month before"),
        ("met_at", {"add": "36 hours"}, "2026-03-07T22:00:00.000000Z", "elapsed time"),
        ("met_at", {"add": "4 weeks"}, "2026-04-03T09:00:00.000000Z", "the same wall clock after the change to summer"),
        ("met_at", {"subtract": "2 business hours"}, "2026-03-06T08:00:00.000000Z", "working time, from 11:00 local"),
        ("met_at", {"now": True}, "2026-03-02T23:30:00.000000Z", "the moment of acting"),
        ("due_on", {"now": True}, "2026-03-03", "its local day"),
    ],
)
def test_dates_are_reckoned_where_the_record_is(field, written, expected, why):
    assert result({field: written}) == {field: expected}, why


def test_business_days_are_those_of_the_calendar():
    closed = {"kind": "calendar", "name": "c", "timezone": "Europe/Berlin", "dates": ["2026-03-09"]}
    calendar = calendar_from(closed, lambda *_: {}, BERLIN)
    seen = sight()
    assignments = read_assignments({"due_on": {"add": "1 business day"}}, "deal", "deal", SCHEMA, [])

    values = assigned(assignments, BEFORE, replace(seen, view=replace(seen.view, calendar=calendar)))

    assert values == {"due_on": "2026-03-10"}


@pytest.mark.parametrize(
    ("written", "expected", "why"),
    [
        ({"add": ["cold"]}, ["hot", "cold", "new"], "in the order of the options"),
        ({"add": ["hot"]}, ["hot", "new"], "what is there already"),
        ({"remove": ["hot"]}, ["new"], "without it"),
        ({"remove": ["cold"]}, ["hot", "new"], "what is not there"),
        ({"remove": ["hot", "new", "cold"]}, None, "nothing is left"),
        ({"clear": True}, None, "emptied"),
    ],
)
def test_words_are_added_and_removed(written, expected, why):
    assert result({"tags": written}) == {"tags": expected}, why


@pytest.mark.parametrize(
    ("field", "written", "rule", "why"),
    [
        ("count", {"divide": {"field": "share"}}, "arithmetic", "division by zero"),
        ("share", {"multiply": {"field": "count"}}, "arithmetic", "the other field is empty"),
        ("yen", {"multiply": 2}, "arithmetic", "there is nothing to multiply"),
        ("amount", {"multiply": "1e30"}, "currency", "more digits than a number may have"),
        ("count", {"add": "0.5"}, "integer", "half an integer"),
        ("due_on", {"add": "5 years"}, "duration", "beyond the year 9999"),
        ("met_at", {"add": "1 day"}, "duration", "nothing to count from"),
        ("stage", {"template": "Lost"}, "select", "no option"),
        ("tags", {"template": "hot, lost"}, "multi_select", "one of them is no option"),
        ("urgent", {"template": "perhaps"}, "boolean", "neither true nor false"),
        ("share", {"template": "1,23"}, "decimal", "a comma is no decimal point"),
        ("contact", {"field": "name"}, "email", "no address"),
        ("name", {"template": "   "}, "required", "a required field is not emptied"),
        ("name", {"field": "note"}, "required", "nor by a copy of nothing"),
        ("note", {"template": "{{ 1 / 0 }}"}, "template", "the template fails"),
    ],
)
def test_what_does_not_work_out_names_its_field_and_rule(field, written, rule, why):
    fields: dict[str, Value] = {"yen": None, "met_at": None, "amount": "9" * 20, "due_on": "9998-01-01"}
    if field == "share":
        fields["count"] = None
    if field == "count" and "divide" in written:
        fields["share"] = "0"

    with pytest.raises(InvalidInput) as caught:
        result({field: written}, **fields)

    assert [(p.path, p.rule) for p in caught.value.problems] == [(f"set.{field}", rule)], why


def test_every_value_that_does_not_work_out_is_named():
    with pytest.raises(InvalidInput) as caught:
        result({"stage": {"template": "x"}, "note": "fine", "count": {"add": "0.5"}})

    assert [problem.path for problem in caught.value.problems] == ["set.stage", "set.count"]


@pytest.mark.parametrize(
    ("written", "path", "rule", "why"),
    [
        ({"colour": "red"}, "set.colour", "known_field", "no such field"),
        ({"stage": "Lost"}, "set.stage", "select", "no such option"),
        ({"count": "many"}, "set.count", "integer", "text is no integer"),
        ({"name": {"clear": True}}, "set.name", "required", "a required field"),
        ({"name": None}, "set.name", "required", "a required field"),
        ({"note": {"field": "colour"}}, "set.note.field", "known_field", "no such field to copy"),
        ({"note": {"upper": "x"}}, "set.note", "value", "no such form"),
        ({"note": {"add": 1, "subtract": 1}}, "set.note", "value", "two forms at once"),
        ({"note": {"add": "x"}}, "set.note", "operation_type", "nothing is added to text"),
        ({"stage": {"now": True}}, "set.stage", "operation_type", "an option is no time"),
        ({"tags": {"multiply": 2}}, "set.tags", "operation_type", "words are not multiplied"),
        ({"tags": {"add": ["lost"]}}, "set.tags.add", "multi_select", "no such option"),
        ({"count": {"divide": 0}}, "set.count.divide", "arithmetic", "division by zero"),
        ({"count": {"add": "x"}}, "set.count.add", "number", "no number"),
        ({"count": {"add": None}}, "set.count.add", "number", "nothing is no number"),
        ({"count": {"add": {"field": "name"}}}, "set.count.add.field", "number", "a field that is no number"),
        ({"count": {"add": {"field": "colour"}}}, "set.count.add.field", "known_field", "no such field"),
        ({"due_on": {"add": 3}}, "set.due_on.add", "duration", "a number without a unit"),
        ({"due_on": {"add": "6 years"}}, "set.due_on.add", "duration", "longer than a duration may be"),
    ],
)
def test_what_cannot_be_meant_is_told_when_it_is_read(written, path, rule, why):
    assert [(p.path, p.rule) for p in problems_of(written)] == [(path, rule)], why


def test_a_field_that_was_something_else_before_is_told_and_not_guessed():
    with pytest.raises(InvalidInput, match="number"):
        result({"count": {"add": 1}}, count="many")
    with pytest.raises(InvalidInput, match="date"):
        result({"due_on": {"add": "1 day"}}, due_on="soon")


@pytest.mark.parametrize(("operation", "exactly"), [("add", add), ("subtract", sub)])
def test_sums_of_the_longest_numbers_are_exact(operation, exactly):
    longest, smallest = Decimal("9" * 38), Decimal("1." + "1" * 37).scaleb(-20)

    assert Fraction(reckon(operation, longest, smallest)) == exactly(Fraction(longest), Fraction(smallest))


@pytest.mark.parametrize(
    ("left", "right", "expected", "why"),
    [
        ("1", "3", "0.33333333333333333333", "20 places"),
        ("2", "3", "0.66666666666666666667", "the nearest"),
        ("1E+37", "3", "3333333333333333333333333333333333333.3", "as many as a number may have"),
        ("1", "1024", "0.0009765625", "an end is reached"),
        ("0", "7", "0", "nothing of nothing"),
    ],
)
def test_a_quotient_has_as_many_places_as_a_number_may_have(left, right, expected, why):
    assert format(reckon("divide", Decimal(left), Decimal(right)), "f") == expected, why


@pytest.mark.parametrize(
    ("operation", "left", "right", "currency", "expected", "why"),
    [
        ("multiply", "12.5", "1.19", "", "14.875", "a number is exact"),
        ("multiply", "12.5", "1.19", "EUR", "14.88", "money ends at the cent"),
        ("multiply", "10.99", "1.5", "EUR", "16.48", "half a cent goes to the even one"),
        ("multiply", "0.1234", "1.5", "EUR", "0.1851", "a price that is finer stays as fine"),
        ("multiply", "1999", "1.1", "JPY", "2199", "a currency without a smaller unit"),
        ("multiply", "12.5", "0.333", "KWD", "4.162", "a currency with thousandths"),
        ("divide", "10.01", "2", "EUR", "5", "half a cent here, too"),
        ("divide", "100", "3", "EUR", "33.33", "without end"),
        ("add", "12.5", "0.005", "EUR", "12.505", "a sum is what was written"),
        ("multiply", "0.00000000000000000001", "0.5", "", "0", "less than a number can hold"),
    ],
)
def test_money_has_no_more_places_than_money_has(operation, left, right, currency, expected, why):
    found = reckon(operation, Decimal(left), Decimal(right), currency)

    assert found == Decimal(expected), why


def test_what_is_multiplied_again_and_again_keeps_its_size():
    amount, number = Decimal("10.99"), Decimal("10.99")

    for _ in range(50):
        amount, number = reckon("multiply", amount, Decimal("1.19"), "EUR"), reckon("multiply", number, Decimal("1.19"))

    assert amount == round(amount, 2)
    assert canonical(Field("number", "decimal"), number)


def test_nothing_is_divided_by_zero():
    with pytest.raises(InvalidValue, match="zero"):
        reckon("divide", Decimal(1), Decimal("0.00"))
