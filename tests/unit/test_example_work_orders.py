"""The example of the work orders from the first change to the last: all kinds of action but one, on a virtual clock."""

from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from tests.definitions import documents_of
from tests.stage import Stage

ROOF = RecordKey("work_order", "w1")


class Orders(Stage):
    """Work orders of one customer; Ada, whose manager is Max, gets them all."""

    def __init__(self) -> None:
        super().__init__(*documents_of("work_orders"))
        self.user("max", name="Max", email="max@example.com")
        self.user("ada", name="Ada", email="ada@example.com", manager="max", roles=["dispatcher"])
        self.post("c1", object="customer", name="Acme", email="acme@example.com", owner="max")
        self.order(type_="created", name="Roof", customer="c1", status="New", planned_hours=10, due_on="2026-03-20")

    def order(self, **fields: Any) -> None:
        self.post("w1", object="work_order", source_="tracker", **fields)
        self.advance(minutes=1)

    @property
    def roof(self) -> dict[str, Any]:
        return dict(self.record("w1", "work_order").current)

    def outcomes(self, definition: str) -> dict[str, str]:
        """The steps of the newest run of a definition."""
        run = next(run for run in self.offline.runs.of_record(ROOF).items if run.definition == definition)
        return {step.name: step.reason or step.status for step in run.steps}

    def sent(self, step: str) -> list[tuple[str, str]]:
        return [(d.channel, d.recipient) for d in self.deliveries if d.step == step and d.state == "sent"]


@pytest.fixture
def orders() -> Orders:
    return Orders()


def test_a_new_order_is_given_to_somebody_and_begun(orders):
    assert set(orders.outcomes("new-order").values()) == {"acted"}
    assert (orders.roof["owner"], orders.roof["status"]) == ("ada", "In progress")
    assert orders.record("c1", "customer").current["open_orders"] == 1
    assert orders.outcomes("before-it-is-due") == {"ring": "waiting"}, "started by the workflow"


def test_an_order_in_feedback_rings_its_owner_and_gives_a_task(orders):
    orders.order(status="Feedback")

    assert set(orders.outcomes("order-in-feedback").values()) == {"acted"}
    assert [channel for channel, _ in orders.sent("tell-owner")] == ["inbox", "email"]
    assert orders.record("c1", "customer").current["last_contact"] == "2026-03-02"


def test_more_hours_than_planned_are_tagged_and_scored_once(orders):
    orders.order(spent_hours=11)
    orders.order(spent_hours=12)

    assert orders.roof["tags"] == ["over-budget"]
    assert [channel for channel, _ in orders.sent("score")] == ["function"], "the tag is there already the second time"


def test_a_delivered_order_is_locked_and_billing_is_told(orders):
    orders.order(status="Delivered")

    lock = orders.record("w1", "work_order").lock
    assert lock is not None and "Delivered to Acme" in str(lock)
    assert orders.roof["delivered_at"] is not None
    assert [channel for channel, _ in orders.sent("tell-billing")] == ["webhook"]
    assert orders.outcomes("before-it-is-due") == {"ring": "cancel_condition"}


def test_an_order_at_work_again_is_unlocked_and_not_delivered_any_more(orders):
    orders.order(status="Delivered")

    orders.order(status="In progress")

    assert orders.record("w1", "work_order").lock is None
    assert orders.roof["delivered_at"] is None


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ("In progress", "acted", "due yesterday, and not delivered"),
        ("Lost", "condition", "only_if is looked at when the date is reached, not when it was set"),
    ],
)
def test_the_day_after_it_is_due_its_owner_hears_of_it(orders, status, outcome, reason):
    orders.order(status=status)

    orders.advance(days=20)

    assert orders.outcomes("overdue") == {"mail": outcome}, reason
