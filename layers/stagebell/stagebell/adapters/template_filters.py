"""The filters and tests of the template language: `{{ deal.amount | currency("EUR") }}`, `{% if n is even %}`.

Every filter takes the render's session, the value before the bar, and its arguments. Text filters work on what the
reader would see; those for dates, numbers and money are in `template_formatting`.
"""

import html
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import cmp_to_key
from typing import Any
from urllib.parse import quote

from markupsafe import escape

from stagebell.adapters.template_formatting import FORMATTING
from stagebell.adapters.template_session import Refused, Session, is_missing, kind
from stagebell.adapters.template_values import arithmetic, compared, field_of, number, numeric, parsed_number
from stagebell.domain.views import Money

type Filter = Callable[..., object]

FILTERS: dict[str, Filter] = dict(FORMATTING)

_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"\S+")
_ROUNDINGS = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
_MOST_PLACES = 20
_EXACT = Context(prec=100)


def template_filter(*names: str) -> Callable[[Filter], Filter]:
    def register(function: Filter) -> Filter:
        FILTERS.update(dict.fromkeys(names, function))
        return function

    return register


@template_filter("default", "d")
def default(session: Session, value: object, other: object = "", or_false: object = False) -> object:
    return other if is_missing(value) or value == "" or (or_false and not value) else value


@template_filter("upper")
def upper(session: Session, value: object) -> str:
    return session.show(value).upper()


@template_filter("lower")
def lower(session: Session, value: object) -> str:
    return session.show(value).lower()


@template_filter("capitalize")
def capitalize(session: Session, value: object) -> str:
    return session.show(value).capitalize()


@template_filter("title")
def title(session: Session, value: object) -> str:
    text = session.show(value)
    return type(text)(_WORD.sub(lambda word: word[0].capitalize(), text))


@template_filter("trim")
def trim(session: Session, value: object) -> str:
    return session.show(value).strip()


@template_filter("truncate")
def truncate(
    session: Session, value: object, length: object = 255, inside_words: object = False, end: str = "…"
) -> str:
    """At most `length` characters, `end` included."""
    text, room = session.show(value), _whole(length)
    if len(text) <= room:
        return text
    start = text[: max(room - len(end), 0)]
    return (start if inside_words else start.rsplit(" ", 1)[0]) + end


@template_filter("replace")
def replace(session: Session, value: object, old: object, new: object) -> str:
    text, before, after = session.show(value), session.show(old), session.show(new)
    session.fits(len(text) + text.count(before) * max(len(after) - len(before), 0))
    return text.replace(before, after)


@template_filter("striptags")
def striptags(session: Session, value: object) -> str:
    return html.unescape(" ".join(_TAG.sub("", str(session.show(value))).split()))


@template_filter("wordcount")
def wordcount(session: Session, value: object) -> int:
    return len(session.show(value).split())


@template_filter("escape", "e")
def escaped(session: Session, value: object) -> str:
    """HTML with `&<>"'` escaped; in an HTML message this happens by itself, and once only."""
    text = escape(session.show(value))
    return text if session.html else str(text)


@template_filter("urlencode")
def urlencode(session: Session, value: object) -> str:
    """For a part of an address; numbers and dates in their plain form, not in the reader's."""
    plain = str(value) if isinstance(value, int | Decimal) else session.show(value)
    return quote(value.isoformat() if isinstance(value, date) else plain, safe="", errors="replace")


@template_filter("round")
def rounded(session: Session, value: object, places: object = 0, method: str = "common") -> object:
    """Half up; `ceil` and `floor` as the method round towards one side."""
    if is_missing(value):
        return None
    if method not in _ROUNDINGS or abs(_whole(places)) > _MOST_PLACES:
        raise Refused(f"`round` takes up to {_MOST_PLACES} places and common, ceil or floor")
    unit = Decimal(1).scaleb(-_whole(places))
    return _like(value, numeric(value).quantize(unit, _ROUNDINGS[method], _EXACT))


@template_filter("abs")
def absolute(session: Session, value: object) -> object:
    return None if is_missing(value) else _like(value, numeric(value).copy_abs())


