"""The examples of the product's design, as they are written there: from the text to what people get."""

from pathlib import Path
from typing import Any

import pytest

from stagebell.cli.files import load_valid
from tests.stage import Stage

PROJECT = """
kind: object
name: project
label: Project
title: "{{ name }}"
owner_field: owner
fields:
  name:   {type: text, required: true}
  stage:  {type: select, options: [Planning, Feedback, Done]}
  status: {type: select, options: [In progress, To deliver, Delivered]}
  owner:  {type: reference, object: user}
  spent_hours:   {type: decimal}
  planned_hours: {type: decimal}
"""

IN_FEEDBACK = """
kind: workflow
name: project-in-feedback
object: project
trigger: {on: updated, fields: [stage]}
only_if: {all: [{field: stage, op: changed_to, value: Feedback}]}
actions:
  - name: tell-owner
    type: notify
    to: [{field: owner}]
    via: VIA
    subject: "{{ NAMED }} waits"
    body: "{{ NAMED }} is in {{ project.stage }}."
"""

OVER_TIME = """
kind: workflow
name: over-planned-time
object: project
trigger: {on: updated, fields: [spent_hours]}
actions:
  - name: deliver-task
    type: update_field
    only_if: {field: spent_hours, op: gt, value: {field: planned_hours}}
    set: {status: To deliver}
"""


def staged(folder: Path, *texts: str) -> Stage:
    """The definitions as an operator writes them, checked and activated; a project that is being planned."""
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    stage = Stage(*load_valid(folder))
    stage.user("ada", name="Ada", email="ada@example.com")
    fields: dict[str, Any] = {"name": "Bridge", "stage": "Planning", "owner": "ada", "status": "In progress"}
    stage.post("p1", object="project", type_="created", spent_hours="1", planned_hours="8.5", **fields)
    return stage


def status(stage: Stage) -> Any:
    return stage.record("p1", "project").current["status"]


def inbox(stage: Stage) -> list[tuple[str, str]]:
    return [(notice.subject, notice.body) for notice in stage.offline.inbox.notices("ada").items]


def mails(stage: Stage) -> list[tuple[str, str, str]]:
    return [(mail.to, mail.subject, mail.text) for mail in stage.offline.mailer.sent]


NOTICE = ("Bridge waits", "Bridge is in Feedback.")
MAIL = ("ada@example.com", *NOTICE)


@pytest.mark.parametrize(
    ("via", "noticed", "mailed"),
    [("[inbox]", [NOTICE], []), ("[email]", [], [MAIL]), ("[inbox, email]", [NOTICE], [MAIL])],
)
@pytest.mark.parametrize("named", ["Project.name", "Project.Name", "project.name", "PROJECT.NAME"])
def test_the_owner_of_a_project_in_feedback_is_told(tmp_path, via, noticed, mailed, named):
    stage = staged(tmp_path, PROJECT, IN_FEEDBACK.replace("VIA", via).replace("NAMED", named))

    stage.post("p1", object="project", stage="Feedback")
    stage.advance(minutes=0)

    assert (inbox(stage), mails(stage)) == (noticed, mailed)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"stage": "Done"}, "another stage"),
        ({"stage": "Planning"}, "no change of the stage"),
        ({"name": "Tunnel"}, "another field"),
    ],
)
def test_nobody_is_told_of_anything_else(tmp_path, change, why):
    stage = staged(tmp_path, PROJECT, IN_FEEDBACK.replace("VIA", "[inbox, email]").replace("NAMED", "Project.name"))

    stage.post("p1", object="project", **change)
    stage.advance(minutes=0)

    assert (inbox(stage), mails(stage)) == ([], []), why


@pytest.mark.parametrize(
    ("spent", "expected", "why"),
    [
        ("8.5", "In progress", "just as planned"),
        ("8.51", "To deliver", "more than planned"),
        ("10", "To deliver", "ten is more than eight and a half: numbers, not text"),
        (None, "In progress", "nothing spent is not more"),
    ],
)
def test_more_time_spent_than_planned_sets_the_status(tmp_path, spent, expected, why):
    stage = staged(tmp_path, PROJECT, OVER_TIME)

    stage.post("p1", object="project", spent_hours=spent)
    stage.advance(minutes=0)

    assert status(stage) == expected, why


def test_both_stand_in_one_workflow_and_each_action_has_its_own_condition(tmp_path):
    told, delivered = IN_FEEDBACK.replace("VIA", "[inbox, email]").replace("NAMED", "Project.name"), OVER_TIME
    stage = staged(tmp_path, PROJECT, told + delivered[delivered.index("  - name") :])
    stage.post("p1", object="project", spent_hours=9)

    stage.post("p1", object="project", stage="Feedback")
    stage.advance(minutes=0)

    assert (inbox(stage), mails(stage), status(stage)) == ([NOTICE], [MAIL], "To deliver")


def test_time_over_time_that_nobody_planned_sets_nothing(tmp_path):
    stage = staged(tmp_path, PROJECT, OVER_TIME)

    stage.post("p1", object="project", planned_hours=None, spent_hours=100)
    stage.advance(minutes=0)

    assert status(stage) == "In progress"
