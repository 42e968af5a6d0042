"""Echoes: a source that was told of a change made here posts it back. That is no news, and must start nothing.

What was told is remembered with the record until the source repeats it, or for a while. A source may repeat it field
by field, among other things it has to say, or with the whole record; once or twice; and in the form in which it keeps
such values. It repeats in the order it was told: an older echo may arrive while a newer write-back is still on its way,
and must not undo it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from stagebell.domain.changes import Change
from stagebell.domain.fields import Value
from stagebell.domain.likeness import alike

WINDOW = timedelta(minutes=15)
"""After it, the same values from the source are an edit like any other: it may be one that never repeats anything."""

OVERLAP = timedelta(minutes=2)
"""For so long after a newer write-back, a source may still be repeating an older one. A value that it says later is an
edit: write-backs that go out late no longer say what has been replaced (`write_backs.LATE`)."""

PROMPT = timedelta(seconds=10)
"""News that come with an echo within it are taken for the work of an automation that was told, and carry its causes.
What comes later may be of a person who fills in one field after the other: a loop is stopped by the runs in an hour."""

KEPT = 20
SIZE = 32 * 1024
"""Bytes of what is remembered, so that a record's mirror stays small enough to be stored. The echo of what is larger is
a change without a difference."""


@dataclass(frozen=True, slots=True)
class Echo:
    """What a source is told, and so may repeat; a lock has no fields. `causes` are the runs behind it, the one that
    made it last; `said` is what the source has repeated already."""

    source: str
    change: str
    at: datetime
    fields: Mapping[str, Value]
    causes: tuple[str, ...] = ()
    said: Mapping[str, Value] = MappingProxyType({})

    @property
    def marks(self) -> bool:
        """Whether it is of a lock or its end."""
        return not self.fields and not self.said


@dataclass(frozen=True, slots=True)
class Heard:
    """A change that repeats what we said, as it counts: without the values that a newer write-back has replaced (they
    are `stale`), caused by the runs that led to it. `repeated` are the fields that it repeats, `left` the echoes still
    to come."""

    change: Change
    stale: tuple[str, ...]
    repeated: frozenset[str]
    left: tuple[Echo, ...]


def expect(echoes: Sequence[Echo], expected: Sequence[Echo], now: datetime) -> tuple[Echo, ...]:
    """The echoes to listen for after some more were told; those past their time, and the oldest of too many, are
    dropped."""
    return _newest([echo for echo in (*echoes, *expected) if now - echo.at <= WINDOW])


def with_late(echoes: Sequence[Echo], late: Sequence[Echo]) -> tuple[Echo, ...]:
    """The echoes to listen for, with what was told late: the time of that counts from then."""
    found: dict[tuple[str, str], Echo] = {}
    for echo in sorted((*late, *echoes), key=lambda echo: echo.at):
        found.pop((echo.source, echo.change), None)
        found[echo.source, echo.change] = echo
    return _newest(list(found.values()))


def _newest(echoes: Sequence[Echo]) -> tuple[Echo, ...]:
    kept: list[Echo] = []
    left = SIZE
    for echo in reversed(echoes[-KEPT:]):
        if _size(echo) <= left:
            left -= _size(echo)
            kept.insert(0, echo)
    return tuple(kept)


def _size(echo: Echo) -> int:
    return sum(len(f"{name}{value}".encode()) for name, value in (*echo.fields.items(), *echo.said.items()))


def hear(echoes: Sequence[Echo], change: Change) -> Heard | None:
    """What a change of a source counts for, if it repeats something of what the source was told."""
    told = [echo for echo in echoes if _may_repeat(change, echo)]
    repeated = _repeated(told, change)
    known = {**_said_again(told, change), **repeated}
    if not known:
        return None
    newest = max(known.values())
    stale = tuple(n for n in sorted(change.fields) if _replaced(told[known.get(n, newest) + 1 :], n, change))
    fields = {name: value for name, value in change.fields.items() if name not in stale}
    prompt = change.occurred_at - told[newest].at <= PROMPT
    counted = replace(change, fields=fields, causes=change.causes or (told[newest].causes if prompt else ()))
    without = {echo.change: _without(echo, position, repeated) for position, echo in enumerate(told)}
    left = tuple(without.get(echo.change, echo) if echo in told else echo for echo in echoes)
    return Heard(counted, stale, frozenset(known), left)


def nod(echoes: Sequence[Echo], change: Change) -> tuple[Echo, ...] | None:
    """The echoes still to come, if a change that says nothing new may be how its source repeats a lock."""
    for echo in echoes:
        if echo.marks and _may_repeat(change, echo):
            return tuple(other for other in echoes if other is not echo)
    return None


def _may_repeat(change: Change, echo: Echo) -> bool:
    near = echo.at - WINDOW <= change.occurred_at <= echo.at + WINDOW
    return near and change.type == "updated" and change.source == echo.source


def _repeated(told: Sequence[Echo], change: Change) -> Mapping[str, int]:
    """The fields that repeat what was told, and by position how far they show the source to have come.

    In order, so each is the first that fits; but what shows another field to be further shows it to be so, too."""
    first: dict[str, int] = {}
    for position, echo in enumerate(told):
        for name, value in echo.fields.items():
            if name in change.fields and alike(value, change.fields[name]):
                first.setdefault(name, position)
    newest = max(first.values(), default=0)
    return {name: _last(told[: newest + 1], name, change.fields[name]) for name in first}


def _said_again(told: Sequence[Echo], change: Change) -> Mapping[str, int]:
    """The fields that repeat once more what was repeated already, and by position which write-back that was. Some
    sources post a change for each field, and all of them each time."""
    return {
        name: position
        for position, echo in enumerate(told)
        for name, value in echo.said.items()
        if name in change.fields and alike(value, change.fields[name]) and change.occurred_at <= echo.at + OVERLAP
    }


def _last(told: Sequence[Echo], name: str, value: Value) -> int:
    saying = [position for position, echo in enumerate(told) if name in echo.fields and alike(echo.fields[name], value)]
    return saying[-1]


def _replaced(later: Sequence[Echo], name: str, change: Change) -> bool:
    """Whether the source is still to repeat a newer value of a field, so that this one does not count."""
    return any(
        name in echo.fields
        and not alike(echo.fields[name], change.fields[name])
        and change.occurred_at <= echo.at + OVERLAP
        for echo in later
    )


def _without(echo: Echo, position: int, repeated: Mapping[str, int]) -> Echo:
    """What is still to be repeated of an echo, and what has been."""
    fields = {name: value for name, value in echo.fields.items() if repeated.get(name, -1) < position}
    said = {name: value for name, value in echo.fields.items() if name not in fields}
    return replace(echo, fields=fields, said={**echo.said, **said})
