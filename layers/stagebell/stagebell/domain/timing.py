"""Timing: the moment that a written time comes to: so long after another, or a date that a record holds."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from stagebell.domain import durations
from stagebell.domain.conditions import View
from stagebell.domain.durations import parse_duration
from stagebell.domain.errors import InvalidValue
from stagebell.domain.fields import parse_instant
from stagebell.domain.local_time import parse_time_of_day
from stagebell.domain.objects import Schema
from stagebell.domain.paths import resolve
from stagebell.domain.scenarios import At

type Written = str | Mapping[str, Any]


def planned(at: At, origin: datetime | None, view: View) -> datetime | None:
    """None where nothing says when: the origin has not come yet, the date is empty. Raises InvalidValue for a time that
    cannot be."""
    if at.date is not None:
        value = view.value(at.date)
        if not isinstance(value, str):
            return None
        moment = parse_instant(value) if at.date.field.type == "datetime" else date.fromisoformat(value)
        reached = durations.date_due(moment, at.offset, at.time, view.zone, view.calendar)
        return reached if at.after is None else durations.add(reached, at.after, view.zone, view.calendar)
    if origin is None or at.after is None:
        return None
    return durations.add(origin, at.after, view.zone, view.calendar)


def read_time(written: Written, object_name: str, schema: Schema) -> At:
    """`3 business days`, or `{date: FIELD, offset: …, time: …}` with a path to a date. Raises InvalidValue."""
    if isinstance(written, str):
        return At(after=parse_duration(written))
    path = resolve(written["date"], object_name, schema)
    if isinstance(path, str):
        raise InvalidValue(path)
    if path.field.type not in ("date", "datetime"):
        raise InvalidValue(f"{path} is a {path.field.type} field, not a date or datetime")
    offset, time = written.get("offset"), written.get("time")
    return At(
        date=path, offset=parse_duration(offset) if offset else None, time=parse_time_of_day(time) if time else None
    )
