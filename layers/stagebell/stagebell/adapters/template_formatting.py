"""The filters that write dates, numbers and money: `{{ due_on | date("full") }}`, `{{ amount | currency("EUR") }}`.

A format is short, medium, long, full or a CLDR pattern; without a value there is nothing to write.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime

from stagebell.adapters.template_session import Refused, Session, is_missing, kind
from stagebell.adapters.template_values import numeric
from stagebell.domain.views import Money

_CURRENCY = re.compile(r"[A-Z]{3}")


def formatted_number(session: Session, value: object, format: str = "medium") -> str:
    return "" if is_missing(value) else _formatted(session.formats.number, numeric(value), format)


def formatted_currency(session: Session, value: object, code: str = "", format: str = "medium") -> str:
    """An amount in its currency, or a number in the one named (ISO 4217)."""
    if is_missing(value):
        return ""
    known = value.currency if isinstance(value, Money) else code
    if code and not _CURRENCY.fullmatch(code):
        raise Refused(f'"{code[:40]}" is no currency; write its three capital letters, such as "EUR"')
    if not known or (code and code != known):
        raise Refused(f'name the currency as in `currency("{known or "EUR"}")`; amounts are not converted')
    return _formatted(session.formats.currency, numeric(value), known, format)


def formatted_date(session: Session, value: object, format: str = "medium") -> str:
    return "" if is_missing(value) else _formatted(session.formats.day, _moment(value), format)


def formatted_time(session: Session, value: object, format: str = "medium") -> str:
    return "" if is_missing(value) else _formatted(session.formats.time_of_day, _instant(value), format)


def formatted_datetime(session: Session, value: object, format: str = "medium") -> str:
    return "" if is_missing(value) else _formatted(session.formats.instant, _instant(value), format)


def _formatted(write: Callable[..., str], *arguments: object) -> str:
    try:
        return write(*arguments)
    except (ValueError, OverflowError) as error:
        raise Refused(str(error)) from error


def _moment(value: object) -> date:
    """A date, with time or without; text in ISO 8601 is read as one."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        with suppress(ValueError):
            return datetime.fromisoformat(value) if len(value) > len("2026-11-20") else date.fromisoformat(value)
    raise Refused(f"a date is needed here, not {kind(value)}")


def _instant(value: object) -> datetime:
    moment = _moment(value)
    if isinstance(moment, datetime):
        return moment
    raise Refused("this date has no time of day; write `| date`")


FORMATTING: Mapping[str, Callable[..., object]] = {
    "number": formatted_number,
    "currency": formatted_currency,
    "date": formatted_date,
    "time": formatted_time,
    "datetime": formatted_datetime,
}
