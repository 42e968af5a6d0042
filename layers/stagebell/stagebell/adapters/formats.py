"""Numbers, money, dates and times as a reader's locale writes them, by Babel (Unicode CLDR).

Babel is imported when a `Formats` is made, not with this module: most functions never write a message.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from babel import Locale

type Length = Literal["full", "long", "medium", "short"]

LENGTHS = ("short", "medium", "long", "full")
SHOWN_PLACES = 10
_LARGEST_EXPONENT = 40
_LONGEST_PATTERN = 64
_EXACT = Context(prec=100)

# Unicode TR35 part 4, "Date Field Symbol Table", less the symbols Babel does not know
_DATE_PATTERN = re.compile(r"(?:[GyYuQqMLwWdDFgEecabBhHKkmsSAzZOvVXx]|'[^']*'|[^A-Za-z'])+")
_NUMBER_PATTERN = re.compile(r"[^'A-Za-z]*[#0@][^A-Za-z]*(?:E\+?0+)?[^A-Za-z]*")

_YES_NO = {
    "ar": ("نعم", "لا"),
    "cs": ("ano", "ne"),
    "da": ("ja", "nej"),
    "de": ("ja", "nein"),
    "en": ("yes", "no"),
    "es": ("sí", "no"),
    "fi": ("kyllä", "ei"),
    "fr": ("oui", "non"),
    "it": ("sì", "no"),
    "ja": ("はい", "いいえ"),
    "ko": ("예", "아니요"),
    "nl": ("ja", "nee"),
    "pl": ("tak", "nie"),
    "pt": ("sim", "não"),
    "ru": ("да", "нет"),
    "sv": ("ja", "nej"),
    "tr": ("evet", "hay\u0131r"),
    "uk": ("так", "ні"),
    "zh": ("是", "否"),
}


class Formats:
    """The formats of one locale and zone.

    A `style` is short, medium, long, full, or a CLDR pattern such as `d. MMMM y` and `#,##0.00`.
    A method raises ValueError, with a text for the template's author, where the style is neither."""

    def __init__(self, locale: str, zone: ZoneInfo) -> None:
        self._locale = locale_of(locale)
        self._zone = zone

    def number(self, value: int | Decimal, style: str = "medium") -> str:
        """All digits of the number, at most ten after the point; short and long are compact: 1.2M, 1.2 million."""
        with localcontext(_EXACT):
            return self._number(value, style) if _is_shown_in_digits(value) else str(value)

    def currency(self, amount: int | Decimal, code: str, style: str = "medium") -> str:
        """The amount rounded to the minor unit; short is compact, long and full write the currency's name."""
        with localcontext(_EXACT):
            return self._currency(amount, code, style) if _is_shown_in_digits(amount) else f"{amount} {code}"

    def _number(self, value: int | Decimal, style: str) -> str:
        from babel.numbers import format_compact_decimal, format_decimal

        if style in ("short", "long"):
            return format_compact_decimal(value, format_type=_compact(style), locale=self._locale, fraction_digits=1)
        if style in LENGTHS:
            return format_decimal(_rounded(value), locale=self._locale, decimal_quantization=False)
        return _by_pattern(_NUMBER_PATTERN, style, lambda: format_decimal(value, style, locale=self._locale))

    def _currency(self, amount: int | Decimal, code: str, style: str) -> str:
        from babel.numbers import format_compact_currency, format_currency

        if style == "short":
            return format_compact_currency(amount, code, locale=self._locale, fraction_digits=1)
        if style in LENGTHS:
            kind: Literal["name", "standard"] = "standard" if style == "medium" else "name"
            return format_currency(amount, code, locale=self._locale, format_type=kind)
        return _by_pattern(_NUMBER_PATTERN, style, lambda: format_currency(amount, code, style, locale=self._locale))

    def day(self, value: date, style: str = "medium") -> str:
        """A day; of an instant, the day in the zone."""
        from babel.dates import format_date, format_datetime

        day = self._local(value) if isinstance(value, datetime) else value
        if style in LENGTHS:
            return format_date(day, _length(style), locale=self._locale)
        noon = datetime.combine(day, time(12), tzinfo=self._zone)
        return _by_pattern(_DATE_PATTERN, style, lambda: format_datetime(noon, style, locale=self._locale))

    def time_of_day(self, value: datetime | time, style: str = "medium") -> str:
        """A time of day; of an instant, the one in the zone."""
        from babel.dates import format_time

        moment = self._local(value) if isinstance(value, datetime) else value
        if style in LENGTHS:
            return format_time(moment, _length(style), tzinfo=self._zone, locale=self._locale)
        return _by_pattern(
            _DATE_PATTERN, style, lambda: format_time(moment, style, tzinfo=self._zone, locale=self._locale)
        )

    def instant(self, value: datetime, style: str = "medium") -> str:
        """An instant in the zone."""
        from babel.dates import format_datetime

        moment = self._local(value)
        if style in LENGTHS:
            return format_datetime(moment, _length(style), locale=self._locale)
        return _by_pattern(_DATE_PATTERN, style, lambda: format_datetime(moment, style, locale=self._locale))

    def yes_no(self, value: bool) -> str:
        yes, no = _YES_NO.get(self._locale.language, _YES_NO["en"])
        return yes if value else no

    def _local(self, moment: datetime) -> datetime:
        """A time without a zone is taken as one of ours."""
        return moment.astimezone(self._zone) if moment.tzinfo else moment.replace(tzinfo=self._zone)


@lru_cache(maxsize=64)
def locale_of(name: str) -> "Locale":
    """The locale of `de_DE`, `de-DE` or `zh-Hans-CN`; the language alone where the region is unknown; else English."""
    from babel import Locale, UnknownLocaleError

    words = name.replace("-", "_").split("_")[:4]
    for length in range(len(words), 0, -1):
        try:
            return Locale.parse("_".join(words[:length]))
        except (UnknownLocaleError, ValueError, LookupError):
            continue
    return Locale.parse("en")


def _by_pattern(allowed: re.Pattern[str], pattern: str, write: Callable[[], str]) -> str:
    if len(pattern) <= _LONGEST_PATTERN and allowed.fullmatch(pattern):
        try:
            return write()
        except (ValueError, LookupError, AttributeError, ArithmeticError):
            pass
    example = "#,##0.00" if allowed is _NUMBER_PATTERN else "d MMMM y"
    raise ValueError(f'"{pattern[:40]}" is no format; write short, medium, long, full or a pattern such as "{example}"')


def _is_shown_in_digits(value: int | Decimal) -> bool:
    """Whether a number is finite and of a size to be written out: 1E+999999 would be a megabyte of zeros."""
    number = Decimal(value)
    return number.is_finite() and abs(number.adjusted()) <= _LARGEST_EXPONENT


def _rounded(value: int | Decimal) -> Decimal:
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    has_more = isinstance(exponent, int) and exponent < -SHOWN_PLACES
    return number.quantize(Decimal(1).scaleb(-SHOWN_PLACES), ROUND_HALF_UP) if has_more else number


def _compact(style: str) -> Literal["short", "long"]:
    return "long" if style == "long" else "short"


def _length(style: str) -> Length:
    return cast(Length, style)
