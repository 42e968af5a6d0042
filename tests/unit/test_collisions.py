"""Two definitions that write one field at the same time: which can, and which exclude each other."""

from typing import Any

import pytest

from stagebell.domain.collisions import collisions
from tests.unit.playing import (
    ANY_UPDATE,
    CREATED,
    SCHEMA,
    STAGE_CHANGE,
    all_of,
    both_write,
    clause,
    entered,
    interplay_of,
    left,
    scenario,
    sets,
    workflow,
)


def test_two_definitions_that_write_one_field_on_the_same_change_are_told() -> None:
    one = workflow("one", entered("Won"), sets(tier="gold"))
    two = workflow("two", ANY_UPDATE, sets(tier="silver"))

    (found,) = both_write(one, two, about=["two"])

    assert (found.rule, found.definitions) == ("same_field", ("one", "two"))
    assert found.message.startswith(
        "one (step step-1) and two (step step-1) both write deal.tier when the same change starts them; "
    )


def test_pairs_that_were_not_tried_are_not_kept_quiet() -> None:
    made = interplay_of([workflow(f"w{n}", {"on": "created"}, sets(name=str(n))) for n in range(4)])

    all_told = list(collisions(made, made.scenarios, SCHEMA, pairs=6))
    first = list(collisions(made, made.scenarios, SCHEMA, pairs=5))

    assert [found.rule for found in all_told] == ["same_field"] * 6
    assert [found.rule for found in first] == ["same_field"] * 5 + ["unfinished"]
    assert "there may be more that overwrite each other" in first[-1].message


def test_only_the_pairs_of_those_asked_about_are_told() -> None:
    three = [workflow(name, ANY_UPDATE, sets(name=name)) for name in ("a", "b", "c")]

    assert [found.definitions for found in both_write(*three, about=["b"])] == [("a", "b"), ("b", "c")]
    assert len(both_write(*three)) == 3


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        ({"trigger": entered("Won")}, {"trigger": entered("Won", "Lost")}, "Won is in both"),
        ({"trigger": entered("Won")}, {"trigger": left("Lost")}, "from Lost to Won"),
        ({"trigger": CREATED}, {"trigger": entered("Won")}, "a record may be created as won"),
        ({"trigger": CREATED}, {"trigger": {"on": "saved"}}, "creating is saving"),
        (
            {"trigger": {"on": "updated", "fields": ["amount"]}},
            {"trigger": STAGE_CHANGE},
            "one change may hold both fields",
        ),
        ({"only_if": clause("amount", "gt", 5)}, {"only_if": clause("amount", "lt", 6)}, "something lies between"),
        ({"only_if": clause("rounds", "gte", 5)}, {"only_if": clause("rounds", "lte", 5)}, "five fulfils both"),
        (
            {"only_if": clause("stage", "ne", "Won")},
            {"only_if": clause("stage", "ne", "Lost")},
            "there are more stages",
        ),
        ({"only_if": clause("name", "contains", "a")}, {"only_if": clause("name", "contains", "b")}, "ab has both"),
        ({"only_if": clause("name", "starts_with", "a")}, {"only_if": clause("name", "starts_with", "ab")}, "abc"),
        (
            {"only_if": clause("tags", "contains", "hot")},
            {"only_if": clause("tags", "contains", "cold")},
            "it has both",
        ),
        ({"only_if": clause("hot", "empty")}, {"only_if": clause("stage", "eq", "Won")}, "these are different fields"),
        (
            {"only_if": clause("stage", "changed_from", "New")},
            {"only_if": clause("stage", "changed_to", "Won")},
            "from New to Won",
        ),
        (
            {"only_if": clause("due_on", "within_last", "3 days")},
            {"only_if": clause("due_on", "older_than", "9 days")},
            "time is not looked into",
        ),
    ],
)
def test_these_can_happen_at_once(one: Any, two: Any, why: str) -> None:
    first = workflow("first", **{"trigger": ANY_UPDATE} | one) | {"actions": [{"name": "s", **sets(tier="gold")}]}
    second = workflow("second", **{"trigger": ANY_UPDATE} | two) | {"actions": [{"name": "s", **sets(tier="silver")}]}

    assert len(both_write(first, second)) == 1, why


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        ({"trigger": entered("Won")}, {"trigger": entered("Lost")}, "one change enters one stage"),
        ({"trigger": entered("Won")}, {"trigger": left("Won")}, "nobody enters and leaves at once"),
        ({"trigger": CREATED}, {"trigger": ANY_UPDATE}, "a change is one or the other"),
        ({"trigger": CREATED}, {"trigger": left("Won")}, "what is new leaves nothing"),
        ({"trigger": {"on": "manual"}}, {"trigger": {"on": "manual"}}, "each is started on its own"),
        ({"trigger": entered("Won")}, {"only_if": clause("stage", "eq", "Lost")}, "the stage is another one"),
        ({"only_if": clause("amount", "lt", 1000)}, {"only_if": clause("amount", "gte", 1000)}, "the two halves"),
        ({"only_if": clause("amount", "between", [1, 5])}, {"only_if": clause("amount", "gt", "5.5")}, "apart"),
        ({"only_if": clause("rounds", "lt", 5)}, {"only_if": clause("rounds", "gt", 4)}, "no integer lies between"),
        ({"only_if": clause("hot", "eq", True)}, {"only_if": clause("hot", "ne", True)}, "true or not"),
        ({"only_if": clause("owner", "empty")}, {"only_if": clause("owner", "not_empty")}, "there or not"),
        ({"only_if": clause("owner", "eq", "u1")}, {"only_if": clause("owner", "in", ["u2", "u3"])}, "other people"),
        ({"only_if": clause("due_on", "lt", "2026-05-01")}, {"only_if": clause("due_on", "gt", "2026-06-01")}, "dates"),
        (
            {"only_if": clause("stage", "changed_to", "Won")},
            {"only_if": clause("stage", "changed_to", "Lost")},
            "one to",
        ),
        ({"only_if": clause("stage", "changed")}, {"only_if": clause("stage", "not_changed")}, "changed or not"),
        (
            {"only_if": all_of(clause("stage", "ne", "Won"), clause("stage", "ne", "Lost"))},
            {"only_if": clause("stage", "in", ["Won", "Lost"])},
            "all clauses of a field are taken together",
        ),
    ],
)
def test_these_exclude_each_other(one: Any, two: Any, why: str) -> None:
    first = workflow("first", **{"trigger": ANY_UPDATE} | one) | {"actions": [{"name": "s", **sets(tier="gold")}]}
    second = workflow("second", **{"trigger": ANY_UPDATE} | two) | {"actions": [{"name": "s", **sets(tier="silver")}]}

    assert both_write(first, second) == [], why


