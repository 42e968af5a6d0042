"""The action set_stage: a move to another stage, told to whoever waits for it."""

from typing import Any

import pytest

from tests.stage import QUOTATION, UNASSIGNED, WON, Stage, mail, scenario


def moving(to: str, field: str = "stage", **more: Any) -> dict[str, Any]:
    action = {"name": "move", "type": "set_stage", "field": field, "to": to}
    trigger = {"on": "updated", "fields": ["amount"]}
    return {"kind": "workflow", "name": "move", "object": "deal", "trigger": trigger, "actions": [action], **more}


def moved(*documents: dict[str, Any], stage: str | None = UNASSIGNED) -> Stage:
    """A deal whose amount has changed."""
    play = Stage(*documents)
    play.post(type_="created", stage=stage, name="Acme")
    play.post(amount=5)
    play.advance(minutes=0)
    return play


def step(stage: Stage) -> tuple[str, str]:
    found = next(run for run in stage.runs() if run.definition == "move").steps[0]
    return found.status, found.reason


@pytest.mark.parametrize(
    ("before", "expected", "why"),
    [
        (UNASSIGNED, ("acted", ""), "a move"),
        (None, ("acted", ""), "from nowhere"),
        (WON, ("acted", "unchanged"), "it is there already"),
    ],
)
def test_a_record_moves_to_the_stage(before, expected, why):
    stage = moved(moving(WON), stage=before)

    assert (stage.record().current["stage"], step(stage)) == (WON, expected), why


@pytest.mark.parametrize(
    ("to", "field", "path"),
    [("Nowhere", "stage", "to"), (WON, "phase", "field")],
)
def test_a_stage_that_there_is_not_leaves_the_record_where_it_was(to, field, path):
    stage = moved(moving(to, field))

    problems = stage.runs()[0].steps[0].why["problems"]
    assert (stage.record().current["stage"], step(stage)) == (UNASSIGNED, ("failed", "invalid_input"))
    assert [problem["path"] for problem in problems] == [path]


def test_a_move_ends_what_waited_in_the_old_stage_and_starts_what_waits_for_the_new_one():
    waiting = scenario("waiting", steps=[mail("remind", {"after": "1 hour"}, unless_changed=True)])
    entering = scenario("entering", stage={"field": "stage", "is": QUOTATION})

    stage = moved(moving(QUOTATION), waiting, entering)

    ends = {run.definition: (run.status, run.reason) for run in stage.runs()}
    assert ends["waiting"] == ("cancelled", "stage_changed")
    assert ends["entering"] == ("running", "")


def test_a_deleted_record_stays_deleted():
    stage = Stage(moving(WON, trigger={"on": "deleted"}))
    stage.post(type_="created", stage=UNASSIGNED)

    stage.post(type_="deleted")
    stage.advance(minutes=0)

    assert (step(stage), stage.record().exists) == (("skipped", "record_deleted"), False)
