"""Workflows that wait for a date of their record, and move it themselves, so that they come again."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stage import START, Stage, mail, scenario, sets, workflow

TELL = {"name": "tell", "type": "send_email", "to": [{"address": "a@example.com"}], "subject": "Now", "text": "Now."}
MOVE = sets("move", due_on={"add": "1 month"})


def monthly(*actions: Any) -> Stage:
    """A deal that is due on the tenth, and then every month."""
    stage = Stage(workflow("monthly", *actions, trigger={"on": "date", "field": "due_on"}))
    stage.post(name="Acme", due_on="2026-03-10", type_="created")
    return stage


def told_on(stage: Stage) -> list[str]:
    return [delivery.planned_at.date().isoformat() for delivery in stage.deliveries]


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        ((TELL, MOVE), "the date is moved when all is done"),
        ((MOVE, TELL), "what is left to do was due on the old date, and is not put off to the new one"),
    ],
)
def test_a_workflow_that_moves_its_own_date_is_carried_out_every_time(actions, why):
    stage = monthly(*actions)

    stage.advance(days=80)

    assert told_on(stage) == ["2026-03-10", "2026-04-10", "2026-05-10"], why


def test_it_is_carried_out_every_time_also_where_the_machine_wakes_late():
    stage = monthly(MOVE, TELL)
    stage.offline.clock.advance(START + timedelta(days=9, seconds=3))

    stage.advance(days=80)

    assert told_on(stage) == ["2026-03-11", "2026-04-10", "2026-05-10"]


def test_a_later_step_moves_with_the_date_though_an_earlier_one_has_acted():
    steps = [mail("on-the-day", {"date": "due_on"}), mail("after", {"date": "due_on", "offset": "3 days"})]
    stage = Stage(scenario("reminders", trigger={"on": "date", "field": "due_on"}, steps=steps))
    stage.post(name="Acme", due_on="2026-03-10", type_="created")
    stage.advance(days=9)

    stage.post(due_on="2026-03-20")
    stage.advance(days=30)

    assert told_on(stage) == ["2026-03-10", "2026-03-23"]
