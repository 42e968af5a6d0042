"""The replayed log: the right messages went out at the right times, and no others."""

from collections import Counter
from datetime import datetime, timedelta

from local.clock import RATE
from local.replay import EXTRACT, STARTS_AT, Firing, backtest, read_lines
from local.report import firing
from tests.local.whole import Whole

LATENESS = timedelta(seconds=20 * RATE)  # of the sped-up clock: twenty seconds of a busy machine


def replayed(whole: Whole) -> dict[Firing, dict[str, str]]:
    records = {change["id"] for change in read_lines(EXTRACT)}
    found = [delivery for record in sorted(records) for delivery in whole.deliveries(f"incident/{record}")]
    assert len({firing(delivery) for delivery in found}) == len(found)
    return {firing(delivery): delivery for delivery in found}


def test_what_was_sent_is_exactly_what_a_backtest_of_the_same_changes_expects(whole: Whole) -> None:
    sent = replayed(whole)

    assert sent.keys() == backtest().keys()
    assert {delivery["state"] for delivery in sent.values()} <= {"sent", "delivered"}


def test_the_emulator_sent_each_message_once_to_its_recipient(whole: Whole) -> None:
    sent = replayed(whole)
    noted = whole.outbox()

    assert Counter(noted[delivery["message_id"]].recipients for delivery in sent.values()) == Counter(
        (delivery["recipient"],) for delivery in sent.values()
    )
    assert len({delivery["message_id"] for delivery in sent.values()}) == len(sent)


def test_no_message_is_early_and_what_was_overdue_goes_out_at_once(whole: Whole) -> None:
    due = backtest()

    for key, delivery in replayed(whole).items():
        planned = datetime.fromisoformat(delivery["planned_at"])
        assert due[key] <= planned, f"{key} went out early"
        assert planned <= max(due[key], STARTS_AT) + LATENESS, f"{key} went out late"


def test_an_incident_resolved_within_four_hours_pages_nobody(whole: Whole) -> None:
    run = whole.runs("incident", "INC0029725", "U2")[0]

    assert (run["status"], run["reason"]) == ("cancelled", "cancel_condition")
    assert not whole.words_about("INC0029725")


def test_an_incident_that_left_new_in_time_is_not_reported(whole: Whole) -> None:
    run = whole.runs("incident", "INC0029908", "U1")[0]

    assert [(step["status"], step["reason"]) for step in run["steps"]] == [("skipped", "stage_changed")]
    assert not whole.words_about("INC0029908")


def test_a_step_whose_condition_does_not_hold_says_what_it_saw(whole: Whole) -> None:
    run = whole.runs("incident", "INC0030066", "U3")[0]

    step = run["steps"][0]
    assert (step["status"], step["reason"]) == ("skipped", "condition")
    assert "Resolver 101" in str(step["why"])


def test_every_save_starts_the_clock_of_no_activity_again(whole: Whole) -> None:
    runs = whole.runs("incident", "INC0029277", "U6")

    assert [run["status"] for run in runs] == ["superseded", "completed"]


def test_changes_that_come_again_change_nothing(whole: Whole) -> None:
    again = [change for change in read_lines(EXTRACT) if change["id"] == "INC0029608"]
    record = whole.api.get("/v1/records/incident/INC0029608")
    before = whole.words_about("INC0029608")

    whole.source.post(again)
    whole.source.post(again[::-1])
    whole.settle()
    whole.pass_time(hours=2)

    assert whole.api.get("/v1/records/incident/INC0029608") == record
    assert whole.words_about("INC0029608") == before
