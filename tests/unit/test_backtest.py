"""The backtest: what definitions would have done over a history, by the services that really run them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stagebell.domain.changes import Change
from stagebell.runtime.offline import Offline
from stagebell.services.backtest import Firing, Report
from tests.stage import ACCOUNT, DEAL, LADDER, QUOTATION, START, UNASSIGNED, Stage, mail, scenario

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def history(*told: tuple[float, str, dict[str, Any]]) -> list[Change]:
    stage = Stage()
    return [
        stage.change(record, at=START + minutes * MINUTE, id_=f"crm:{number}", **fields)
        for number, (minutes, record, fields) in enumerate(told)
    ]


def backtested(
    definitions: list[dict[str, Any]], changes: list[Change], zone: str = "UTC", *, keep: bool = False
) -> Report:
    offline = Offline(ZoneInfo(zone), keep=keep)
    offline.activate([ACCOUNT, DEAL, *definitions])
    backtest = offline.backtest()
    for change in changes:
        backtest.feed(change)
    return backtest.finish()


LEFT_AND_BACK = history(
    (0, "d1", {"stage": UNASSIGNED}),
    (0, "d2", {"stage": UNASSIGNED}),
    (60, "d1", {"stage": QUOTATION}),
    (90, "d1", {"stage": UNASSIGNED}),
    (95, "d1", {"stage": QUOTATION}),
)


def test_a_report_counts_what_entered_how_it_ended_and_what_each_step_did():
    report = backtested([LADDER], LEFT_AND_BACK)

    told = report.scenarios["unassigned"].document()
    assert (report.changes, report.stale) == (5, 0)
    assert (told["entered"], told["open"]) == (3, 0)
    assert told["ended"] == {"cancelled: stage_changed": 2, "completed": 1}
    assert told["steps"]["first-mail"] == {"acted": 2, "skipped: stage_changed": 1}, (
        "at 95 minutes the change came first"
    )
    assert told["hours"] == {"09": 2, "11": 1, "15": 1}


def test_firings_are_listed_in_order_with_their_times():
    firings = backtested([LADDER], LEFT_AND_BACK).firings

    assert firings == sorted(firings)
    assert [(f.step, f.record, f.fires_at - f.triggered_at) for f in firings] == [
        ("first-mail", "d1", 5 * MINUTE),
        ("first-mail", "d2", 5 * MINUTE),
        ("second-mail", "d2", 2 * HOUR),
        ("last-mail", "d2", 6 * HOUR),
    ]
    assert firings[0] == Firing("unassigned", 0, "crm:0", "first-mail", "d1", START, START + 5 * MINUTE)


def test_hours_are_those_of_the_stacks_zone():
    report = backtested([LADDER], LEFT_AND_BACK[:1], "Asia/Tokyo")

    assert report.scenarios["unassigned"].hours == {18: 1, 20: 1, 0: 1}


def test_whether_or_not_everything_is_kept_the_report_is_the_same():
    assert backtested([LADDER], LEFT_AND_BACK, keep=True).document() == backtested([LADDER], LEFT_AND_BACK).document()


def test_what_is_over_is_forgotten():
    offline = Offline(ZoneInfo("UTC"), keep=False)
    offline.activate([ACCOUNT, DEAL, LADDER])
    backtest = offline.backtest()

    for change in LEFT_AND_BACK:
        backtest.feed(change)
    backtest.finish()

    assert (len(offline.store.runs), len(offline.deliveries._deliveries), len(offline.mailer.sent)) == (0, 0, 0)


def test_a_step_counts_as_acted_also_where_the_history_holds_nobody_to_write_to():
    to_nobody = scenario(steps=[mail("m", {"after": "1 hour"}, to=[{"role": "manager"}])])

    report = backtested([to_nobody], LEFT_AND_BACK[:1])

    assert report.scenarios["unassigned"].steps["m"] == {"acted: empty_group": 1}
    assert len(report.firings) == 1


def test_doubled_and_stale_changes_are_counted_and_start_nothing():
    late = history((0, "d1", {"name": "new"}), (-5, "d1", {"name": "old"}))

    report = backtested([LADDER], [*late, late[0]])

    assert (report.changes, report.stale) == (3, 2)


def test_what_was_turned_away_says_why():
    once = scenario("s", trigger={"on": "saved"}, reentry="once", only_if={"field": "amount", "op": "gt", "value": 5})
    changes = history((0, "d1", {"amount": 1}), (1, "d1", {"amount": 9}), (2, "d1", {"amount": 10}))

    assert backtested([once], changes).scenarios["s"].turned_away == {"not_matched": 1, "once_only": 1}


@pytest.mark.parametrize("days", [400, 1500])
def test_after_the_last_change_time_runs_on_however_long_something_sleeps(days):
    late = scenario(steps=[mail("m", {"after": f"{days} days"})])

    (firing,) = backtested([late], LEFT_AND_BACK[:1]).firings

    assert firing.fires_at == datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=days)


def test_a_run_that_waits_for_a_date_stays_open_in_the_report():
    dated = scenario(steps=[mail("m", {"date": "due_on"})])

    assert backtested([dated], LEFT_AND_BACK[:1]).scenarios["unassigned"].document()["open"] == 1
