"""What the operators of the template language do with values, and how values are looked into.

A missing value stays missing through look-ups and arithmetic, is false, equals only what is empty, and is less or
greater than nothing. Numbers are exact (never float) and of at most 40 digits, text and lists have a largest size.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from itertools import batched
from typing import Any

from jinja2.runtime import LoopContext

from stagebell.adapters.template_session import Refused, Session, is_missing, kind
from stagebell.domain.views import PARTS, Money, fold, lookup

DIGITS = 40
LIST_LIMIT = 10_000  # items, those of lists within lists included

LOOP_FIELDS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"})

_NUMBER_TEXT = re.compile(r"\s*[+-]?\d{1,40}(?:\.\d{0,40})?\s*", re.ASCII)

_ARITHMETIC = Context(prec=DIGITS, traps=[InvalidOperation, DivisionByZero, Overflow])
_OPERATIONS: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _ARITHMETIC.add,
    "-": _ARITHMETIC.subtract,
    "*": _ARITHMETIC.multiply,
    "/": _ARITHMETIC.divide,
    "//": _ARITHMETIC.divide_int,
    "%": _ARITHMETIC.remainder,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda left, right: operator.contains(right, left),
    "notin": lambda left, right: not operator.contains(right, left),
}


def field_of(value: object, name: str) -> object:
    """A field of a record, of an amount, of a date, or of `loop`; None where there is none. Never a Python attribute
    that is not named here."""
    if name.startswith("_"):
        return None
    if isinstance(value, Mapping):
        return lookup(value, name)
    part = fold(name)
    return getattr(value, part, None) if part in _fields_of(value) else None


def _fields_of(value: object) -> frozenset[str]:
    match value:
        case LoopContext():
            return LOOP_FIELDS
        case Money():
            return PARTS["currency"]
        case datetime():
            return PARTS["datetime"]
        case date():
            return PARTS["date"]
        case _:
            return frozenset()


def item_of(value: object, key: object) -> object:
    """An item of a list by its position, a character of a text, a field by its name; None where there is none."""
    if isinstance(key, str):
        return field_of(value, key)
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | tuple | str) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return None


def each(session: Session, value: object) -> Iterator[object]:
    """The items of a list, one step of the render's allowance each."""
    if is_missing(value):
        return
    if not isinstance(value, list | tuple | Mapping):
        raise Refused(f"`for` goes over a list, not over {kind(value)}")
    for item in value:
        session.step()
        yield item


def held(session: Session, value: list[object] | tuple[object, ...] | dict[object, object]) -> object:
    """A list written in the template, unless it grew too large: lists of lists of lists explode quickly."""
    for count, _ in enumerate(_leaves(value)):
        if count >= LIST_LIMIT:
            raise Refused(f"a list is limited to {LIST_LIMIT:,} items; make it shorter")
    session.check_time()
    return value


