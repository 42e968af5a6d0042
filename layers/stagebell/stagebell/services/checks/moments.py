"""Checking moments: durations that can be read, and dates that are dates."""

from collections.abc import Callable, Iterator

from stagebell.domain.durations import parse_duration
from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.local_time import parse_time_of_day
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.world import Document


def moment_problems(step: Document, key: str, scope: Scope) -> Iterator[Problem]:
    """Of a duration from now, or of `{date, offset, time}`."""
    written, at = step[key], f"{scope.at}{key}"
    if isinstance(written, str):
        yield from duration_problems(written, at)
        return
    path = scope.path(written["date"])
    if isinstance(path, str):
        yield Problem(f"{at}.date", "known_field", path)
    elif path.field.type not in ("date", "datetime"):
        yield Problem(f"{at}.date", "date_field", f"{path} is a {path.field.type} field, not a date or datetime")
    yield from _unreadable(written, "offset", at, "duration", parse_duration)
    yield from _unreadable(written, "time", at, "time_of_day", parse_time_of_day)


def duration_problems(text: str, at: str) -> Iterator[Problem]:
    """Of a duration that leads forward."""
    try:
        if parse_duration(text).is_negative:
            yield Problem(at, "not_negative", "this leads backwards: leave out the minus")
    except InvalidValue as error:
        yield Problem(at, "duration", error.message)


def _unreadable(written: Document, key: str, at: str, rule: str, read: Callable[[str], object]) -> Iterator[Problem]:
    try:
        if written.get(key):
            read(written[key])
    except InvalidValue as error:
        yield Problem(f"{at}.{key}", rule, error.message)
