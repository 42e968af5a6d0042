"""Users: whether what a user's record says of language and time can be used."""

import re
from collections.abc import Mapping

from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import Value
from stagebell.domain.local_time import resolve_zone

READING = frozenset({"timezone", "locale"})

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_].*)?", re.DOTALL)


def reads(fields: Mapping[str, Value]) -> bool:
    """Whether the zone and the locale are such, where they are given. Of a locale, only that it begins with the code of
    a language: the rest is left out by whoever does not know it."""
    zone, locale = fields.get("timezone"), fields.get("locale")
    return (not zone or _is_zone(str(zone))) and (not locale or _LANGUAGE.fullmatch(str(locale)) is not None)


def _is_zone(name: str) -> bool:
    try:
        resolve_zone(name)
    except InvalidValue:
        return False
    return True
