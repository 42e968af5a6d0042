"""Clocks: real time, and business time that runs faster on one machine."""

from datetime import UTC, datetime, timedelta

import pytest

from stagebell.adapters.clocks import LogicalClock, SystemClock, clock_from
from stagebell.domain.errors import InvalidValue

START = datetime(2016, 2, 29, tzinfo=UTC)
REAL_START = datetime(2026, 11, 20, 8, tzinfo=UTC)
CLOCK = LogicalClock(START, REAL_START, rate=60)


def test_without_a_logical_clock_business_time_is_real_time() -> None:
    clock = clock_from("")

    assert isinstance(clock, SystemClock)
    assert clock.real(START) == START
    assert timedelta() <= clock.real_now() - clock.now() + timedelta(seconds=1) < timedelta(seconds=2)
    assert clock.now().tzinfo is UTC


def test_a_logical_clock_is_read_from_its_text() -> None:
    clock = clock_from(f"2016-02-29T01:00:00+01:00@{REAL_START.timestamp():.0f}x60")

    assert clock == CLOCK


def test_business_time_runs_at_its_rate() -> None:
    assert CLOCK.logical(REAL_START) == START
    assert CLOCK.logical(REAL_START + timedelta(seconds=2)) == START + timedelta(minutes=2)
    assert CLOCK.logical(REAL_START - timedelta(seconds=2)) == START - timedelta(minutes=2)


def test_waits_are_converted_back_to_real_time() -> None:
    assert CLOCK.real(START + timedelta(hours=6)) == REAL_START + timedelta(minutes=6)


def test_now_is_the_business_time_of_this_moment() -> None:
    before = CLOCK.logical(datetime.now(UTC))

    now = CLOCK.now()

    assert before <= now <= CLOCK.logical(datetime.now(UTC))


@pytest.mark.parametrize(
    ("clock", "moment", "real"),
    [
        pytest.param(CLOCK, datetime.max.replace(tzinfo=UTC), None, id="far future at a high rate is still a date"),
        pytest.param(
            LogicalClock(START, REAL_START, rate=0.001),
            datetime.max.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
            id="beyond the last year there is",
        ),
        pytest.param(
            LogicalClock(REAL_START, START, rate=0.001),
            datetime.min.replace(tzinfo=UTC),
            datetime.min.replace(tzinfo=UTC),
            id="before the first",
        ),
    ],
)
def test_times_stay_within_the_calendar(clock: LogicalClock, moment: datetime, real: datetime | None) -> None:
    assert clock.real(moment) == real or real is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2016-02-29T00:00:00Z", id="no real start"),
        pytest.param("2016-02-29T00:00:00Z@1795160000", id="no rate"),
        pytest.param("2016-02-29T00:00:00Z@1795160000x0", id="time stands still"),
        pytest.param("2016-02-29T00:00:00Z@1795160000x-5", id="time runs back"),
        pytest.param("2016-02-29T00:00:00@1795160000x60", id="no zone"),
        pytest.param("2016-02-30T00:00:00Z@1795160000x60", id="no such day"),
        pytest.param("fast", id="a word"),
    ],
)
def test_a_malformed_logical_clock_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        clock_from(text)