def _leaves(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        yield from _leaves([*value.keys(), *value.values()])


def exact(value: object) -> object:
    """A value with which to calculate: floats become decimals of the same digits."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def number(value: object) -> int | Decimal:
    """The number a value is; refused for anything else, and for more than 40 digits."""
    found = value.amount if isinstance(value, Money) else exact(value)
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        raise Refused(f"a number is needed here, not {kind(value)}; `| decimal` makes one of text")
    if isinstance(found, Decimal) and not found.is_finite():
        raise Refused("a finite number is needed here")
    if abs(found) >= 10**DIGITS:
        raise Refused(f"a number is limited to {DIGITS} digits")
    return found


def numeric(value: object) -> Decimal:
    found = parsed_number(value)
    if found is None:
        raise Refused(f"a number is needed here, not {kind(value)}")
    return found


def parsed_number(value: object) -> Decimal | None:
    """The number in a value or a text such as "12.50"; None where there is none."""
    if isinstance(value, str):
        return Decimal(value.strip()) if _NUMBER_TEXT.fullmatch(value) else None
    is_number = isinstance(value, int | float | Decimal | Money) and not isinstance(value, bool)
    return Decimal(number(value)) if is_number else None


def arithmetic(session: Session, sign: str, left: object, right: object) -> object:
    """`left sign right` for numbers, amounts of money, texts (`+`, `*`) and lists (`+`)."""
    if is_missing(left) or is_missing(right):
        return _with_missing(sign, left, right)
    if isinstance(left, Money) or isinstance(right, Money):
        return _money(sign, left, right)
    if isinstance(left, str | list | tuple):
        return _sequence(session, sign, left, right)
    return _calculated(sign, number(left), number(right))


def negated(value: object) -> object:
    """`-value`."""
    if is_missing(value):
        return None
    opposite = _calculated("-", 0, number(value))
    return Money(Decimal(opposite), value.currency) if isinstance(value, Money) else opposite


def _with_missing(sign: str, left: object, right: object) -> object:
    """Text and a missing value are the text; any other sum with a missing value is missing."""
    present = right if is_missing(left) else left
    return present if sign == "+" and isinstance(present, str) else None


def _sequence(session: Session, sign: str, left: str | list[object] | tuple[object, ...], right: object) -> object:
    if isinstance(left, str) and isinstance(right, str) and sign == "+":
        session.fits(len(left) + len(right))
        return left + right
    if isinstance(left, str) and isinstance(right, int) and sign == "*":
        session.fits(len(left) * right)
        return left * right
    if not isinstance(left, str) and isinstance(right, list | tuple) and sign == "+":
        return held(session, [*left, *right])
    raise Refused(f"`{sign}` does not work on {kind(left)} and {kind(right)}; `~` puts texts together")


def _money(sign: str, left: object, right: object) -> Money:
    currencies = {value.currency for value in (left, right) if isinstance(value, Money)}
    both = isinstance(left, Money) and isinstance(right, Money)
    if len(currencies) > 1:
        raise Refused(f"amounts in {' and '.join(sorted(currencies))} do not add up; convert them before")
    if sign not in (("+", "-") if both else ("*", "/")) or (sign == "/" and not isinstance(left, Money)):
        raise Refused(f"`{sign}` does not work on {kind(left)} and {kind(right)}; `.amount` is the bare number")
    return Money(Decimal(_calculated(sign, number(left), number(right))), currencies.pop())


def _calculated(sign: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    try:
        result = _OPERATIONS[sign](Decimal(left), Decimal(right))
    except ArithmeticError as error:
        raise Refused(f"`{sign}` has no result here (a division by zero, or a number too large)") from error
    whole = isinstance(left, int) and isinstance(right, int) and sign != "/"
    return number(int(number(result)) if whole else result)


def compared(session: Session, left: object, *rest: object) -> bool:
    """`left op right op right …`: the operators' names and the further operands in turn."""
    session.check_time()
    for name, right in batched(rest, 2, strict=True):
        if not _holds(str(name), left, right):
            return False
        left = right
    return True


def _holds(name: str, left: object, right: object) -> bool:
    if is_missing(left) or is_missing(right):
        both_empty = _is_empty(left) and _is_empty(right)
        return both_empty if name == "eq" else not both_empty if name == "ne" else name == "notin"
    try:
        return bool(_COMPARISONS[name](*_comparable(left, right)))
    except TypeError as error:
        raise Refused(f"{kind(left)} and {kind(right)} cannot be compared") from error


def _is_empty(value: object) -> bool:
    return is_missing(value) or value in ("", [])


def _comparable(left: object, right: object) -> tuple[object, object]:
    """Amounts of one currency, or of any currency and a bare number, compare as numbers."""
    left, right = exact(left), exact(right)
    if isinstance(left, Money) and isinstance(right, Money):
        return (left.amount, right.amount) if left.currency == right.currency else (left, right)
    return _bare(left), _bare(right)


def _bare(value: object) -> object:
    return value.amount if isinstance(value, Money) else value
