from datetime import UTC, datetime, timedelta

import phonenumbers

from local.replay import STARTS_AT, USERS, Replay, backtest, next_replay, read_lines


class StandingClock:
    """Shows one moment."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def real(self, moment: datetime) -> datetime:
        return moment

    def real_now(self) -> datetime:
        return self._moment


def test_the_extract_makes_every_step_of_the_six_scenarios_act() -> None:
    acted = {(scenario, step) for scenario, step, _ in backtest()}

    assert acted == {
        ("U1", "1"),
        ("U2", "1"),
        ("U3", "1"),
        ("U4", "1"),
        ("U4", "2"),
        ("U4", "3"),
        ("U5", "1"),
        ("U6", "1"),
    }


def test_the_first_replay_tells_the_log_as_it_is() -> None:
    replay = next_replay(1, StandingClock(datetime(2016, 5, 16, 8, tzinfo=UTC)))

    assert replay.changes()[0]["id"] == "INC0028452"
    assert replay.expected() == backtest()


def test_a_later_replay_has_ids_and_times_of_its_own() -> None:
    now = datetime(2016, 6, 1, 12, 30, tzinfo=UTC)
    replay = next_replay(2, StandingClock(now))

    first, again = Replay(1, timedelta()).changes()[0], replay.changes()[0]
    assert (again["id"], again["change_id"]) == (f"{first['id']}-2", f"{first['change_id']}-2")
    assert STARTS_AT + replay.shift == now + timedelta(hours=4)
    assert {record for _, _, record in replay.expected()} <= {change["id"] for change in replay.changes()}


def test_everybody_the_incidents_name_can_be_reached() -> None:
    users = {change["id"]: change["fields"] for change in read_lines(USERS)}
    named = {
        change["fields"][field]
        for change in Replay(1, timedelta()).changes()
        for field in ("caller_id", "assigned_to")
        if change["fields"].get(field)
    }

    assert named <= users.keys()
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(user["phone"])) for user in users.values())
    assert all(user["email"].endswith("@example.com") for user in users.values())
