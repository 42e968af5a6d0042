"""Expressions: what a field is set to, as something to be worked out from the record that a step sees.

Each works out a value as it might arrive from outside; the field's own rules are applied to it afterwards. What cannot
be worked out raises InvalidValue; `rule` names what was broken then.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol

from stagebell.domain import durations
from stagebell.domain.arithmetic import Operation, reckon
from stagebell.domain.conditions import View
from stagebell.domain.durations import Duration
from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import Field, Value, canonical, instant_text, parse_instant
from stagebell.domain.local_time import to_local
from stagebell.domain.paths import Path

NUMBERS = ("integer", "decimal", "currency")
DATES = ("date", "datetime")
_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_WORDS = MappingProxyType({"true": True, "yes": True, "false": False, "no": False})
_NUMBER, _DATE = Field("number", "decimal"), Field("day", "date")


@dataclass(frozen=True, slots=True)
class Sight:
    """What values are worked out from: the view of the step's record, and how a template about it is rendered."""

    view: View
    render: Callable[[str], str]


class Expression(Protocol):
    """`local`: reckons in local time, so that the view's zone must be that of the record."""

    rule: ClassVar[str]

    @property
    def local(self) -> bool: ...

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        """For a field that holds `old`."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value as written."""

    rule: ClassVar[str] = "literal"
    local: ClassVar[bool] = False
    written: object

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        return exact(self.written)


@dataclass(frozen=True, slots=True)
class Copied:
    """What another field holds, of this record or one it refers to."""

    rule: ClassVar[str] = "field"
    path: Path

    @property
    def local(self) -> bool:
        return self.path.field.type in DATES

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        found = sight.view.value(self.path)
        return None if found is None else _converted(found, self.path.field.type, field.type, sight.view)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template's text, read as a value of the field's type; the space around it does not count."""

    rule: ClassVar[str] = "template"
    local: ClassVar[bool] = True
    template: str

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        text = sight.render(self.template).strip()
        if field.type in NUMBERS and _GROUPED.fullmatch(text):
            text = text.replace(",", "")  # as templates show 1,234.5 to people
        match field.type:
            case "integer" if _WHOLE.fullmatch(text):
                return int(text)
            case "boolean":
                return _WORDS.get(text.lower(), text)
            case "multi_select":
                return [word.strip() for word in text.split(",") if word.strip()]
        return text


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The old value and a number: written, or of another field. An empty value counts as 0 for sums, and as nothing
    that could be multiplied or divided."""

    rule: ClassVar[str] = "arithmetic"
    local: ClassVar[bool] = False
    operation: Operation
    operand: Decimal | Path

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        if old is None and self.operation in ("multiply", "divide"):
            raise InvalidValue(f"{field.name} is empty: there is nothing to {self.operation}")
        return reckon(self.operation, _number(old), self._operand(sight.view), field.currency)

    def _operand(self, view: View) -> Decimal:
        if isinstance(self.operand, Decimal):
            return self.operand
        found = view.value(self.operand)
        if found is None:
            raise InvalidValue(f"{self.operand} is empty: there is no number to {self.operation}")
        return _number(found)


@dataclass(frozen=True, slots=True)
class Shifted:
    """The old date or time, and a duration; on the calendar and in the zone of the view."""

    rule: ClassVar[str] = "duration"
    local: ClassVar[bool] = True
    by: Duration

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        view = sight.view
        if not isinstance(old, str):
            raise InvalidValue(f"{field.name} is empty: there is no {field.type} to count from")
        if field.type == "datetime":
            return instant_text(durations.add(parse_instant(old), self.by, view.zone, view.calendar))
        reached = durations.date_due(_date(old), self.by, None, view.zone, view.calendar)
        return _day(reached, view)


@dataclass(frozen=True, slots=True)
class Joined:
    """The old words with some more, or without some."""

    rule: ClassVar[str] = "words"
    local: ClassVar[bool] = False
    verb: Literal["add", "remove"]
    words: tuple[str, ...]

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        before = old if isinstance(old, list) else []
        if self.verb == "add":
            return [*before, *self.words]
        return [word for word in before if word not in self.words]


@dataclass(frozen=True, slots=True)
class Now:
    """The moment at which the step acts, or its day where the record is."""

    rule: ClassVar[str] = "now"
    local: ClassVar[bool] = True

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        return instant_text(sight.view.at) if field.type == "datetime" else _day(sight.view.at, sight.view)


@dataclass(frozen=True, slots=True)
class Cleared:
    """Nothing."""

    rule: ClassVar[str] = "clear"
    local: ClassVar[bool] = False

    def value(self, field: Field, old: Value, sight: Sight) -> object:
        return None


def exact(written: object) -> object:
    """A number as it is written: a document may hold floats, values never do."""
    return Decimal(repr(written)) if isinstance(written, float) else written


def _number(value: Value) -> Decimal:
    """The number a field holds; nothing is 0. The field may have held something else before it became a number."""
    number = canonical(_NUMBER, value)
    return Decimal(number) if isinstance(number, str) else Decimal(0)


def _date(value: Value) -> date:
    return date.fromisoformat(str(canonical(_DATE, value)))


def _day(moment: datetime, view: View) -> str:
    return to_local(moment, view.zone).date().isoformat()


def _converted(value: Value, source: str, target: str, view: View) -> object:
    """A canonical value of one type as it may be written to another; where they do not go together, the target's own
    rule says so."""
    match source, target:
        case ("decimal" | "currency", "integer" | "decimal" | "currency"):
            return _number(value)
        case ("integer", "text" | "reference" | "select"):
            return str(value)
        case ("datetime", "date"):
            return _day(parse_instant(value), view)
        case ("date", "datetime"):
            return instant_text(durations.date_due(_date(value), None, None, view.zone))
        case ("text" | "select" | "reference" | "email", "multi_select"):
            return [value]
    return value
