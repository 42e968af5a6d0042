"""Typed fields: what a value of each type looks like when it arrives, and its canonical form in the mirror.

A canonical value is JSON-ready and normalised, so that equality of canonical values is equality of values:
text, reference, email, phone, url and select are text; integer is an int; decimal and currency are plain decimal
text without trailing zeros (never float); boolean is a bool; multi_select is a list in option order; date is
`2026-11-20`; datetime is UTC text with a fixed number of digits. Empty text and an empty list are None: empty.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType

from stagebell.domain.errors import InvalidValue

type Value = str | int | bool | list[str] | None

TEXT_LIMIT = 65_536
INTEGER_LIMIT = 2**63
DIGITS = 38  # as DynamoDB numbers and SQL decimals
EXPONENT = 20

_EMAIL = re.compile(
    r"[^@\s\x00-\x1f<>(),;:\\\"\[\]]+@[^@\s\x00-\x1f<>(),;:\\\"\[\]]+\.[^@\s\x00-\x1f<>(),;:\\\"\[\].]+"
)
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{1,30}[0-9)](?:\s?(?:ext\.?|x)\s?\d{1,6})?")
_URL = re.compile(r"https?://[^\s/?#\x00-\x1f]+\S*", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object. `options` are the words of a select; empty means any word."""

    name: str
    type: str
    required: bool = False
    options: tuple[str, ...] = ()
    object: str = ""  # of a reference
    currency: str = ""
    label: str = ""


def canonical(field: Field, value: object) -> Value:
    """The canonical form of a value as it arrived (parsed JSON, numbers with a point as Decimal).

    Raises InvalidValue whose message says what was expected and what came."""
    if not value and (value is None or value == "" or value == []):
        return None
    return _PARSERS[field.type](field, value)


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f"expected {_article(field.type)}, got {describe(value)}")
    if len(value) > TEXT_LIMIT:
        raise InvalidValue(f"text is limited to {TEXT_LIMIT:,} characters, got {len(value):,}")
    if _FORBIDDEN.search(value):
        raise InvalidValue("text may not hold NUL or half of a surrogate pair")
    return value


def _integer(field: Field, value: object) -> int:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value) if value.adjusted() < 20 else INTEGER_LIMIT  # never spell out 1E+999999
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(f"expected an integer, got {describe(value)}")
    if abs(value) >= INTEGER_LIMIT:
        raise InvalidValue("an integer is limited to 63 bits")
    return value


def _decimal(field: Field, value: object) -> str:
    if isinstance(value, str) and len(value) <= 100 and _DECIMAL.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidValue(f"expected a number or decimal text, got {describe(value)}")
    if isinstance(value, int) and abs(value) >= 10**DIGITS:
        raise InvalidValue(_TOO_LONG)
    return decimal_text(Decimal(value))


_TOO_LONG = f"a number is limited to {DIGITS} digits, and to sizes from 1E-{EXPONENT} up to 1E+{DIGITS}"


def decimal_text(number: Decimal) -> str:
    """Plain notation without trailing zeros: 12.50 → "12.5", 1E+3 → "1000", -0 → "0"."""
    if not number.is_finite():
        raise InvalidValue("expected a finite number")
    if not number:
        return "0"
    if number.adjusted() >= DIGITS or number.adjusted() < -EXPONENT or len(number.as_tuple().digits) > DIGITS:
        raise InvalidValue(_TOO_LONG)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _boolean(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(f"expected true or false, got {describe(value)}")
    return value


def _select(field: Field, value: object) -> str:
    word = _text(field, value)
    if field.options and word not in field.options:
        raise InvalidValue(f"{describe(value)} is not an option; the options are {', '.join(field.options[:20])}")
    return word


def _multi_select(field: Field, value: object) -> list[str]:
    if not isinstance(value, list):
        raise InvalidValue(f"expected a list of options, got {describe(value)}")
    if len(value) > 1_000:
        raise InvalidValue("a multi_select is limited to 1,000 options")
    words = {_select(field, word) for word in value}
    return [o for o in field.options if o in words] if field.options else sorted(words)


def _date(field: Field, value: object) -> str:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise InvalidValue(f"expected a date such as 2026-11-20, got {describe(value)}")


def _datetime(field: Field, value: object) -> str:
    return instant_text(parse_instant(value))


def parse_instant(value: object) -> datetime:
    """An ISO 8601 date and time with a zone, as UTC. Raises InvalidValue for a naive or impossible one."""
    if not isinstance(value, str) or len(value) > 40 or "T" not in value.upper().replace(" ", "T", 1):
        raise InvalidValue(f"expected a time such as 2026-11-20T08:15:00Z, got {describe(value)}")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidValue(f"expected a time such as 2026-11-20T08:15:00Z, got {describe(value)}") from error
    raise InvalidValue(f"a time needs its zone: write {value}Z for UTC, or an offset such as +01:00")


def instant_text(moment: datetime) -> str:
    """Canonical text of an instant: UTC, always six digits of a second, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def short_instant(moment: datetime) -> str:
    """An instant as people write it: no digits of a second that are zero, milliseconds where they suffice."""
    moment = moment.astimezone(UTC)
    digits = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def _reference(field: Field, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    word = _text(field, value)
    if len(word) > 256:
        raise InvalidValue("an id is limited to 256 characters")
    return word


def _matching(pattern: re.Pattern[str], example: str, limit: int) -> Callable[[Field, object], str]:
    def parse(field: Field, value: object) -> str:
        word = _text(field, value).strip()
        if len(word) > limit or not pattern.fullmatch(word):
            raise InvalidValue(f"expected {_article(field.type)} such as {example}, got {describe(value)}")
        return word

    return parse


_PARSERS: Mapping[str, Callable[[Field, object], Value]] = MappingProxyType(
    {
        "text": _text,
        "integer": _integer,
        "decimal": _decimal,
        "currency": _decimal,
        "boolean": _boolean,
        "select": _select,
        "multi_select": _multi_select,
        "date": _date,
        "datetime": _datetime,
        "reference": _reference,
        "email": _matching(_EMAIL, "ada@example.com", 320),
        "phone": _matching(_PHONE, "+49 30 901820", 40),
        "url": _matching(_URL, "https://example.com/", 2_048),
    }
)
FIELD_TYPES = tuple(_PARSERS)


def _article(kind: str) -> str:
    shown = {"email": "e-mail address", "phone": "phone number", "reference": "id", "select": "option"}.get(kind, kind)
    return f"{'an' if shown[0] in 'aeiou' else 'a'} {shown}" if shown != "text" else "text"


def describe(value: object) -> str:
    """A value for a message: its JSON kind, and the value itself where it is short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return f"the number {value}" if len(str(value)) <= 40 else "a very long number"
        case str():
            return f'the text "{_printable(value)}"'
        case list():
            return "a list"
        case _:
            return "an object"


def _printable(text: str) -> str:
    shown = text[:60] + ("…" if len(text) > 60 else "")
    return shown.encode("unicode_escape", "replace").decode() if not shown.isprintable() else shown
