"""Durations: reading, writing and adding them."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebell.domain.calendars import OFFICE_HOURS, WorkingCalendar
from stagebell.domain.durations import DAY, LIMIT, MONTH, Duration, add, date_due, describe, parse_duration
from stagebell.domain.errors import InvalidValue

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SHANGHAI = ZoneInfo("Asia/Shanghai")
UTC_ZONE = ZoneInfo("UTC")
HOUR = 3600


def local(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("5 minutes", Duration(seconds=300), "the common case"),
        ("1 minute", Duration(seconds=60), "singular"),
        ("0 minutes", Duration(), "at once"),
        ("2 hours", Duration(seconds=2 * HOUR), "hours are elapsed time"),
        ("90 seconds", Duration(seconds=90), "seconds stay exact"),
        ("1 day 4 hours", Duration(days=1, seconds=4 * HOUR), "a day is not 24 hours"),
        ("4 hours 1 day", Duration(days=1, seconds=4 * HOUR), "order of units is free"),
        ("2 weeks", Duration(days=14), "a week is 7 days"),
        ("1 year 2 months", Duration(months=14), "a year is 12 months"),
        ("-3 days", Duration(days=-3), "an offset before a date"),
        ("- 3 days", Duration(days=-3), "a blank after the minus"),
        ("-1 day 4 hours", Duration(days=-1, seconds=-4 * HOUR), "the minus counts for all parts"),
        ("  5   Minutes ", Duration(seconds=300), "blanks and capitals do not matter"),
        ("5minutes", Duration(seconds=300), "no blank"),
        ("3 business days", Duration(business_days=3), "working days"),
        ("4 business hours", Duration(business_seconds=4 * HOUR), "working time"),
        ("30 business minutes", Duration(business_seconds=1800), "working time"),
        (
            "1 business day 4 business hours",
            Duration(business_days=1, business_seconds=4 * HOUR),
            "both business units",
        ),
        ("0 business days", Duration(business_days=0), "not the same as 0 days: it asks for a working day"),
        ("PT2H", Duration(seconds=2 * HOUR), "ISO hours"),
        ("P1D", Duration(days=1), "ISO day"),
        ("P1DT4H", Duration(days=1, seconds=4 * HOUR), "ISO both"),
        ("P2W", Duration(days=14), "ISO weeks"),
        ("P1M", Duration(months=1), "M before T is months"),
        ("PT1M", Duration(seconds=60), "M after T is minutes"),
        ("-P3D", Duration(days=-3), "ISO with a sign"),
        ("PT0S", Duration(), "ISO zero"),
        ("P1Y2M3W4DT5H6M7S", Duration(months=14, days=25, seconds=5 * HOUR + 367), "every ISO part"),
        ("5 years", Duration(months=60), "exactly the limit"),
        ("1826 days", Duration(days=1826), "five years with a leap day"),
    ],
)
def test_a_duration_reads_as_it_is_written(text: str, expected: Duration, reason: str) -> None:
    assert parse_duration(text) == expected, reason


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        (
            "5 minuts",
            "'5 minuts': unit minuts is not known; use seconds, minutes, hours, days, weeks, months, years,",
            "a slip of the pen shows the units",
        ),
        ("5 business weeks", "unit business weeks is not known", "business units are seconds to days"),
        ("5 business", "unit business is not known", "the unit itself is missing"),
        ("5", "'5' is not a duration", "no unit"),
        ("", "'' is not a duration", "empty"),
        ("days", "not a duration", "no number"),
        ("1.5 hours", "whole numbers", "no fractions"),
        ("PT1.5H", "whole numbers", "no ISO fractions"),
        ("P", "not a duration", "ISO without parts"),
        ("P1DT", "not a duration", "ISO with an empty time"),
        ("1 day -4 hours", "not a duration", "a sign inside"),
        ("--1 day", "not a duration", "two signs"),
        ("٣ days", "not a duration", "digits are ASCII"),
        ("1 hour 2 hours", "named twice", "a unit named twice is a mistake"),
        ("1 business day 4 hours", "'1 business day 4 hours': business units cannot be mixed", "mixed kinds"),
        ("61 months", "'61 months': durations are limited to 5 years", "over the limit"),
        ("1827 days", "limited to 5 years", "over the limit"),
        ("-6 years", "limited to 5 years", "over the limit backwards"),
        ("2000 business days", "limited to 5 years", "five years have some 1,300 working days"),
        ("PT999999999999999999H", "limited to 5 years", "far over the limit"),
        ("9" * 90 + " days", "limited to 5 years", "a number of absurd length"),
        ("1 day " * 20, "limited to 100 characters", "an absurd text"),
    ],
)
def test_a_wrong_duration_is_refused_in_words_that_help(text: str, words: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse_duration(text)

    assert words in refusal.value.message, reason


def test_a_duration_has_one_sign() -> None:
    with pytest.raises(InvalidValue, match="same sign"):
        Duration(days=1, seconds=-1)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (Duration(), "0 seconds"),
        (Duration(months=14, days=14, seconds=26 * HOUR + 61), "1 year 2 months 14 days 26 hours 1 minute 1 second"),
        (Duration(days=-1, seconds=-4 * HOUR), "-1 day 4 hours"),
        (Duration(business_days=3), "3 business days"),
        (Duration(business_days=0), "0 business days"),
        (Duration(business_days=-1, business_seconds=-5400), "-1 business day 1 business hour 30 business minutes"),
        (Duration(business_days=1, business_seconds=0), "1 business day 0 business hours"),
    ],
)
def test_a_duration_is_described_in_canonical_words(duration: Duration, text: str) -> None:
    assert describe(duration) == text


@st.composite
def durations(draw: st.DrawFn) -> Duration:
    sign = draw(st.sampled_from([1, -1]))

    def part(limit: int) -> int:
        return sign * draw(st.integers(0, limit))

    if draw(st.booleans()):
        return Duration(months=part(30), days=part(400), seconds=part(400 * DAY))
    return Duration(
        business_days=part(500) if draw(st.booleans()) else None,
        business_seconds=part(500 * 8 * HOUR) if draw(st.booleans()) else None,
    )


@given(durations())
def test_what_is_described_reads_back_as_the_same_duration(duration: Duration) -> None:
    assert parse_duration(describe(duration)) == duration


@given(st.text(max_size=120))
def test_any_text_is_a_duration_or_an_invalid_value(text: str) -> None:
    try:
        duration = parse_duration(text)
    except InvalidValue:
        return

    assert parse_duration(describe(duration)) == duration


@given(st.integers(-10 * LIMIT, 10 * LIMIT))
def test_the_limit_is_five_years(seconds: int) -> None:
    try:
        Duration(seconds=seconds)
    except InvalidValue:
        assert abs(seconds) > LIMIT
    else:
        assert abs(seconds) <= LIMIT == 60 * MONTH


@pytest.mark.parametrize(
    ("start", "duration", "zone", "expected", "reason"),
    [
        ("2026-03-28T12:00", "1 day", BERLIN, "2026-03-29T12:00", "a short day keeps the wall clock"),
        ("2026-03-28T12:00", "24 hours", BERLIN, "2026-03-29T13:00", "24 hours do not"),
        ("2026-10-24T12:00", "1 day", BERLIN, "2026-10-25T12:00", "a long day keeps the wall clock"),
        ("2026-10-24T12:00", "24 hours", BERLIN, "2026-10-25T11:00", "24 hours do not"),
        ("2026-03-28T02:30", "1 day", BERLIN, "2026-03-29T03:30", "02:30 does not exist: forward by the gap"),
        ("2026-03-07T02:30", "1 day", NEW_YORK, "2026-03-08T03:30", "the same in New York"),
        ("2026-10-03T02:15", "1 day", LORD_HOWE, "2026-10-04T02:45", "Lord Howe jumps half an hour"),
        ("2026-10-03T12:00", "24 hours", LORD_HOWE, "2026-10-04T12:30", "and its day has 23.5 hours"),
        ("2026-03-28T02:30", "1 day", SHANGHAI, "2026-03-29T02:30", "Shanghai does not change its clocks"),
        ("2026-03-28T12:00", "1 day 2 hours", BERLIN, "2026-03-29T14:00", "days first, then elapsed time"),
        ("2026-03-30T12:00", "-1 day", BERLIN, "2026-03-29T12:00", "backwards"),
        ("2026-03-30T02:30", "-1 day", BERLIN, "2026-03-29T03:30", "backwards into the gap: still forward"),
        ("2026-01-31T09:00", "1 month", BERLIN, "2026-02-28T09:00", "month ends clamp"),
        ("2028-01-31T09:00", "1 month", BERLIN, "2028-02-29T09:00", "leap year"),
        ("2028-02-29T09:00", "1 year", BERLIN, "2029-02-28T09:00", "no such day a year later"),
        ("2026-03-31T09:00", "-1 month", BERLIN, "2026-02-28T09:00", "clamp backwards"),
        ("2026-01-31T09:00", "1 month 1 day", BERLIN, "2026-03-01T09:00", "months go before days"),
        ("2026-12-15T09:00", "2 months", BERLIN, "2027-02-15T09:00", "over the new year"),
        ("2026-01-15T09:00", "-2 months", BERLIN, "2025-11-15T09:00", "back over the new year"),
        ("2026-07-03T15:00", "1 business day", BERLIN, "2026-07-06T15:00", "Friday to Monday, default calendar"),
        ("2026-07-03T16:00", "2 business hours", BERLIN, "2026-07-06T10:00", "one hour Friday, one Monday"),
        ("2026-07-03T16:00", "1 business day 2 business hours", BERLIN, "2026-07-07T10:00", "days, then time"),
        ("2026-07-04T15:00", "0 business hours", BERLIN, "2026-07-06T09:00", "zero waits for the next opening"),
    ],
)
def test_adding_keeps_the_promise_of_each_unit(
    start: str, duration: str, zone: ZoneInfo, expected: str, reason: str
) -> None:
    reached = add(local(start, zone).astimezone(UTC), parse_duration(duration), zone)

    assert reached.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes") == expected, reason
    assert reached.tzinfo is UTC


def test_a_day_later_at_a_time_that_comes_twice_is_the_first_of_them() -> None:
    reached = add(local("2026-10-24T02:30", BERLIN), parse_duration("1 day"), BERLIN)

    assert reached == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_business_units_count_in_the_zone_of_their_calendar() -> None:
    shanghai = WorkingCalendar(name="shanghai", zone=SHANGHAI)
    friday_evening = datetime(2026, 7, 3, 20, 0, tzinfo=UTC)  # Saturday 04:00 in Shanghai

    reached = add(friday_evening, parse_duration("1 business day"), BERLIN, shanghai)

    assert reached == local("2026-07-07T04:00", SHANGHAI)


def test_a_moment_needs_a_zone() -> None:
    with pytest.raises(InvalidValue, match="no time zone"):
        add(datetime(2026, 7, 1), Duration(seconds=1), BERLIN)


@pytest.mark.parametrize("duration", ["2 hours", "1 day", "1 month", "1 business day", "1 business hour"])
def test_a_date_that_stands_for_never_is_refused_not_a_crash(duration: str) -> None:
    with pytest.raises(InvalidValue, match="the years 1 to 9999"):
        add(datetime(9999, 12, 31, 23, 30, tzinfo=UTC), parse_duration(duration), NEW_YORK)


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, SHANGHAI, UTC_ZONE])


@given(MOMENTS, durations(), ZONES)
def test_the_answer_is_always_in_utc(moment: datetime, duration: Duration, zone: ZoneInfo) -> None:
    assert add(moment, duration, zone).tzinfo is UTC


@given(MOMENTS, st.integers(-LIMIT, LIMIT), ZONES)
def test_elapsed_time_does_not_depend_on_the_zone(moment: datetime, seconds: int, zone: ZoneInfo) -> None:
    assert add(moment.astimezone(zone), Duration(seconds=seconds), zone) == moment + timedelta(seconds=seconds)


@given(MOMENTS, st.integers(1, 1800), ZONES)
def test_days_keep_the_wall_clock_but_for_gaps(moment: datetime, days: int, zone: ZoneInfo) -> None:
    before = moment.astimezone(zone).replace(tzinfo=None)
    after = add(moment, Duration(days=days), zone).astimezone(zone).replace(tzinfo=None)

    assert after - before - timedelta(days=days) in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


@given(MOMENTS, st.lists(st.integers(-1800, 1800), min_size=2, unique=True), ZONES)
def test_more_days_are_later(moment: datetime, days: list[int], zone: ZoneInfo) -> None:
    reached = [add(moment, Duration(days=count), zone) for count in sorted(days)]

    assert all(first < second for first, second in pairwise(reached))


@pytest.mark.parametrize(
    ("value", "offset", "at", "expected", "reason"),
    [
        (date(2026, 7, 10), None, None, "2026-07-10T00:00", "a date begins at midnight"),
        (date(2026, 7, 10), None, time(9), "2026-07-10T09:00", "at the time given"),
        (date(2026, 7, 10), "-3 days", time(9), "2026-07-07T09:00", "three days before"),
        (date(2026, 3, 31), "-2 days", time(2, 30), "2026-03-29T03:30", "the time falls into the gap"),
        (date(2026, 3, 29), "1 day", time(2, 30), "2026-03-30T02:30", "only the day reached matters for the gap"),
        (date(2026, 7, 10), "-2 hours", time(9), "2026-07-10T07:00", "hours count from the time of day"),
        (date(2026, 7, 13), "-1 business day", time(9), "2026-07-10T09:00", "Monday back to Friday"),
        (date(2026, 7, 12), "-1 business day", time(9), "2026-07-10T09:00", "a Sunday counts as Monday"),
        (date(2026, 7, 11), "0 business days", time(9), "2026-07-13T09:00", "Saturday moves to Monday"),
        (date(2026, 7, 10), "2 business hours", time(16), "2026-07-13T10:00", "working time from the time of day"),
        (local("2026-07-10T15:00", BERLIN), None, None, "2026-07-10T15:00", "an instant is itself"),
        (local("2026-07-10T15:00", BERLIN), "-3 days", None, "2026-07-07T15:00", "an instant and an offset"),
        (local("2026-07-10T15:00", BERLIN), "-3 days", time(9), "2026-07-07T09:00", "the time replaces its own"),
        (local("2026-07-10T23:00", BERLIN), "2 hours", time(9), "2026-07-11T09:00", "of the day reached"),
        (datetime(2026, 7, 10, 23, 0, tzinfo=UTC), None, time(9), "2026-07-11T09:00", "of the local day"),
    ],
)
def test_a_step_may_be_due_at_a_date_of_the_record(
    value: date, offset: str | None, at: time | None, expected: str, reason: str
) -> None:
    due = date_due(value, parse_duration(offset) if offset else None, at, BERLIN)

    assert due.astimezone(BERLIN).replace(tzinfo=None).isoformat(timespec="minutes") == expected, reason
    assert due.tzinfo is UTC


def test_working_days_of_a_date_are_counted_from_that_date_wherever_the_calendar_lives() -> None:
    shanghai = WorkingCalendar(name="shanghai", zone=SHANGHAI, hours=OFFICE_HOURS)

    due = date_due(date(2026, 7, 10), parse_duration("1 business day"), time(20), NEW_YORK, shanghai)

    assert due == local("2026-07-13T20:00", NEW_YORK)
