"""Likeness: whether a source says the value that it was told, in the form in which it keeps such values.

CRMs trim texts, write e-mail addresses in small letters and phone numbers without blanks, and keep times to the second
and amounts to the cent.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from stagebell.domain.fields import DIGITS, EXPONENT, Value, decimal_text, instant_text

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z", re.ASCII)
_FRACTION = re.compile(rf"-?\d+\.(\d{{1,{EXPONENT}}})", re.ASCII)
_PHONE = re.compile(r"\+[0-9 ()./-]+", re.ASCII)
_NO_DIGIT = re.compile(r"[^0-9]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1))
_CENTS = 2  # places; who cuts an amount to whole numbers may as well be a person
_ROUNDINGS = [Context(prec=DIGITS, rounding=way) for way in (ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP)]


def alike(told: Value, said: Value) -> bool:
    """Both are canonical values of one field."""
    if told == said:
        return True
    if not isinstance(told, str) or not isinstance(said, str | None):
        return False
    kept, said = told.strip(), (said or "").strip()
    return kept == said or said in _forms(kept) or _same_phone(kept, said)


def _forms(told: str) -> Iterator[str]:
    """Other texts in which the value may come back."""
    if "@" in told:
        yield told.lower()
    if _INSTANT.fullmatch(told):
        yield from _coarser(told)
    if len(told) <= DIGITS and (fraction := _FRACTION.fullmatch(told)):
        yield from _rounded(Decimal(told), len(fraction[1]))


def _coarser(told: str) -> Iterator[str]:
    with suppress(ValueError, OverflowError):  # a text that is no time; the last time there is
        moment = datetime.fromisoformat(told)
        cut = [moment - (moment - _EPOCH) % unit for unit in _UNITS]
        yield from map(instant_text, cut)
        yield from (instant_text(earlier + unit) for earlier, unit in zip(cut, _UNITS, strict=True))


def _rounded(number: Decimal, places: int) -> Iterator[str]:
    for fewer in range(_CENTS, places):
        for rounding in _ROUNDINGS:
            yield decimal_text(number.quantize(Decimal(1).scaleb(-fewer), context=rounding))


def _same_phone(told: str, said: str) -> bool:
    both = _PHONE.fullmatch(told) and _PHONE.fullmatch(said)
    return bool(both) and _NO_DIGIT.sub("", told) == _NO_DIGIT.sub("", said)
