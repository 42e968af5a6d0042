"""The example of the projects: each of its workflows at work, on a virtual clock."""

from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from tests.definitions import documents_of
from tests.stage import Stage

ROOF = RecordKey("project", "p1")


class Projects(Stage):
    """A project of one customer; Ada, whose manager is Max, gets the projects that nobody owns."""

    def __init__(self) -> None:
        super().__init__(*documents_of("projects"))
        self.user("max", name="Max", email="max@example.com")
        self.user("ada", name="Ada", email="ada@example.com", manager="max", roles=["project_manager"])
        self.post("c1", object="customer", name="Acme")
        self.project(type_="created", name="Roof", customer="c1", stage="Planned", planned_hours=10)

    def project(self, **fields: Any) -> None:
        self.post("p1", object="project", **fields)
        self.advance(minutes=1)

    @property
    def roof(self) -> dict[str, Any]:
        return dict(self.record("p1", "project").current)

    def outcomes(self, definition: str) -> dict[str, str]:
        """The steps of the newest run of a definition."""
        run = next(run for run in self.offline.runs.of_record(ROOF).items if run.definition == definition)
        return {step.name: step.reason or step.status for step in run.steps}

    def sent(self, step: str) -> list[tuple[str, str]]:
        return [(d.channel, d.recipient) for d in self.deliveries if d.step == step and d.state == "sent"]


@pytest.fixture
def projects() -> Projects:
    return Projects()


def test_a_project_without_an_owner_is_given_to_a_manager_of_projects_who_is_told(projects):
    assert projects.roof["owner"] == "ada"
    assert projects.sent("welcome") == [("inbox", "ada")]


def test_a_project_that_waits_for_feedback_rings_owner_and_manager_gives_a_task_and_marks_the_customer(projects):
    projects.project(stage="Feedback")

    assert set(projects.outcomes("project-in-feedback").values()) == {"acted"}
    assert sorted(projects.sent("tell-owner")) == [
        ("email", "ada@example.com"),
        ("email", "max@example.com"),
        ("inbox", "ada"),
        ("inbox", "max"),
    ]
    assert projects.record("c1", "customer").current["open_feedback"] is True


def test_the_task_to_ask_for_feedback_is_reminded_of_before_and_after_it_is_due(projects):
    projects.project(stage="Feedback")

    projects.advance(days=7)

    assert [channel for channel, _ in projects.sent("remind-1")] == ["inbox"]
    assert [channel for channel, _ in projects.sent("remind-2")] == ["inbox", "email"]


@pytest.mark.parametrize(
    ("spent", "status", "reason"),
    [(10, None, "as many hours as planned are not too many"), ("10.5", "To deliver", "more than planned")],
)
def test_more_hours_than_planned_set_the_status(projects, spent, status, reason):
    projects.project(spent_hours=spent)

    assert projects.roof.get("status") == status, reason


@pytest.mark.parametrize(
    ("stage", "told", "reason"),
    [
        ("In progress", [("inbox", "ada")], "a week before it is due"),
        ("Stopped", [], "only_if is looked at when the date is reached"),
    ],
)
def test_a_week_before_it_is_due_its_owner_is_told(projects, stage, told, reason):
    projects.project(due_on="2026-03-20")
    projects.project(stage=stage)

    projects.advance(days=20)

    assert projects.sent("remind") == told, reason


def test_a_delivered_project_is_noted_and_locked(projects):
    projects.project(stage="Delivered", spent_hours=9)

    assert set(projects.outcomes("project-delivered").values()) == {"acted"}
    lock = projects.record("p1", "project").lock
    assert lock is not None and lock.why == "delivered"
