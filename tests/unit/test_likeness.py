"""Likeness: in which forms a value may come back from a source, and what is another value."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stagebell.domain.fields import Value
from stagebell.domain.likeness import alike

AT = "2026-03-02T09:30:29.600400Z"


@pytest.mark.parametrize(
    ("told", "said", "why"),
    [
        ("Won", "Won", "the very same"),
        (None, None, "nothing is nothing"),
        ("  ", None, "blanks are trimmed to nothing"),
        (" ä b ", "ä b", "blanks at the ends go"),
        ("Ada@Example.COM ", "ada@example.com", "small letters"),
        (AT, "2026-03-02T09:30:29.600000Z", "milliseconds"),
        (AT, "2026-03-02T09:30:29.601000Z", "rounded up"),
        (AT, "2026-03-02T09:30:29.000000Z", "seconds, cut"),
        (AT, "2026-03-02T09:30:30.000000Z", "seconds, rounded"),
        (AT, "2026-03-02T09:30:00.000000Z", "minutes"),
        ("14.9345", "14.93", "cents"),
        ("14.935", "14.93", "cents, cut"),
        ("14.935", "14.94", "cents, rounded"),
        ("-2.999", "-3", "rounded to what has no cents"),
        ("0.33333333333333333333", "0.3333", "four places"),
        ("9" * 34 + ".995", "9" * 34 + ".99", "as long as numbers may be"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.000000Z", "the last second there is"),
        ("0001-01-01T00:00:00.000001Z", "0001-01-01T00:00:00.000000Z", "the first one"),
        ("+49 (30) 12-34", "+49301234", "the same digits"),
        (3, 3, "a number"),
    ],
)
def test_the_same_value_in_another_form(told: Value, said: Value, why: str) -> None:
    assert alike(told, said), why


@pytest.mark.parametrize(
    ("told", "said", "why"),
    [
        ("Won", "Lost", "another word"),
        ("won", "Won", "somebody has mended it: only addresses lose their capitals"),
        ("ada@example.com", "Ada@example.com", "no source makes capitals"),
        ("Won", None, "it was emptied"),
        (AT, "2026-03-02T09:30:28.000000Z", "another second"),
        (AT, "2026-03-02T09:32:00.000000Z", "another minute"),
        ("2026-03-02", "2026-03-03", "another day"),
        ("14.93", "14.9", "a dime may be somebody's rounding"),
        ("14.9345", "15", "so may a whole number"),
        ("14.9345", "14.95", "another amount"),
        ("12.5", "125", "digits are not all there is to a number"),
        ("+49 30 1234", "+49 30 1235", "another number"),
        (True, "true", "another type"),
        (1, None, "it was emptied"),
        (["a"], ["a", "b"], "another choice"),
        ("9" * 38 + "." + "9" * 20, "9" * 38, "so is this"),
        ("2026-99-02T09:30:29.600400Z", "2026-99-02T09:30:29.000000Z", "a text that is no time"),
        ("9999-12-31T23:59:59.999999Z", "", "nothing comes after it"),
        ("9" * 39 + ".123", "9" * 39 + ".12", "longer than numbers are: a text"),
    ],
)
def test_another_value(told: Value, said: Value, why: str) -> None:
    assert not alike(told, said), why


_ODD = some.text() | some.from_regex(r"-?[0-9]{1,60}\.[0-9]{1,25}", fullmatch=True)
_TIMES = some.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", fullmatch=True)


@given(_ODD | _TIMES, _ODD)
def test_whatever_a_text_looks_like_it_can_be_asked(told: str, said: str) -> None:
    assert alike(told, told)
    assert alike(told, said) in (True, False)
