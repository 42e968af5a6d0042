"""Public holidays of countries and their subdivisions, from the `holidays` library.

The library is imported at the first look-up: it takes a fifth of a second, which a function without such a calendar
does not pay. Holidays that governments have yet to announce follow the library's standing rules.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from stagebell.domain.calendars import HolidayYear
from stagebell.domain.errors import InvalidValue

if TYPE_CHECKING:
    from holidays import HolidayBase

_COUNTRY = re.compile(r"[A-Z]{2}")  # the library also answers to the names of its own classes


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str | None, year: int, /) -> HolidayYear:
    """Days off and make-up working days of a calendar year; a `HolidayLookup`.

    `country` is an ISO 3166-1 code, `subdivision` an ISO 3166-2 code without the country, or a name the library knows.
    InvalidValue names an unknown country or subdivision."""
    # A swap of days around New Year is entered under either year.
    found = _load(country, subdivision, range(max(year - 1, 1), min(year + 1, 9999) + 1))
    return HolidayYear(
        holidays=frozenset(day for day in found if day.year == year),
        working_days=frozenset(day for day in found.weekend_workdays if day.year == year),
    )


def supported(country: str, subdivision: str | None = None) -> bool:
    """Whether holidays of this country, and of this subdivision where one is given, are known."""
    try:
        _load(country, subdivision, ())
    except InvalidValue:
        return False
    return True


def _load(country: str, subdivision: str | None, years: range | tuple[()]) -> "HolidayBase":
    import holidays

    if not _COUNTRY.fullmatch(country):
        raise _unknown_country(country)
    try:
        return holidays.country_holidays(country, subdiv=subdivision, years=years)
    except NotImplementedError as error:
        if subdivision is None or not supported(country):
            raise _unknown_country(country) from error
        raise InvalidValue(
            f"no public holidays are known for the subdivision '{subdivision}' of {country}; "
            "use its ISO 3166-2 code without the country, such as BY for Bavaria"
        ) from error


def _unknown_country(country: str) -> InvalidValue:
    return InvalidValue(f"no public holidays are known for the country '{country}'; use an ISO 3166-1 code such as DE")
