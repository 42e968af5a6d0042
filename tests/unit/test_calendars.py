"""Working calendars: their documents, and counting working days and working time."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebell.adapters.public_holidays import public_holidays, supported
from stagebell.domain.calendars import (
    HolidayYear,
    WorkingCalendar,
    WorkingInterval,
    add_business_days,
    add_working_time,
    calendar_from,
    default_calendar,
)
from stagebell.domain.errors import InvalidValue

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SHANGHAI = ZoneInfo("Asia/Shanghai")
ST_JOHNS = ZoneInfo("America/St_Johns")
HOUR = 3600
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def no_holidays(country: str, subdivision: str | None, year: int, /) -> HolidayYear:
    return HolidayYear()


def local(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def shown(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def calendar(document: dict[str, Any] | None = None, zone: ZoneInfo = BERLIN) -> WorkingCalendar:
    return calendar_from({"name": "office", "timezone": zone.key, **(document or {})}, no_holidays)


LUNCH_BREAK = calendar({"working_hours": {day: ["09:00-12:30", "13:30-17:00"] for day in WEEK[:5]}})
ROUND_THE_CLOCK = {"working_hours": {day: ["00:00-24:00"] for day in WEEK}}
NIGHTS = {"working_hours": {day: ["00:00-06:00", "22:00-24:00"] for day in WEEK}}
CHRISTMAS = calendar({"dates": ["2026-12-24", "2026-12-25"]})
MAKE_UP = calendar({"working_dates": ["2026-07-04"]})


@pytest.mark.parametrize(
    ("start", "days", "used", "expected", "reason"),
    [
        ("2026-07-01T15:00", 1, CHRISTMAS, "2026-07-02T15:00", "Wednesday to Thursday"),
        ("2026-07-03T15:00", 1, CHRISTMAS, "2026-07-06T15:00", "Friday to Monday"),
        ("2026-07-03T15:00", 5, CHRISTMAS, "2026-07-10T15:00", "a working week"),
        ("2026-07-04T15:00", 0, CHRISTMAS, "2026-07-06T15:00", "Saturday counts as Monday"),
        ("2026-07-04T15:00", 1, CHRISTMAS, "2026-07-07T15:00", "so one more is Tuesday"),
        ("2026-07-04T15:00", -1, CHRISTMAS, "2026-07-03T15:00", "and one less is Friday"),
        ("2026-07-06T15:00", -1, CHRISTMAS, "2026-07-03T15:00", "Monday back to Friday"),
        ("2026-07-01T15:00", 0, CHRISTMAS, "2026-07-01T15:00", "zero on a working day stays"),
        ("2026-07-01T23:00", 1, CHRISTMAS, "2026-07-02T23:00", "the time of day stays, working hours or not"),
        ("2026-12-23T10:00", 1, CHRISTMAS, "2026-12-28T10:00", "two closed days and a weekend"),
        ("2026-12-24T10:00", 1, CHRISTMAS, "2026-12-29T10:00", "a start on a closed day counts as the next day"),
        ("2026-07-03T10:00", 1, MAKE_UP, "2026-07-04T10:00", "a make-up Saturday"),
        ("2026-03-27T02:30", 1, calendar(ROUND_THE_CLOCK), "2026-03-28T02:30", "seven working days a week"),
        ("2026-03-28T02:30", 1, calendar(ROUND_THE_CLOCK), "2026-03-29T03:30", "into the gap: forward by it"),
        ("2028-02-28T10:00", 1, CHRISTMAS, "2028-02-29T10:00", "a leap day is a working day"),
        ("2026-12-31T10:00", 1, CHRISTMAS, "2027-01-01T10:00", "over the new year"),
    ],
)
def test_business_days_skip_what_is_no_working_day(
    start: str, days: int, used: WorkingCalendar, expected: str, reason: str
) -> None:
    assert shown(add_business_days(local(start, BERLIN), days, used), BERLIN) == expected, reason


@pytest.mark.parametrize(
    ("start", "hours", "expected", "reason"),
    [
        ("2026-07-01T10:00", 1, "2026-07-01T11:00", "within the morning"),
        ("2026-07-01T12:00", 1, "2026-07-01T14:00", "over the break"),
        ("2026-07-01T13:00", 1, "2026-07-01T14:30", "from within the break"),
        ("2026-07-01T09:00", 7, "2026-07-01T17:00", "a full day ends with that day"),
        ("2026-07-01T17:00", 1, "2026-07-02T10:00", "closing time counts as closed"),
        ("2026-07-01T06:00", 1, "2026-07-01T10:00", "before opening"),
        ("2026-07-03T16:00", 2, "2026-07-06T10:00", "over the weekend"),
        ("2026-07-04T12:00", 1, "2026-07-06T10:00", "from the weekend"),
        ("2026-07-01T10:00", 35, "2026-07-08T10:00", "a working week"),
        ("2026-07-01T10:00", 0, "2026-07-01T10:00", "zero within working time stays"),
        ("2026-07-04T10:00", 0, "2026-07-06T09:00", "zero outside moves to the next opening"),
        ("2026-07-01T14:00", -1, "2026-07-01T12:00", "back over the break"),
        ("2026-07-01T10:00", -1, "2026-07-01T09:00", "back to opening time, not to the evening before"),
        ("2026-07-01T10:00", -2, "2026-06-30T16:00", "back into the day before"),
        ("2026-07-05T10:00", -1, "2026-07-03T16:00", "back from the weekend"),
        ("2026-07-08T10:00", -35, "2026-07-01T10:00", "back a working week"),
    ],
)
def test_working_time_is_consumed_in_working_hours_only(start: str, hours: int, expected: str, reason: str) -> None:
    reached = add_working_time(local(start, BERLIN), hours * HOUR, LUNCH_BREAK)

    assert shown(reached, BERLIN) == expected, reason


@pytest.mark.parametrize(
    ("start", "hours", "document", "zone", "expected", "reason"),
    [
        ("2026-03-28T12:00", 24, ROUND_THE_CLOCK, BERLIN, "2026-03-29T13:00", "the short day has 23 hours"),
        ("2026-10-24T12:00", 24, ROUND_THE_CLOCK, BERLIN, "2026-10-25T11:00", "the long day has 25"),
        ("2026-03-28T22:00", 7, NIGHTS, BERLIN, "2026-03-29T06:00", "the short night has 7 hours"),
        ("2026-10-24T22:00", 9, NIGHTS, BERLIN, "2026-10-25T06:00", "the long night has 9"),
        ("2026-03-29T06:00", -7, NIGHTS, BERLIN, "2026-03-28T22:00", "backwards as well"),
        ("2026-03-07T22:00", 7, NIGHTS, NEW_YORK, "2026-03-08T06:00", "New York"),
        ("2026-10-31T22:00", 9, NIGHTS, NEW_YORK, "2026-11-01T06:00", "New York in autumn"),
        ("2026-10-03T12:00", 24, ROUND_THE_CLOCK, LORD_HOWE, "2026-10-04T12:30", "half an hour on Lord Howe"),
        ("2026-03-28T22:00", 8, NIGHTS, SHANGHAI, "2026-03-29T06:00", "Shanghai does not change its clocks"),
        ("2010-11-06T12:00", 37, ROUND_THE_CLOCK, ST_JOHNS, "2010-11-08T00:00", "clocks back over midnight"),
    ],
)
def test_working_time_is_exact_when_the_clocks_change(
    start: str, hours: int, document: dict[str, Any], zone: ZoneInfo, expected: str, reason: str
) -> None:
    reached = add_working_time(local(start, zone), hours * HOUR, calendar(document, zone))

    assert shown(reached, zone) == expected, reason


def test_intervals_inside_the_hour_that_is_skipped_do_not_count_twice() -> None:
    split = calendar({"working_hours": {"sun": ["01:00-02:30", "03:00-04:00"]}})

    reached = add_working_time(local("2026-03-29T01:00", BERLIN), 2 * HOUR, split)

    assert shown(reached, BERLIN) == "2026-03-29T04:00"


@pytest.mark.parametrize("seconds", [HOUR, 0, -HOUR])
def test_a_calendar_that_never_works_is_refused(seconds: int) -> None:
    def closed(country: str, subdivision: str | None, year: int, /) -> HolidayYear:
        return HolidayYear(holidays=frozenset(date(year, 1, 1) + timedelta(days=n) for n in range(366)))

    never = calendar_from({"name": "never", "timezone": "UTC", "holidays": {"country": "DE"}}, closed)

    with pytest.raises(InvalidValue, match="never has no working hours in 400 days"):
        add_working_time(datetime(2026, 7, 1, tzinfo=UTC), seconds, never)
    with pytest.raises(InvalidValue, match="never has no working hours in 400 days"):
        add_business_days(datetime(2026, 7, 1, tzinfo=UTC), 1, never)


def test_a_calendar_with_too_little_time_is_refused() -> None:
    minute_a_week = calendar({"working_hours": {"mon": ["09:00-09:01"]}})

    with pytest.raises(InvalidValue, match="more than 50 years away"):
        add_working_time(datetime(2026, 7, 1, tzinfo=UTC), 1000 * HOUR, minute_a_week)


def test_the_end_of_time_is_refused_not_a_crash() -> None:
    with pytest.raises(InvalidValue, match="1 to 9999"):
        add_business_days(datetime(9999, 12, 31, 12, tzinfo=UTC), 1, default_calendar(BERLIN))


def test_a_calendar_reads_from_its_document() -> None:
    read = calendar_from(
        {
            "name": "bavaria",
            "timezone": "Europe/Berlin",
            "working_hours": {"mon": ["13:30-17:00", "09:00-12:30"], "sat": ["20:00-24:00"], "sun": []},
            "holidays": {"country": "DE", "subdivision": "BY"},
            "dates": ["2026-12-24", date(2026, 12, 31)],
            "working_dates": ["2026-07-05"],
        },
        no_holidays,
    )

    assert [str(interval) for interval in read.hours[0]] == ["09:00-12:30", "13:30-17:00"]
    assert read.hours[5] == (WorkingInterval(1200, 1440),)
    assert read.closed_dates == {date(2026, 12, 24), date(2026, 12, 31)}
    assert read.zone == BERLIN
    assert read.public is not None
    assert (read.public.country, read.public.subdivision) == ("DE", "BY")


def test_a_calendar_without_hours_has_office_hours_and_without_a_zone_that_of_the_stack() -> None:
    assert calendar_from({"name": "default"}, no_holidays, SHANGHAI) == default_calendar(SHANGHAI)


@pytest.mark.parametrize(
    ("document", "words", "reason"),
    [
        (
            {"working_hours": {"mon": ["09:00-12:00", "11:00-17:00"]}},
            "mon: 09:00-12:00 and 11:00-17:00 overlap",
            "overlap",
        ),
        ({"working_hours": {"tue": ["17:00-09:00"]}}, "tue: 17:00-09:00 does not end after it starts", "backward"),
        ({"working_hours": {"tue": ["09:00-09:00"]}}, "tue: 09:00-09:00 does not end after", "empty"),
        ({"working_hours": {"wed": ["09:00-25:00"]}}, "wed: '25:00' is not a time of day", "no such time"),
        ({"working_hours": {"wed": ["09:00"]}}, "wed: '09:00' is not an interval", "no end"),
        ({"working_hours": {"wed": [900]}}, "wed: '900' is not an interval", "a number"),
        (
            {"working_hours": {"wed": "09:00-17:00"}},
            'wed: write a list of intervals, for example ["09:00-17:00"]',
            "text",
        ),
        ({"working_hours": {"monday": ["09:00-17:00"]}}, "'monday' is not a day of the week", "no such day"),
        ({"working_hours": {}}, "office has no working hours on any day", "no hours"),
        ({"working_hours": {"mon": []}}, "office has no working hours on any day", "no hours"),
        ({"dates": ["24.12.2026"]}, "dates: '24.12.2026' is not a date; write it as 2026-12-24", "not a date"),
        ({"working_dates": [20261224]}, "working_dates: '20261224' is not a date", "a number"),
        ({"dates": ["2026-12-24"], "working_dates": ["2026-12-24"]}, "lists 2026-12-24 both as", "contradiction"),
        ({"timezone": "Mars"}, "'Mars' is not a time zone", "no such zone"),
        ({"timezone": None}, "office needs a timezone", "no zone at all"),
    ],
)
def test_a_wrong_calendar_is_refused_with_the_day_and_the_rule(
    document: dict[str, Any], words: str, reason: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        calendar(document)

    assert words in refusal.value.message, reason


def swapped(country: str, subdivision: str | None, year: int, /) -> HolidayYear:
    return HolidayYear(
        holidays=frozenset({date(2026, 7, 1), date(2026, 7, 2)}),
        working_days=frozenset({date(2026, 7, 4), date(2026, 7, 5)}),
    )


@pytest.mark.parametrize(
    ("day", "works", "reason"),
    [
        (date(2026, 7, 1), False, "a public holiday"),
        (date(2026, 7, 2), True, "a public holiday the company works on"),
        (date(2026, 7, 3), True, "a plain Friday"),
        (date(2026, 7, 4), True, "the country works on this Saturday"),
        (date(2026, 7, 5), False, "but the company is closed on this Sunday"),
        (date(2026, 7, 11), False, "a plain Saturday"),
    ],
)
def test_the_own_dates_of_a_calendar_go_before_those_of_the_country(day: date, works: bool, reason: str) -> None:
    own = calendar_from(
        {
            "name": "own",
            "timezone": "Asia/Shanghai",
            "holidays": {"country": "CN"},
            "dates": ["2026-07-05"],
            "working_dates": ["2026-07-02"],
        },
        swapped,
    )

    assert own.is_working_day(day) is works, reason


def test_a_make_up_saturday_has_the_hours_of_the_first_working_weekday() -> None:
    assert MAKE_UP.intervals_on(date(2026, 7, 4)) == (WorkingInterval(540, 1020),)
    assert MAKE_UP.intervals_on(date(2026, 7, 11)) == ()


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "works", "reason"),
    [
        ("DE", None, date(2026, 5, 1), False, "Labour Day"),
        ("DE", None, date(2026, 1, 6), True, "Epiphany is no holiday in all of Germany"),
        ("DE", "BY", date(2026, 1, 6), False, "but it is in Bavaria"),
        ("US", None, date(2026, 7, 3), False, "Independence Day on a Saturday is observed on Friday"),
        ("CN", None, date(2024, 10, 1), False, "National Day"),
        ("CN", None, date(2024, 10, 12), True, "a Saturday worked in exchange for it"),
        ("CN", None, date(2024, 10, 19), False, "a plain Saturday"),
    ],
)
def test_a_calendar_follows_the_public_holidays_of_its_country(
    country: str, subdivision: str | None, day: date, works: bool, reason: str
) -> None:
    document = {"name": "c", "timezone": "UTC", "holidays": {"country": country, "subdivision": subdivision}}

    assert calendar_from(document, public_holidays).is_working_day(day) is works, reason


def test_holidays_come_for_the_year_asked_for_only() -> None:
    year = public_holidays("CN", None, 2024)

    assert {day.year for day in year.holidays | year.working_days} == {2024}
    assert len(year.working_days) == 8


@pytest.mark.parametrize(
    ("country", "subdivision", "words", "reason"),
    [
        ("XX", None, "the country 'XX'", "unknown country"),
        ("XX", "BY", "the country 'XX'", "the country is the first thing wrong"),
        ("de", None, "the country 'de'", "codes are capitals"),
        ("Germany", None, "the country 'Germany'", "codes, not names"),
        ("HolidayBase", None, "the country 'HolidayBase'", "a name of the library itself"),
        ("DE", "ZZ", "the subdivision 'ZZ' of DE", "unknown subdivision"),
    ],
)
def test_an_unknown_country_or_subdivision_is_named(
    country: str, subdivision: str | None, words: str, reason: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        public_holidays(country, subdivision, 2026)

    assert words in refusal.value.message, reason
    assert not supported(country, subdivision)


def test_known_countries_and_subdivisions_are_supported() -> None:
    assert supported("DE")
    assert supported("DE", "BY")


@pytest.mark.parametrize("year", [1, 1800, 2100, 9999])
def test_a_year_far_away_has_holidays_or_none_but_no_error(year: int) -> None:
    assert isinstance(public_holidays("DE", None, year), HolidayYear)


ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, SHANGHAI, ST_JOHNS])
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
SECONDS = st.integers(-100 * HOUR, 100 * HOUR)


@st.composite
def day_hours(draw: st.DrawFn) -> tuple[WorkingInterval, ...]:
    edges = sorted(draw(st.lists(st.integers(0, 1440), unique=True, max_size=6)))
    return tuple(WorkingInterval(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    hours = [*draw(st.lists(day_hours(), min_size=6, max_size=6)), (WorkingInterval(480, 720),)]
    return WorkingCalendar(name="any", zone=draw(ZONES), hours=tuple(hours))


def is_open(moment: datetime, used: WorkingCalendar) -> bool:
    """Whether the wall clock shows a working minute, the closing one included."""
    clock = moment.astimezone(used.zone).replace(tzinfo=None)
    today = datetime.combine(clock.date(), datetime.min.time())
    midnights = (today, today - timedelta(days=1))  # 24:00 belongs to the day before
    return any(
        i.start <= (clock - midnight) / timedelta(minutes=1) <= i.end
        for midnight in midnights
        for i in used.intervals_on(midnight.date())
    )


@given(MOMENTS, SECONDS, st.just(None) | ZONES)
def test_working_time_ends_in_working_time(moment: datetime, seconds: int, zone: ZoneInfo | None) -> None:
    used = LUNCH_BREAK if zone is None else calendar(zone=zone)

    reached = add_working_time(moment, seconds, used)

    assert is_open(reached, used)
    assert reached.tzinfo is UTC


@given(MOMENTS, st.integers(1, 100 * HOUR), calendars())
def test_working_time_there_and_back_is_where_work_began(moment: datetime, seconds: int, used: WorkingCalendar) -> None:
    opened = add_working_time(moment, 0, used)

    assert add_working_time(add_working_time(moment, seconds, used), -seconds, used) == opened


@given(MOMENTS, st.integers(0, 50 * HOUR), st.integers(0, 50 * HOUR), calendars())
def test_working_time_adds_up(moment: datetime, first: int, second: int, used: WorkingCalendar) -> None:
    in_two = add_working_time(add_working_time(moment, first, used), second, used)
    in_one = add_working_time(moment, first + second, used)

    assert add_working_time(in_two, 0, used) == add_working_time(in_one, 0, used)


@given(st.lists(MOMENTS, min_size=2), SECONDS, calendars())
def test_an_earlier_start_is_never_due_later(moments: list[datetime], seconds: int, used: WorkingCalendar) -> None:
    reached = [add_working_time(moment, seconds, used) for moment in sorted(moments)]

    assert all(first <= second for first, second in pairwise(reached))


@given(MOMENTS, st.lists(SECONDS, min_size=2), calendars())
def test_more_working_time_is_never_due_earlier(moment: datetime, amounts: list[int], used: WorkingCalendar) -> None:
    reached = [add_working_time(moment, seconds, used) for seconds in sorted(amounts)]

    assert all(first <= second for first, second in pairwise(reached))


@given(MOMENTS, st.integers(-300, 300), calendars())
def test_business_days_end_on_a_working_day_in_utc(moment: datetime, days: int, used: WorkingCalendar) -> None:
    reached = add_business_days(moment, days, used)

    assert used.is_working_day(reached.astimezone(used.zone).date())
    assert reached.tzinfo is UTC
