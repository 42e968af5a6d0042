"""Definitions as they are kept and switched on: what is warned of, what is read, and names that two would share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from stagebell.adapters.memory.definitions import MemoryDefinitions
from stagebell.cli.tools import offline_tools
from stagebell.domain.errors import InvalidInput
from stagebell.domain.interplay import Finding, Interplay
from stagebell.ports.definitions import Definition
from stagebell.services.define import Definer
from stagebell.services.warn import FINDING_LIMIT
from tests.unit.playing import (
    ACCOUNT,
    ANY_UPDATE,
    DEAL,
    SCORE,
    entered,
    scenario,
    sets,
    workflow,
)


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC)

    def real_now(self) -> datetime:
        return self.now()

    def real(self, moment: datetime) -> datetime:
        return moment


class CountingDefinitions(MemoryDefinitions):
    """Says which shelves were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def active(self, shelf: str) -> Sequence[Definition]:
        self.read.append(shelf)
        return super().active(shelf)


TO_LOST = workflow("to-lost", entered("Won"), sets(stage="Lost"))
TO_WON = scenario("to-won", entered("Lost"), sets(stage="Won"))
LOOP = ("to-lost", "to-won")


@pytest.fixture
def definer() -> Definer:
    made = Definer(CountingDefinitions(), offline_tools(), StillClock())
    for document in (ACCOUNT, DEAL):
        made.put({"kind": "object", **document}, by="ada")
    for document in (ACCOUNT, DEAL):
        made.activate("object", str(document["name"]), by="ada")
    return made


def activated(definer: Definer, *documents: Mapping[str, Any]) -> Sequence[Finding]:
    """The warnings of the last one."""
    for document in documents:
        definer.put(document, by="ada")
        switched = definer.activate(document["kind"], document["name"], by="ada")
    return switched.warnings


def test_activation_goes_through_and_warns_of_a_loop(definer: Definer) -> None:
    assert activated(definer, TO_LOST) == ()

    (found,) = activated(definer, TO_WON)

    assert sorted(found.definitions) == sorted(LOOP)
    assert [head.active for head in definer.heads("scenario").items] == [1]


def test_activation_warns_again_when_it_is_repeated(definer: Definer) -> None:
    activated(definer, TO_LOST, TO_WON)

    assert len(definer.activate("workflow", "to-lost", by="ada").warnings) == 1


def test_activation_does_not_warn_of_loops_of_others(definer: Definer) -> None:
    activated(definer, TO_LOST, TO_WON)

    assert activated(definer, workflow("third", {"on": "created"}, sets(tier="gold"))) == ()


def test_a_new_version_that_ends_the_loop_is_not_warned_of(definer: Definer) -> None:
    activated(definer, TO_LOST, TO_WON)

    assert activated(definer, workflow("to-lost", entered("Won"), sets(tier="gold"))) == ()


def test_activating_an_object_warns_of_nothing_and_reads_nothing_for_it(definer: Definer) -> None:
    assert definer.activate("object", "deal", by="ada").warnings == ()


def test_a_set_is_warned_of_together_with_what_is_active(definer: Definer) -> None:
    activated(definer, TO_LOST)

    checked = definer.validate([TO_WON])

    assert [result.problems for result in checked] == [()]
    assert [sorted(found.definitions) for found in definer.warnings(checked)] == [sorted(LOOP)]


def test_what_a_set_replaces_does_not_count(definer: Definer) -> None:
    activated(definer, TO_LOST)

    checked = definer.validate([TO_WON, workflow("to-lost", entered("Won"), sets(tier="gold"))])

    assert definer.warnings(checked) == ()


def test_what_is_mistaken_is_not_warned_of(definer: Definer) -> None:
    checked = definer.validate([TO_LOST, {**TO_WON, "steps": []}])

    assert [bool(result.problems) for result in checked] == [False, True]
    assert definer.warnings(checked) == ()


def function(*fields: str) -> dict[str, Any]:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:score"
    return {"kind": "function", "name": "score", "arn": arn, "sets": {"deal": [*fields]}}


def test_a_function_may_set_what_its_definition_says(definer: Definer) -> None:
    runs = workflow("runs", {"on": "updated", "fields": ["tier"]}, SCORE)

    assert [found.definitions for found in definer.warnings(definer.validate([function("tier"), runs]))] == [("runs",)]


