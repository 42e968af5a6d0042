"""What templates see: fields of records under any spelling of their names, and amounts of money."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

_DAY = frozenset({"year", "month", "day"})
PARTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"currency": frozenset({"amount", "currency"}), "date": _DAY, "datetime": _DAY | {"hour", "minute", "second"}}
)
"""By the type of a field: what its values are made of, such as {{ deal.due_on.year }}."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and its ISO 4217 currency code, such as Money(Decimal("12.50"), "EUR")."""

    amount: Decimal
    currency: str

    def __bool__(self) -> bool:
        return bool(self.amount)


class Fields(Mapping[str, object]):
    """A record's fields for templates: `Name`, `name` and `NAME` are one field; `title` is shown for the record itself.

    Keys keep the spelling they came with; of two keys that differ in case only, the later one counts."""

    __slots__ = ("_keys", "_values", "title")

    def __init__(self, values: Mapping[str, object], title: str = "") -> None:
        self._values = {fold(key): value for key, value in values.items()}
        self._keys = {fold(key): key for key in values}
        self.title = title

    def __getitem__(self, name: str) -> object:
        return self._values[fold(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"Fields({', '.join(self)})"


def fold(name: str) -> str:
    """The form in which names are compared: upper and lower case are one."""
    return name.casefold()


def lookup(values: Mapping[str, object], name: str) -> object | None:
    """The value under a name in any case, the exact spelling first; None where there is none."""
    try:
        return values[name]
    except KeyError:
        wanted = fold(name)
        return next((values[key] for key in values if isinstance(key, str) and fold(key) == wanted), None)
