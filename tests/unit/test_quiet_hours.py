"""Quiet hours: whether a moment lies in them, and when they end."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebell.domain.errors import InvalidValue
from stagebell.domain.quiet_hours import QuietHours, quiet_hours_from, quiet_until

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SHANGHAI = ZoneInfo("Asia/Shanghai")
ST_JOHNS = ZoneInfo("America/St_Johns")

NIGHT = {"from": "20:00", "to": "08:00"}
LUNCH = {"from": "12:00", "to": "13:00"}
WEEKEND = {"from": "00:00", "to": "24:00", "days": ["sat", "sun"]}
FRIDAY_NIGHT = {"from": "20:00", "to": "08:00", "days": ["fri"]}


def local(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "document", "zone", "expected", "reason"),
    [
        ("2026-07-01T12:00", NIGHT, BERLIN, None, "midday is not quiet"),
        ("2026-07-01T21:00", NIGHT, BERLIN, "2026-07-02T08:00", "before midnight"),
        ("2026-07-02T03:00", NIGHT, BERLIN, "2026-07-02T08:00", "after midnight"),
        ("2026-07-01T20:00", NIGHT, BERLIN, "2026-07-02T08:00", "the start is quiet"),
        ("2026-07-02T08:00", NIGHT, BERLIN, None, "the end is not"),
        ("2026-07-01T12:30", LUNCH, BERLIN, "2026-07-01T13:00", "a window within a day"),
        ("2026-07-03T23:00", FRIDAY_NIGHT, BERLIN, "2026-07-04T08:00", "starts on Friday"),
        ("2026-07-04T03:00", FRIDAY_NIGHT, BERLIN, "2026-07-04T08:00", "Saturday morning belongs to Friday's window"),
        ("2026-07-03T03:00", FRIDAY_NIGHT, BERLIN, None, "Friday morning belongs to Thursday's"),
        ("2026-07-04T10:00", WEEKEND, BERLIN, "2026-07-06T00:00", "two quiet days that touch end together"),
        ("2026-07-03T23:59", WEEKEND, BERLIN, None, "Friday is free to the end"),
        ("2026-07-01T21:00", {"from": "20:00", "to": "00:00"}, BERLIN, "2026-07-02T00:00", "to midnight"),
        ("2026-07-04T21:00", {"from": "20:00", "to": "20:00", "days": ["sat"]}, BERLIN, "2026-07-05T20:00", "one day"),
        (
            "2026-07-06T21:00",
            {"from": "20:00", "to": "20:00", "days": ["mon", "tue", "wed", "thu", "fri", "sat"]},
            BERLIN,
            "2026-07-12T20:00",
            "six days that touch",
        ),
        ("2026-03-29T01:30", NIGHT, BERLIN, "2026-03-29T08:00", "the short night ends at eight"),
        ("2026-10-25T01:30", NIGHT, BERLIN, "2026-10-25T08:00", "so does the long one"),
        ("2026-03-08T01:30", NIGHT, NEW_YORK, "2026-03-08T08:00", "New York"),
        ("2026-10-04T01:30", NIGHT, LORD_HOWE, "2026-10-04T08:00", "Lord Howe"),
        ("2026-03-29T01:30", NIGHT, SHANGHAI, "2026-03-29T08:00", "Shanghai"),
        ("2026-03-29T01:30", {"from": "22:00", "to": "02:30"}, BERLIN, "2026-03-29T03:00", "the end is in the gap"),
        ("2026-03-29T03:15", {"from": "02:30", "to": "06:00"}, BERLIN, "2026-03-29T06:00", "the start is in the gap"),
        ("2026-03-29T03:15", {"from": "02:00", "to": "03:00"}, BERLIN, None, "the whole window is in the gap"),
        ("2028-02-28T21:00", NIGHT, BERLIN, "2028-02-29T08:00", "a leap day"),
    ],
)
def test_quiet_time_ends_when_the_wall_clock_says(
    moment: str, document: dict[str, Any], zone: ZoneInfo, expected: str | None, reason: str
) -> None:
    until = quiet_until(local(moment, zone), quiet_hours_from(document), zone)

    shown = until and until.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
    assert shown == expected, reason
    assert until is None or until.tzinfo is UTC


def test_a_zone_of_their_own_goes_before_the_zone_of_the_definition() -> None:
    quiet = quiet_hours_from({**NIGHT, "timezone": "Asia/Shanghai"})

    until = quiet_until(datetime(2026, 7, 1, 14, 0, tzinfo=UTC), quiet, BERLIN)

    assert until == datetime(2026, 7, 2, 0, 0, tzinfo=UTC)


def test_a_night_that_has_begun_stays_quiet_when_the_clocks_go_back_over_midnight() -> None:
    quiet = quiet_hours_from({"from": "00:00", "to": "08:00", "days": ["sun"]})
    saturday_again = datetime(2010, 11, 6, 23, 30, fold=1, tzinfo=ST_JOHNS)  # at 00:01 on Sunday it became 23:01

    until = quiet_until(saturday_again, quiet, ST_JOHNS)

    assert until == local("2010-11-07T08:00", ST_JOHNS)


@pytest.mark.parametrize(
    ("document", "words", "reason"),
    [
        ({"from": "20:00", "to": "8"}, "'8' is not a time of day", "not a time"),
        ({"from": 1200, "to": "08:00"}, "in quotes", "what YAML makes of an unquoted 20:00"),
        ({"from": "24:00", "to": "08:00"}, "cannot begin at 24:00", "the day after is meant"),
        ({**NIGHT, "days": ["saturday"]}, "'saturday' is not a day of the week", "not a day"),
        ({**NIGHT, "days": []}, "at least one day", "no day"),
        ({"from": "20:00", "to": "20:00"}, "whole week", "nothing would ever be sent"),
        ({"from": "00:00", "to": "24:00"}, "whole week", "the same in other words"),
        ({**NIGHT, "timezone": "CET+1"}, "IANA", "not a zone"),
    ],
)
def test_wrong_quiet_hours_are_refused_in_words_that_help(document: dict[str, Any], words: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        quiet_hours_from(document)

    assert words in refusal.value.message, reason


QUIET = st.builds(
    QuietHours,
    start=st.integers(0, 1439),
    end=st.integers(0, 1440),
    days=st.frozensets(st.integers(0, 6), min_size=1, max_size=6),
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, SHANGHAI, ST_JOHNS])


@given(MOMENTS, QUIET, ZONES)
def test_the_end_of_quiet_time_is_later_within_a_week_and_not_quiet(
    moment: datetime, quiet: QuietHours, zone: ZoneInfo
) -> None:
    until = quiet_until(moment, quiet, zone)

    if until is not None:
        assert moment < until <= moment + timedelta(days=8)
        assert until.tzinfo is UTC
        assert quiet_until(until, quiet, zone) is None


@given(MOMENTS, MOMENTS, QUIET, ZONES)
def test_what_is_planned_first_is_sent_first(one: datetime, other: datetime, quiet: QuietHours, zone: ZoneInfo) -> None:
    first, second = sorted([one, other])

    assert (quiet_until(first, quiet, zone) or first) <= (quiet_until(second, quiet, zone) or second)
