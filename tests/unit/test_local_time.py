"""Local time: zones, and the times clocks skip or show twice."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebell.domain.errors import InvalidValue
from stagebell.domain.local_time import (
    at_local_time,
    boundary,
    parse_minute_of_day,
    parse_time_of_day,
    parse_weekday,
    resolve_zone,
    to_local,
    to_utc,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SHANGHAI = ZoneInfo("Asia/Shanghai")
APIA = ZoneInfo("Pacific/Apia")
CAIRO = ZoneInfo("Africa/Cairo")
ST_JOHNS = ZoneInfo("America/St_Johns")


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Asia/Shanghai", "America/Argentina/Buenos_Aires"])
def test_a_zone_goes_by_its_iana_name(name: str) -> None:
    assert resolve_zone(name).key == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("CEST", "an abbreviation is no zone"),
        ("+02:00", "nor is an offset"),
        ("Berlin", "nor a city alone"),
        ("America", "a folder of the database"),
        ("", "empty"),
        ("../etc/passwd", "a path"),
        ("/etc/localtime", "an absolute path"),
        ("localtime", "the host's own zone"),
        ("right/Europe/Berlin", "counts leap seconds"),
        ("Europe/Berlin\0", "a NUL"),
        ("Europe/B\ud800", "a lone surrogate"),
        ("x" * 5000, "longer than a file name"),
    ],
)
def test_anything_else_is_refused_with_the_rule(name: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match="IANA"):
        resolve_zone(name)


@pytest.mark.parametrize(
    ("local", "zone", "expected", "reason"),
    [
        ("2026-07-01T09:00", BERLIN, "2026-07-01T07:00", "summer"),
        ("2026-01-01T09:00", BERLIN, "2026-01-01T08:00", "winter"),
        ("2026-03-29T02:30", BERLIN, "2026-03-29T01:30", "does not exist: 03:30 summer time"),
        ("2026-03-29T03:00", BERLIN, "2026-03-29T01:00", "the first time after the gap"),
        ("2026-10-25T02:30", BERLIN, "2026-10-25T00:30", "exists twice: the first, still summer time"),
        ("2026-03-08T02:30", NEW_YORK, "2026-03-08T07:30", "does not exist: 03:30 summer time"),
        ("2026-11-01T01:30", NEW_YORK, "2026-11-01T05:30", "exists twice: the first"),
        ("2026-10-04T02:15", LORD_HOWE, "2026-10-03T15:45", "a gap of half an hour: 02:45"),
        ("2026-04-05T01:45", LORD_HOWE, "2026-04-04T14:45", "exists twice: the first"),
        ("2026-03-29T02:30", SHANGHAI, "2026-03-28T18:30", "no clock change since 1991"),
        ("2011-12-30T12:00", APIA, "2011-12-30T22:00", "a day that was left out: the next one"),
        ("2026-04-24T00:30", CAIRO, "2026-04-23T22:30", "the gap begins at midnight"),
        ("2028-02-29T12:00", BERLIN, "2028-02-29T11:00", "a leap day"),
    ],
)
def test_a_local_time_is_one_instant(local: str, zone: ZoneInfo, expected: str, reason: str) -> None:
    instant = to_utc(datetime.fromisoformat(local), zone)

    assert instant.replace(tzinfo=None).isoformat(timespec="minutes") == expected, reason
    assert instant.tzinfo is UTC


def test_a_day_and_a_time_make_an_instant() -> None:
    assert at_local_time(date(2026, 7, 1), time(9, 30), BERLIN) == datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize("local", [datetime.min, datetime.max])
def test_the_ends_of_time_are_refused_not_a_crash(local: datetime) -> None:
    zone = BERLIN if local == datetime.min else NEW_YORK

    with pytest.raises(InvalidValue, match="1 to 9999"):
        to_utc(local, zone)


@pytest.mark.parametrize(
    ("day", "minute", "zone", "expected", "reason"),
    [
        (date(2026, 3, 29), 150, BERLIN, "2026-03-29T01:00", "02:30 in the gap is the clock change itself"),
        (date(2026, 10, 4), 135, LORD_HOWE, "2026-10-03T15:30", "also where the gap is half an hour"),
        (date(2026, 10, 25), 150, BERLIN, "2026-10-25T00:30", "02:30 twice: the first"),
        (date(2026, 7, 1), 1440, BERLIN, "2026-07-01T22:00", "24:00 is the next midnight"),
        (date(2026, 7, 1), 1500, BERLIN, "2026-07-01T23:00", "a window may go on into the next day"),
        (date(2026, 4, 23), 1440, CAIRO, "2026-04-23T22:00", "a midnight that does not exist"),
        (date(2011, 12, 30), 720, APIA, "2011-12-30T10:00", "the whole day is a gap"),
    ],
)
def test_the_edge_of_a_span_follows_the_wall_clock(
    day: date, minute: int, zone: ZoneInfo, expected: str, reason: str
) -> None:
    reached = boundary(day, minute, zone)

    assert reached.replace(tzinfo=None).isoformat(timespec="minutes") == expected, reason


@given(
    st.dates(date(1985, 1, 1), date(2040, 1, 1)),
    st.lists(st.integers(0, 2880), min_size=2),
    st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, APIA, CAIRO, ST_JOHNS]),
)
def test_edges_stay_in_order_whatever_the_clocks_do(day: date, minutes: list[int], zone: ZoneInfo) -> None:
    edges = [boundary(day, minute, zone) for minute in sorted(minutes)]

    assert all(first <= second for first, second in pairwise(edges))


@given(
    st.datetimes(datetime(1985, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, SHANGHAI]),
)
def test_there_and_back_is_the_same_local_time_or_later_by_the_gap(local: datetime, zone: ZoneInfo) -> None:
    moved = to_local(to_utc(local, zone), zone) - local

    assert moved in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


def test_a_time_of_day_is_hours_and_minutes() -> None:
    assert parse_time_of_day("09:05") == time(9, 5)
    assert parse_minute_of_day("24:00") == 1440


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("9:00", "HH:MM", "two digits, so that times sort and compare as text"),
        ("09:60", "HH:MM", "no such minute"),
        ("25:00", "HH:MM", "no such hour"),
        ("24:01", "HH:MM", "after the end of the day"),
        ("24:00", "next day", "an end, but no time of day"),
        ("09:00:00", "HH:MM", "no seconds"),
        ("noon", "HH:MM", "no words"),
        ("\u0660\u0669:\u0660\u0660", "HH:MM", "digits are ASCII"),
        (1200, "in quotes", "what YAML makes of an unquoted 20:00"),
        (None, "in quotes", "nothing"),
    ],
)
def test_a_wrong_time_of_day_is_refused_in_words_that_help(text: object, words: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse_time_of_day(text)

    assert words in refusal.value.message, reason


def test_weekdays_have_three_letters() -> None:
    assert [parse_weekday(name) for name in ("mon", "sun")] == [0, 6]
    with pytest.raises(InvalidValue, match="'monday' is not a day of the week; use mon, tue"):
        parse_weekday("monday")
