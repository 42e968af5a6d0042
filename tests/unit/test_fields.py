"""Typed fields: what each type takes, what it becomes, and what it refuses."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import FIELD_TYPES, Field, canonical, decimal_text

OPTIONS = ("new", "hot", "cold")


def field(kind: str) -> Field:
    return Field("f", kind, options=OPTIONS if kind in ("select", "multi_select") else ())


@pytest.mark.parametrize(
    ("kind", "value", "kept", "reason"),
    [
        ("text", " Ärger \u200b", " Ärger \u200b", "text is kept as it came, spaces and all"),
        ("text", "\U0001f600", "\U0001f600", "a whole surrogate pair is one character"),
        ("text", "x" * 65_536, "x" * 65_536, "the longest text"),
        ("integer", 0, 0, "zero is a value, not empty"),
        ("integer", -(2**63) + 1, -(2**63) + 1, "the least"),
        ("integer", Decimal("3.00"), 3, "JSON has one kind of number: 3.00 is an integer"),
        ("integer", Decimal("1E+3"), 1000, "so is 1E+3"),
        ("decimal", Decimal("0.1"), "0.1", "exact, never 0.1000000000000000055"),
        ("decimal", Decimal("0.30000000000000004"), "0.30000000000000004", "what a float says is kept as it says it"),
        ("decimal", Decimal("1E+3"), "1000", "plain notation"),
        ("decimal", Decimal("12.500"), "12.5", "no trailing zeros"),
        ("decimal", Decimal("-0.00"), "0", "there is one zero"),
        ("decimal", "1E+3", "1000", "decimal text is a number too"),
        ("decimal", "+.5", "0.5", "with a sign and no leading zero"),
        ("decimal", 10**38 - 1, "9" * 38, "38 digits"),
        ("decimal", Decimal("1E-20"), "0.00000000000000000001", "the smallest"),
        ("currency", "1234567890123456789012345678901234.5678", "1234567890123456789012345678901234.5678", "38 digits"),
        ("currency", 5, "5", "a whole amount"),
        ("boolean", False, False, "false is a value, not empty"),
        ("select", "hot", "hot", "an option"),
        ("multi_select", ["cold", "new", "cold"], ["new", "cold"], "in option order, each once"),
        ("date", "2028-02-29", "2028-02-29", "a leap day"),
        ("date", "0001-01-01", "0001-01-01", "the first day there is"),
        (
            "datetime",
            "2026-11-20T08:15:00Z",
            "2026-11-20T08:15:00.000000Z",
            "always six digits: text order is time order",
        ),
        ("datetime", "2026-11-20T08:15:00.5+02:00", "2026-11-20T06:15:00.500000Z", "as UTC"),
        ("datetime", "2026-11-20 08:15Z", "2026-11-20T08:15:00.000000Z", "with a space, without seconds"),
        ("datetime", "0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000Z", "four digits of a year"),
        ("reference", 42, "42", "ids may come as numbers"),
        ("reference", "42", "42", "or as text: the same id"),
        ("email", " ada@example.com ", "ada@example.com", "spaces around an address mean nothing"),
        ("email", "ada+crm@sub.example.co", "ada+crm@sub.example.co", "a tag and a sub-domain"),
        ("email", "jürgen@müller.example", "jürgen@müller.example", "addresses may be international"),
        ("phone", "+49 (30) 90-18 20", "+49 (30) 90-18 20", "as people write it"),
        ("phone", "030 901820 ext. 12", "030 901820 ext. 12", "with an extension"),
        ("url", "HTTPS://example.com/a?b=ü", "HTTPS://example.com/a?b=ü", "any case of the scheme"),
    ],
)
def test_a_value_is_taken_in_its_canonical_form(kind, value, kept, reason):
    taken = canonical(field(kind), value)

    assert taken == kept and type(taken) is type(kept), reason


@pytest.mark.parametrize("kind", FIELD_TYPES)
@pytest.mark.parametrize("empty", [None, "", []])
def test_nothing_empty_text_and_an_empty_list_are_the_same_missing_value(kind, empty):
    assert canonical(field(kind), empty) is None


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("text", 5, "a number is no text"),
        ("text", True, "nor is a boolean"),
        ("text", {"a": 1}, "nor an object"),
        ("text", "x" * 65_537, "one character over the limit"),
        ("text", "a\x00b", "NUL cannot be stored"),
        ("text", "a\ud800b", "nor half a surrogate pair"),
        ("integer", True, "a boolean is no integer"),
        ("integer", "5", "nor is text"),
        ("integer", Decimal("5.5"), "nor a fraction"),
        ("integer", 2**63, "64 bits"),
        ("integer", 10**4000, "thousands of digits"),
        ("integer", Decimal("1E+999999"), "a number that must never be spelled out"),
        ("integer", Decimal("1E+99999999999"), "one that the decimal context cannot even hold"),
        ("integer", Decimal("NaN"), "not a number"),
        ("integer", Decimal("Infinity"), "no number either"),
        ("decimal", True, "a boolean is no number"),
        ("decimal", 0.1, "a float has lost its digits already"),
        ("decimal", "1,5", "a comma is not a point"),
        ("decimal", "0x10", "decimal means decimal"),
        ("decimal", "١٢", "digits of ASCII only"),
        ("decimal", "NaN", "not a number"),
        ("decimal", Decimal("Infinity"), "without an end"),
        ("decimal", Decimal("1E+38"), "39 digits"),
        ("decimal", 10**38, "39 digits, as an integer"),
        ("decimal", Decimal("1E-21"), "too small"),
        ("decimal", Decimal("1.23456789012345678901234567890123456789"), "39 digits after all"),
        ("decimal", Decimal("1E+999999999"), "never spelled out"),
        ("currency", "12 EUR", "the currency is the field's"),
        ("boolean", 1, "an integer is no boolean"),
        ("boolean", "true", "nor is text"),
        ("select", "warm", "no option"),
        ("select", "Hot", "options have their case"),
        ("select", ["hot"], "one, not a list"),
        ("multi_select", "hot", "a list, not one"),
        ("multi_select", ["hot", "warm"], "one of them is no option"),
        ("multi_select", ["hot", 5], "one of them is no text"),
        ("multi_select", ["hot"] * 1_001, "too many"),
        ("date", "2026-02-29", "there is no such day"),
        ("date", "2026-2-9", "two digits each"),
        ("date", "20261120", "with hyphens"),
        ("date", "2026-11-20T00:00:00Z", "a datetime is no date"),
        ("date", 20261120, "a number is no date"),
        ("date", "10000-01-01", "years have four digits"),
        ("datetime", "2026-11-20T08:15:00", "a time needs its zone"),
        ("datetime", "2026-11-20", "a date is no datetime"),
        ("datetime", "0001-01-01T00:00:00+01:00", "in UTC this is the year 0"),
        ("datetime", "9999-12-31T23:59:59-01:00", "in UTC this is the year 10000"),
        ("datetime", "2026-11-20T25:00:00Z", "there is no such hour"),
        ("datetime", 1_700_000_000, "unix time is not told apart from a mistake"),
        ("reference", True, "a boolean is no id"),
        ("reference", Decimal("4.2"), "nor a fraction"),
        ("reference", "x" * 257, "too long"),
        ("email", "ada", "no domain"),
        ("email", "ada@localhost", "no dot"),
        ("email", "ada@example.com, bob@example.com", "two addresses"),
        ("email", "Ada <ada@example.com>", "a name with it"),
        ("email", "ada@example.com\nBcc: eve@example.com", "another header"),
        ("phone", "call me", "letters"),
        ("phone", "5", "one digit"),
        ("url", "example.com", "no scheme"),
        ("url", "javascript:alert(1)", "another scheme"),
        ("url", "https://", "no host"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_a_sentence(kind, value, reason):
    with pytest.raises(InvalidValue) as refused:
        canonical(field(kind), value)

    assert 10 < len(str(refused.value)) < 300, reason
    assert str(refused.value).encode()  # a sentence that can be sent: no half of a surrogate pair in it


def test_adding_tenths_is_exact():
    total = sum(Decimal(str(canonical(field("decimal"), Decimal(t)))) for t in ("0.1", "0.2"))

    assert decimal_text(total) == "0.3"


VALUES = {
    "text": some.text(max_size=40),
    "integer": some.integers(-(2**63) + 1, 2**63 - 1),
    "decimal": some.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20),
    "boolean": some.booleans(),
    "select": some.sampled_from(OPTIONS),
    "multi_select": some.lists(some.sampled_from(OPTIONS)),
    "date": some.dates().map(str),
    "datetime": some.datetimes(timezones=some.timezones()).map(lambda moment: moment.isoformat()),
    "reference": some.one_of(some.integers(), some.text(max_size=40)),
    "email": some.emails(),
    "phone": some.from_regex(r"\A\+[1-9][0-9]{5,12}\Z"),
    "url": some.just("https://example.com/ü?q=1"),
}
VALUES["currency"] = VALUES["decimal"]


def test_every_type_is_generated():
    assert set(VALUES) == set(FIELD_TYPES)


@given(data=some.data(), kind=some.sampled_from(FIELD_TYPES))
def test_canonical_is_idempotent(data, kind):
    value = data.draw(VALUES[kind])
    try:
        once = canonical(field(kind), value)
    except InvalidValue:  # an exotic address or a moment outside the years 1 to 9999 in UTC: refused is fine too
        return

    assert canonical(field(kind), once) == once


JSON_LIKE = some.recursive(
    some.none() | some.booleans() | some.integers() | some.decimals() | some.text(some.characters(codec=None)),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(kind=some.sampled_from(FIELD_TYPES), value=JSON_LIKE)
def test_whatever_arrives_is_taken_or_refused_but_never_a_crash(kind, value):
    try:
        taken = canonical(field(kind), value)
    except InvalidValue as refused:
        assert refused.message.encode()
    else:
        assert canonical(field(kind), taken) == taken