@pytest.mark.parametrize(
    ("one", "two", "told", "why"),
    [
        (sets(tier="gold"), sets(tier="silver"), 1, "different values"),
        (sets(tier="gold"), sets(tier="gold"), 0, "the same value, whoever comes last"),
        (sets(rounds={"add": 1}), sets(rounds={"add": 1}), 1, "a sum depends on what was there before"),
        (sets(tier="gold"), sets(name="x"), 0, "different fields"),
        (sets(tier="gold", name="x"), sets(tier="silver", name="y"), 2, "each field is told"),
        (sets(tier="gold"), sets(tier="silver") | {"related": "account"}, 0, "different records"),
        (sets(tier="gold") | {"related": "account"}, sets(tier="silver") | {"related": "account"}, 1, "one account"),
        (sets(stage="Won"), {"type": "set_stage", "field": "stage", "to": "Lost"}, 1, "set_stage writes too"),
        (sets(owner="u1"), {"type": "assign_owner", "to": {"role": "sales"}}, 1, "assign_owner writes too"),
        ({"type": "create_task", "title": "a"}, {"type": "create_task", "title": "b"}, 0, "each makes its own"),
        (
            sets(tier="gold") | {"only_if": clause("hot", "eq", True)},
            sets(tier="silver") | {"only_if": clause("hot", "eq", False)},
            0,
            "only one of the actions acts",
        ),
        (
            sets(tier="gold") | {"only_if": clause("tier", "empty")},
            sets(tier="silver") | {"only_if": clause("tier", "eq", "gold")},
            1,
            "the first makes room for the second",
        ),
    ],
)
def test_two_actions_collide_where_they_write_different_values(one: Any, two: Any, told: int, why: str) -> None:
    trigger = {"on": "updated", "fields": ["amount"]}

    assert len(both_write(workflow("one", trigger, one), workflow("two", trigger, two))) == told, why


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        ({"after": "2 hours"}, {"after": "2 hours"}, 1),
        ({"after": "2 hours"}, {"after": "3 hours"}, 0),
        ({"date": "due_on", "offset": "-1 days"}, {"date": "due_on", "offset": "-1 days"}, 1),
        ({"after": "2 hours", "from": "previous_step"}, {"after": "2 hours", "from": "previous_step"}, 0),
    ],
)
def test_steps_at_different_times_do_not_collide(one: Any, two: Any, told: int) -> None:
    first = scenario("first", entered("Won"), sets(tier="gold") | {"at": one})
    second = scenario("second", entered("Won"), sets(tier="silver") | {"at": two})

    assert len(both_write(first, second)) == told


def test_two_steps_of_one_definition_do_not_collide() -> None:
    assert both_write(workflow("one", entered("Won"), sets(tier="gold"), sets(tier="silver"))) == []
