"""What a step stores together with its change: whose turn it was, and the end of the step."""

from dataclasses import replace
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.rotations import Given, Rotation
from stagebell.ports.records import Settling
from tests.contract.examples import DEAL, OTHER, at, change, commit_of, ended, enrolment, run
from tests.contract.worlds import World, apply, many_runs

# --- turns ---


def rotation(revision: int, last: str = "ada") -> Rotation:
    return Rotation("desk", revision, last, (Given("ada", DEAL, at(0), 3), Given("bob", RecordKey("a", "b#c"), at(1))))


def test_a_rotation_is_stored_with_the_change_that_takes_the_turn(world: World) -> None:
    assert world.records.rotation("desk") == Rotation("desk")

    results = [
        apply(world, change("c1"), rotation=rotation(1)),
        apply(world, change("c2", minute=1), rotation=rotation(2, "bob")),
    ]

    assert results == ["committed", "committed"]
    assert world.records.rotation("desk") == rotation(2, "bob")
    assert world.records.rotation("other") == Rotation("other")


@pytest.mark.parametrize(
    ("revision", "why"),
    [(1, "another first turn was taken meanwhile"), (3, "the turn before is not known"), (0, "no turn at all")],
)
def test_a_turn_that_somebody_else_has_taken_conflicts(world: World, revision: int, why: str) -> None:
    apply(world, change("c1"), rotation=rotation(1))

    result = apply(world, change("c2", minute=1, name="B"), rotation=rotation(revision, "eve"))

    assert result == "conflict", why
    assert world.records.rotation("desk") == rotation(1)
    assert world.records.load(DEAL).record.version == 1


def test_a_second_turn_without_a_first_one_conflicts(world: World) -> None:
    assert apply(world, change("c1"), rotation=rotation(2)) == "conflict"


# --- the run that makes a change ---


def settling(version: int = 1, **told: Any) -> Settling:
    """The run of the deal, one step further; the deal has that version."""
    run_after = ended(run())
    return Settling(run_after, version, told.pop("enrolment", enrolment(run_after, open=False, due_at=None)))


def of_another(world: World, part: Settling, id: str = "c9") -> str:
    return apply(world, change(id, OTHER, 2, name="B"), settling=part, acting="run_1")


def enrolled(world: World) -> None:
    apply(world, change("c1"), started=[run()], enrolments=[enrolment(run())])


def test_a_run_of_another_record_is_stored_with_the_change_that_its_step_makes(world: World) -> None:
    enrolled(world)

    result = of_another(world, settling())

    stored = world.records.load(DEAL)
    assert result == "committed"
    assert world.runs.get("run_1") == ended(run())
    assert world.records.load(OTHER).record.fields == {"name": "B"}
    assert stored.record.version == 1, "its own record is not written"
    assert stored.enrolments["unassigned"] == enrolment(run(), open=False, due_at=None), "when it started is kept"


def test_a_run_that_is_no_longer_the_newest_of_its_definition_is_settled_alone(world: World) -> None:
    enrolled(world)
    newer = run("run_2")
    apply(world, change("c2", minute=1), started=[newer], enrolments=[enrolment(newer)])

    result = of_another(world, settling(2, enrolment=None))

    assert result == "committed"
    assert world.records.load(DEAL).enrolments["unassigned"] == enrolment(newer)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (settling(version=2), "the run's record has moved since the step looked"),
        (settling(version=0), "the record was not there"),
        (replace(settling(), run=ended(run(revision=2))), "the run has moved"),
        (replace(settling(), run=ended(run("run_9"))), "there is no such run"),
        (settling(enrolment=enrolment(run(definition="other"))), "its record has no such enrolment"),
    ],
)
def test_a_change_whose_run_has_moved_conflicts_and_writes_nothing(world: World, part: Settling, why: str) -> None:
    enrolled(world)
    before = world.records.load(DEAL)

    assert of_another(world, part) == "conflict", why
    assert world.records.load(DEAL) == before
    assert world.records.load(OTHER).record.version == 0
    assert world.records.applied(OTHER, "erp:c9") is None
    assert world.runs.get("run_1") == run()


def test_a_newer_run_of_the_definition_is_not_overwritten_by_an_older_one(world: World) -> None:
    enrolled(world)
    newer = run("run_2")
    apply(world, change("c2", minute=1), started=[newer], enrolments=[enrolment(newer)])

    result = of_another(world, settling(2))

    assert result == "conflict"
    assert world.records.load(DEAL).enrolments["unassigned"] == enrolment(newer)


def test_the_run_whose_step_ends_a_hundred_others_is_stored_with_the_change(world: World) -> None:
    endings = [ended(r) for r in many_runs(world, 100)]
    acting = endings[50]
    parts: dict[str, Any] = {"updated": endings, "enrolments": [enrolment(r) for r in endings], "acting": acting.id}
    stored = world.records.load(DEAL)
    late = commit_of(stored, change("deed", minute=300, name="B"), **parts)
    apply(world, change("meanwhile", minute=301))

    assert world.records.commit(late) == "conflict"
    assert world.runs.get(acting.id) == run("run_50", definition="scenario-50"), "neither step nor change"