@template_filter("int")
def whole(session: Session, value: object, other: object = 0) -> object:
    """The digits before the point; `other` where it is no number."""
    found = parsed_number(value)
    return other if found is None else int(found.to_integral_value(ROUND_DOWN))


@template_filter("decimal")
def decimal(session: Session, value: object, other: object = 0) -> object:
    """The exact number a text holds; `other` where it holds none."""
    found = parsed_number(value)
    return other if found is None else found


@template_filter("length", "count")
def length(session: Session, value: object) -> int:
    if is_missing(value):
        return 0
    return len(value) if isinstance(value, str | list | tuple | Mapping) else len(session.show(value))


@template_filter("join")
def join(session: Session, value: object, separator: object = "", attribute: str = "") -> str:
    return session.joined(_items(value, attribute), session.show(separator))


@template_filter("first")
def first(session: Session, value: object) -> object:
    return next(iter(value if isinstance(value, str) else _items(value)), None)


@template_filter("last")
def last(session: Session, value: object) -> object:
    return next(reversed(value if isinstance(value, str) else _items(value)), None)


@template_filter("list")
def listed(session: Session, value: object) -> list[object]:
    return list(value) if isinstance(value, str) else _items(value)


@template_filter("sort")
def sort(session: Session, value: object, reverse: object = False, attribute: str = "") -> list[object]:
    """Missing values come last."""

    def order(left: object, right: object) -> int:
        return -1 if compared(session, left, "lt", right) else int(compared(session, left, "gt", right))

    def key(item: object) -> Any:
        return cmp_to_key(order)(_part(item, attribute))

    items = _items(value)
    missing = [item for item in items if is_missing(_part(item, attribute))]
    present = [item for item in items if not is_missing(_part(item, attribute))]
    return sorted(present, key=key, reverse=bool(reverse)) + missing


@template_filter("unique")
def unique(session: Session, value: object, attribute: str = "") -> list[object]:
    """The items without those that read like an earlier one."""
    seen: dict[str, object] = {}
    for item in _items(value):
        session.check_time()
        seen.setdefault(session.show(_part(item, attribute)), item)
    return list(seen.values())


@template_filter("sum")
def total(session: Session, value: object, attribute: str = "") -> object:
    result: object = None
    for item in _present(value, attribute):
        result = item if result is None else arithmetic(session, "+", result, item)
    return 0 if result is None else result


@template_filter("min")
def smallest(session: Session, value: object, attribute: str = "") -> object:
    return first(session, sort(session, _present(value, attribute)))


@template_filter("max")
def largest(session: Session, value: object, attribute: str = "") -> object:
    return last(session, sort(session, _present(value, attribute)))


def _like(value: object, result: Decimal) -> object:
    """The result as an amount where the value was one, as a whole number where it was one."""
    if isinstance(value, Money):
        return Money(result, value.currency)
    return int(result) if isinstance(value, int) else result


def _whole(value: object) -> int:
    if isinstance(value, int):
        return value
    raise Refused(f"a whole number is needed here, not {kind(value)}")


def _items(value: object, attribute: str = "") -> list[object]:
    if is_missing(value):
        return []
    if not isinstance(value, list | tuple | Mapping):
        raise Refused(f"a list is needed here, not {kind(value)}")
    return [_part(item, attribute) for item in value]


def _present(value: object, attribute: str) -> list[object]:
    return [item for item in _items(value, attribute) if not is_missing(item)]


def _part(item: object, attribute: str) -> object:
    return field_of(item, attribute) if attribute else item


def _is_divisible(value: object, by: object) -> bool:
    divisor = number(by)
    if not divisor:
        raise Refused("nothing is divisible by zero")
    return not is_missing(value) and number(value) % divisor == 0


TESTS: Mapping[str, Callable[..., bool]] = {
    "defined": lambda value: not is_missing(value),
    "undefined": is_missing,
    "none": is_missing,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float | Decimal) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "even": lambda value: _is_divisible(value, 2),
    "odd": lambda value: not is_missing(value) and not _is_divisible(value, 2),
    "divisibleby": _is_divisible,
}
