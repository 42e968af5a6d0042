"""Echoes: a source that was told of a change made here posts it back. That is no news, and must start nothing.

What was told is remembered with the record until the source repeats it, or for a while. A source repeats what it was
told in the order it was told it: an older echo may arrive while a newer write-back is still on its way, and must not
undo it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stagebell.domain.changes import Change
from stagebell.domain.fields import Value

WINDOW = timedelta(minutes=15)
"""After it, the same values from the source are an edit like any other: it may be one that never repeats anything."""

KEPT = 20


@dataclass(frozen=True, slots=True)
class Echo:
    """What a source is told, and so may repeat. `causes` are the runs behind it, the one that made it last."""

    source: str
    change: str
    at: datetime
    fields: Mapping[str, Value]
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """A change that repeats what we said: without the values that a newer write-back has replaced since, caused by the
    runs that led to it; `left` are the echoes still to come."""

    change: Change
    echo: Echo
    left: tuple[Echo, ...]


def expect(echoes: Sequence[Echo], expected: Sequence[Echo], now: datetime) -> tuple[Echo, ...]:
    """The echoes to listen for after some more were told; those past their time are dropped."""
    return tuple(echo for echo in (*echoes, *expected) if now - echo.at <= WINDOW)[-KEPT:]


def hear(echoes: Sequence[Echo], change: Change) -> Heard | None:
    """Whether a change of a source repeats one of the echoes; the oldest that fits, as sources repeat in order."""
    for position, echo in enumerate(echoes):
        if echo.source == change.source and _repeats(change, echo):
            gone = {e.change for e in echoes[: position + 1] if e.source == echo.source}
            left = tuple(e for e in echoes if e.source != echo.source or e.change not in gone)
            return Heard(_without_replaced(change, echo, left), echo, left)
    return None


def _repeats(change: Change, echo: Echo) -> bool:
    if change.type != "updated" or not echo.at - WINDOW <= change.occurred_at <= echo.at + WINDOW:
        return False
    said = [name for name in echo.fields if name in change.fields]
    return bool(said) and all(change.fields[name] == echo.fields[name] for name in said)


def _without_replaced(change: Change, echo: Echo, left: Sequence[Echo]) -> Change:
    """A newer write-back of the same field is still to be repeated: this older value does not count."""
    replaced = {name for later in left if later.source == echo.source for name in later.fields}
    stale = {name for name in echo.fields if name in replaced}
    fields = {name: value for name, value in change.fields.items() if name not in stale}
    return replace(change, fields=fields, causes=change.causes or echo.causes)