def test_a_function_that_may_set_more_is_warned_of_with_those_that_run_it(definer: Definer) -> None:
    runs = workflow("runs", {"on": "updated", "fields": ["tier"]}, SCORE)
    activated(definer, function("hot"), runs, TO_LOST, TO_WON)

    told = activated(definer, function("hot", "tier"))

    assert [found.definitions for found in told] == [("runs",)]
    assert [found.definitions for found in definer.warnings(definer.validate([function("hot", "tier")]))] == [("runs",)]


def test_only_shelves_that_writes_can_reach_are_read_each_once(definer: Definer) -> None:
    assert isinstance(definer.definitions, CountingDefinitions)
    up = workflow("up", ANY_UPDATE, sets(tier="gold") | {"related": "account"})
    activated(definer, up)
    definer.definitions.read.clear()

    definer.warnings(definer.validate([workflow("top", {"on": "created"}, sets(tier="gold"))]))
    about = definer.definitions.read[definer.definitions.read.index("function") :]

    assert sorted(shelf for shelf in about if shelf.startswith("scenario:")) == ["scenario:account", "scenario:deal"]


@pytest.mark.parametrize(
    ("stored", "other"), [(TO_LOST, {**TO_WON, "name": "to-lost"}), (TO_WON, {**TO_LOST, "name": "to-won"})]
)
def test_a_workflow_and_a_scenario_cannot_share_a_name(
    definer: Definer, stored: Mapping[str, Any], other: Mapping[str, Any]
) -> None:
    definer.put(stored, by="ada")

    with pytest.raises(InvalidInput) as refused:
        definer.put(other, by="ada")

    (problem,) = refused.value.problems
    assert (problem.path, problem.rule) == ("name", "unique_name")
    assert f"a {stored['kind']} has this name already" in problem.message
    assert definer.validate([other])[0].problems == (problem,)


def test_a_name_that_both_kinds_came_to_have_cannot_be_activated(definer: Definer) -> None:
    definer.put(TO_LOST, by="ada")
    twin = Definition("scenario", "to-lost", 1, {**TO_WON, "name": "to-lost"}, StillClock().now())
    definer.definitions.save(twin, expected_latest=0)

    with pytest.raises(InvalidInput, match="name"):
        definer.activate("scenario", "to-lost", by="ada")


def test_a_workflow_and_a_scenario_of_one_name_in_a_set_are_told(definer: Definer) -> None:
    checked = definer.validate([TO_LOST, {**TO_WON, "name": "to-lost"}])

    assert [[(p.path, p.rule, p.message) for p in c.problems] for c in checked] == [
        [],
        [("name", "unique_name", "a workflow is called so too")],
    ]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_live_runs_of_a_workflow_are_paused_cancelled_and_resumed_too(definer: Definer, verb: Any) -> None:
    activated(definer, TO_LOST)

    halted = definer.deactivate("workflow", "to-lost", verb, by="ada").command
    again = definer.activate("workflow", "to-lost", by="ada").command

    assert halted is not None
    assert (halted.verb, halted.definition) == (verb, "to-lost")
    assert (again.verb if again else "") == ("resume" if verb == "pause" else "")


def test_so_many_findings_are_told_and_that_these_are_not_all(definer: Definer) -> None:
    activated(definer, *(workflow(f"w{n}", {"on": "created"}, sets(name=str(n))) for n in range(20)))

    assert len(definer.warnings(definer.validate([workflow("w0", {"on": "created"}, sets(name="x"))]))) == 19
    many = [workflow(f"w{n}", {"on": "created"}, sets(name=f"x{n}")) for n in range(20)]
    *told, last = definer.warnings(definer.validate(many))
    assert [found.rule for found in told] == ["same_field"] * FINDING_LIMIT
    assert (last.rule, last.message) == ("unfinished", "only the first 100 are told: mend those, then check again")


def test_what_was_not_looked_at_is_said_last(definer: Definer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stagebell.services.warn.Interplay", partial(Interplay, pairs=1))
    one, two = (workflow(name, ANY_UPDATE, sets(rounds={"add": 1})) for name in ("one", "two"))

    found = definer.warnings(definer.validate([one, two]))

    assert [warning.rule for warning in found] == ["cycle", "same_field", "unfinished"]
