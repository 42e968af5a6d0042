"""One render of a template: its bounds, and how it writes values for the reader."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from stagebell.adapters.formats import Formats
from stagebell.domain.views import Fields, Money

ITERATIONS = 10_000
WORK_LIMIT = 16_777_216  # characters of text made on the way to the message

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Refused(Exception):
    """What a template asked for and does not get; the text is for its author."""


class Session:
    """The allowance of one render (10,000 loop steps, milliseconds, bytes of output) and its reader's formats.

    `clock` gives seconds that only rise."""

    def __init__(
        self, *, html: bool, locale: str, zone: ZoneInfo, limit: int, deadline_ms: int, clock: Callable[[], float]
    ) -> None:
        self.html = html
        self._reader = (locale, zone)
        self._limit = limit
        self._allowed_ms = deadline_ms
        self._clock = clock
        self._deadline = clock() + deadline_ms / 1000
        self._steps = 0
        self._made = 0
        self._formats: Formats | None = None

    @property
    def formats(self) -> Formats:
        """The reader's formats. The time to load them the first time is not the template's."""
        if self._formats is None:
            started = self._clock()
            self._formats = Formats(*self._reader)
            self._deadline += self._clock() - started
        return self._formats

    def check_time(self) -> None:
        if self._clock() > self._deadline:
            raise Refused(f"rendering took longer than {self._allowed_ms} ms; loop over less")

    def step(self) -> None:
        self._steps += 1
        if self._steps > ITERATIONS:
            raise Refused(f"loops are limited to {ITERATIONS:,} steps a message; loop over less")
        self.check_time()

    def fits(self, size: int) -> None:
        """Refuses a text of more than the limit."""
        if size > self._limit:
            raise Refused(f"text is limited to {self._limit:,} bytes a message; write less")

    def made[T](self, value: T) -> T:
        """The value, its text counted: many long texts kept in variables would fill the memory."""
        self._made += len(value) if isinstance(value, str) else 0
        if self._made > WORK_LIMIT:
            raise Refused(f"texts made on the way are limited to {WORK_LIMIT:,} characters; write less")
        return value

    def collected(self, chunks: Iterable[str]) -> str:
        """The output, cut off with Refused beyond the limit (bytes of UTF-8). What no message may hold (NUL and other
        control characters, halves of surrogate pairs) is replaced by U+FFFD."""
        kept, size = [], 0
        for chunk in chunks:
            kept.append(_UNPRINTABLE.sub("\ufffd", chunk))
            size += len(kept[-1].encode())
            self.fits(size)
            self.check_time()
        return "".join(kept)

    def joined(self, values: Iterable[object], separator: str = "") -> str:
        """The values as text, one after another. Where one is HTML already, the others are escaped to match."""
        pieces, size = [], 0
        for value in values:
            self.check_time()
            pieces.append(self.show(value))
            size += len(pieces[-1]) + len(separator)
            self.fits(size)
        if any(isinstance(piece, Markup) for piece in pieces):
            return escape(separator).join(pieces)
        return separator.join(pieces)

    def show(self, value: object) -> str:
        """A value as the reader sees it: in the locale and zone, nothing for a missing one, lists with commas.

        Whole numbers (ids, counts, years) have no grouping; the filter `number` groups them."""
        if is_missing(value):
            return ""
        match value:
            case str():
                return value
            case bool():
                return self.formats.yes_no(value)
            case int():
                return str(value)
            case list() | tuple():
                return self.joined(value, ", ")
            case Fields():
                return value.title
            case _:
                return self._formatted(value)

    def _formatted(self, value: object) -> str:
        match value:
            case float() | Decimal():
                return self.formats.number(Decimal(str(value)))
            case Money():
                return self.formats.currency(value.amount, value.currency)
            case datetime():
                return self.formats.instant(value)
            case date():
                return self.formats.day(value)
            case time():
                return self.formats.time_of_day(value)
            case _:
                raise Refused(f"{kind(value)} cannot be written out; name one of its fields")


def is_missing(value: object) -> bool:
    """Whether there is no value: an empty field, an unknown name, a field of a missing record."""
    return value is None or isinstance(value, Undefined)


def kind(value: object) -> str:
    """What a value is, in words for a message."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "text"),
        (bool, "yes or no"),
        ((int, float, Decimal), "a number"),
        (Money, "an amount of money"),
        (datetime, "a date with time"),
        (date, "a date"),
        ((list, tuple), "a list"),
        (Fields, "a record"),
    )
    return next(
        (words for types, words in kinds if isinstance(value, types)), "nothing" if value is None else "an object"
    )
