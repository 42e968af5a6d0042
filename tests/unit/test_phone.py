"""Which texts are phone numbers, and which number they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebell.adapters.phone import e164

NUMBERS = [
    ("+49 30 901820", None, "+4930901820", "an international number"),
    ("030 / 90 18 20", "DE", "+4930901820", "a national number in its region"),
    ("(415) 555-2671", "us", "+14155552671", "a region in small letters"),
    ("0049 30 901820", "DE", "+4930901820", "a dialled international prefix"),
    ("+86 138 0013 8000", "DE", "+8613800138000", "another country than the region"),
    ("tel:+49-30-901820", None, "+4930901820", "a telephone link"),
    ("+49 30 \uff19\uff10\uff11\uff18\uff12\uff10", None, "+4930901820", "full-width digits"),
    ("030 901820", None, None, "a national number without a region"),
    ("030 901820", "ZZ", None, "an unknown region"),
    ("+49 30 901820 ext. 12", None, None, "an extension"),
    ("+49 30 901820;ext=12", None, None, "an extension of a link"),
    ("+49 30 901820 #12", None, None, "an extension by a sign"),
    ("1-800-FLOWERS", "US", None, "letters for digits"),
    ("call +49 30 901820", None, None, "prose"),
    ("+1 555", "US", None, "too short"),
    ("+49 30 9018201234567890", None, None, "too long"),
    ("+999 123456789", None, None, "no such country"),
    ("12345", "DE", None, "digits that are no number"),
    ("", "DE", None, "nothing"),
    ("+", None, None, "a sign alone"),
    ("\x00+49 30 901820\ud800" * 9, None, None, "rubbish"),
    ("1" * 100_000, "DE", None, "a flood"),
]


@pytest.mark.parametrize(("text", "region", "expected", "why"), NUMBERS, ids=[row[3] for row in NUMBERS])
def test_a_phone_number_is_valid_and_complete_or_none(
    text: str, region: str | None, expected: str | None, why: str
) -> None:
    assert e164(text, region) == expected


@given(st.text(), st.sampled_from([None, "DE", "US", "CN", "", "x"]))
def test_no_text_raises(text: str, region: str | None) -> None:
    assert (number := e164(text, region)) is None or number.startswith("+")
