"""The unassigned deal of the documentation in four variants at once, slowed to fit the fast clock."""

from typing import Any

import pytest

from local.place import ROOT
from local.waiting import until
from stagebell.cli.files import load_valid
from tests.local.whole import PATIENCE, Whole

DEALS = ROOT / "examples" / "deals"
SLOWER = {"5 minutes": "3 hours", "2 hours": "6 hours", "6 hours": "9 hours"}
"""The emulator needs half a second for a change, half an hour of this clock."""

NEW, QUOTATION = "Salesperson not assigned", "Quotation in progress"


def definitions() -> list[dict[str, Any]]:
    return [slowed(document) for document in load_valid(DEALS) if document["name"] not in ("quotation-due", "office")]


def slowed(document: dict[str, Any]) -> dict[str, Any]:
    for step in document.get("steps", ()):
        step["at"]["after"] = SLOWER[step["at"]["after"]]
        step.pop("quiet_hours", None)
    return document


@pytest.fixture(scope="module")
def steps(whole: Whole) -> dict[str, list[str]]:
    """Which steps wrote to whom: deal → steps in order."""
    whole.activate(definitions())
    manager = {"name": "Mia Stern", "email": "mia.stern@example.com", "phone": "+49 171 3920099"}
    whole.source.post([whole.change("user", "m1", **manager, roles=["sales_manager"])])
    whole.settle()
    deals = ("nobody-acts", "left-at-once", "left-between", "came-back")
    whole.source.post([deal(whole, id, name=f"Deal {id}", amount=12000, stage=NEW) for id in deals])
    whole.pass_time(hours=1)
    whole.source.post([deal(whole, id, "updated", stage=QUOTATION) for id in ("left-at-once", "came-back")])
    whole.pass_time(minutes=30)
    whole.source.post([deal(whole, "came-back", "updated", stage=NEW)])
    whole.pass_time(hours=3)
    whole.source.post([deal(whole, "left-between", "updated", stage=QUOTATION)])
    until(lambda: all(ended(whole, id) for id in deals), "The end of all runs", seconds=PATIENCE)
    return {id: [delivery["step"] for delivery in whole.deliveries(f"deal/{id}")] for id in deals}


def deal(whole: Whole, id: str, type: str = "created", **fields: Any) -> dict[str, Any]:
    return whole.change("deal", id, type, **fields)


def ended(whole: Whole, id: str) -> bool:
    runs = whole.runs("deal", id, "salesperson-not-assigned")
    return bool(runs) and all(run["status"] not in ("running", "paused") for run in runs)


def test_a_deal_nobody_takes_rings_three_times(steps: dict[str, list[str]], whole: Whole) -> None:
    assert steps["nobody-acts"] == ["first-mail", "second-mail", "last-sms"]
    assert len(whole.words_about("Deal nobody-acts")) == 3


def test_a_deal_that_leaves_the_stage_before_the_first_step_rings_nobody(
    steps: dict[str, list[str]], whole: Whole
) -> None:
    assert steps["left-at-once"] == []
    assert whole.words_about("Deal left-at-once") == []


def test_a_deal_that_leaves_the_stage_between_steps_rings_once(steps: dict[str, list[str]], whole: Whole) -> None:
    assert steps["left-between"] == ["first-mail"]
    assert len(whole.words_about("Deal left-between")) == 1


def test_a_deal_that_comes_back_counts_from_its_new_entry(steps: dict[str, list[str]], whole: Whole) -> None:
    first, second = whole.runs("deal", "came-back", "salesperson-not-assigned")

    assert steps["came-back"] == ["first-mail", "second-mail", "last-sms"]
    assert {delivery["run"] for delivery in whole.deliveries("deal/came-back")} == {second["id"]}
    assert [step["status"] for step in first["steps"]] == ["skipped"] * 3
