"""Conditions as trees: all, any, not; references; limits; and why a condition said what it said."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stagebell.domain.conditions import (
    ALWAYS,
    CLAUSE_LIMIT,
    DEPTH_LIMIT,
    View,
    clauses,
    compile_condition,
    paths,
    required,
)
from stagebell.domain.errors import Problem
from stagebell.domain.objects import read_object, with_built_ins
from tests.stage import ACCOUNT, DEAL

SCHEMA = with_built_ins({"deal": read_object(DEAL), "account": read_object(ACCOUNT)})
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GOLD = {"field": "account.tier", "op": "eq", "value": "gold"}
BIG = {"field": "amount", "op": "gte", "value": 1000}
URGENT = {"field": "urgent", "op": "eq", "value": True}

PEOPLE = {
    ("account", "a1"): {"tier": "gold", "owner": "u1", "employees": 7},
    ("user", "u1"): {"name": "Ada", "manager": "u2", "department": "d1"},
    ("user", "u2"): {"name": "Bob", "department": "d2"},
    ("department", "d1"): {"name": "Sales", "manager": "u2", "parent": "d2"},
    ("department", "d2"): {"name": "Board"},
}


def compiled(document: Any, problems: list[Problem] | None = None):
    found: list[Problem] = []
    condition = compile_condition(document, "deal", SCHEMA, found if problems is None else problems, "only_if")
    assert problems is not None or not found, found
    return condition


def view(**after: Any) -> View:
    return View({}, after, NOW, ZoneInfo("UTC"), related=lambda kind, id: PEOPLE.get((kind, id)))


@pytest.mark.parametrize(
    ("document", "result", "reason"),
    [
        (None, True, "no condition always holds"),
        ({"all": []}, True, "nothing is asked"),
        ({"any": []}, False, "none of nothing holds"),
        ({"all": [BIG, GOLD]}, True, "both hold"),
        ({"all": [BIG, URGENT]}, False, "one does not"),
        ({"any": [URGENT, GOLD]}, True, "one of them holds"),
        ({"not": URGENT}, True, "the value is missing, so the comparison is false, so its opposite is true"),
        ({"not": {"any": [URGENT, GOLD]}}, False, "not around any"),
        ({"all": [{"any": [URGENT, BIG]}, {"not": {"all": [GOLD, URGENT]}}]}, True, "nested"),
    ],
)
def test_conditions_combine(document, result, reason):
    assert compiled(document).holds(view(amount="1000", account="a1")) is result, reason


@pytest.mark.parametrize(
    ("path", "value", "result", "reason"),
    [
        ("account.tier", "gold", True, "one hop"),
        ("account.owner.name", "Ada", True, "two hops"),
        ("account.owner.manager.name", "Bob", True, "three"),
        ("account.owner.manager.department.name", "Board", True, "four"),
        ("account.owner.department.manager.department.name", "Board", True, "five, the most"),
        ("owner.name", "Ada", False, "the deal has no owner"),
        ("account.owner.manager.manager.name", "Ada", False, "the chain ends on the way"),
    ],
)
def test_a_path_follows_references_and_ends_in_nothing_where_one_is_missing(path, value, result, reason):
    condition = compiled({"field": path, "op": "eq", "value": value})

    assert condition.holds(view(account="a1")) is result, reason
    assert not condition.holds(view(account="a9")), "a reference to a record that nobody has told us about"


@pytest.mark.parametrize(
    ("path", "told", "reason"),
    [
        ("account.owner.manager.manager.manager.manager.name", "at most 5 references", "six hops"),
        ("stage.name", "no reference", "an option cannot be followed"),
        ("account.budget", "no field budget", "the far object has no such field"),
        ("nothing", "no field nothing", "this one has none either"),
        ("account..tier", "no field", "an empty part"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(path, told, reason):
    problems: list[Problem] = []

    compiled({"field": path, "op": "not_empty"}, problems)

    assert [(p.path, p.rule) for p in problems] == [("only_if.field", "known_field")], reason
    assert told in problems[0].message


def test_a_field_is_compared_with_a_field_of_a_related_record():
    same_owner = compiled({"field": "owner", "op": "eq", "value": {"field": "account.owner"}})

    assert same_owner.holds(view(owner="u1", account="a1"))
    assert not same_owner.holds(view(owner="u2", account="a1"))
    assert not same_owner.holds(view(owner="u1"))


def test_every_problem_is_named_with_its_place():
    problems: list[Problem] = []
    document = {
        "all": [
            {"field": "amuont", "op": "eq", "value": 1},
            {"any": [BIG, {"not": {"field": "amount", "op": "like", "value": 1}}]},
            {"field": "stage", "op": "in", "value": ["Won", "Open"]},
        ]
    }

    compiled(document, problems)

    assert [(p.path, p.rule) for p in problems] == [
        ("only_if.all[0].field", "known_field"),
        ("only_if.all[1].any[1].not.op", "known_operator"),
        ("only_if.all[2].value[1]", "select"),
    ]


def nested(depth: int) -> dict[str, Any]:
    return BIG if depth == 1 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("document", "rules", "reason"),
    [
        (nested(DEPTH_LIMIT), [], "as deep as may be"),
        (nested(DEPTH_LIMIT + 1), ["depth_limit"], "one deeper"),
        ({"any": [BIG] * CLAUSE_LIMIT}, [], "as many as may be"),
        ({"any": [BIG] * (CLAUSE_LIMIT + 1)}, ["clause_limit"], "one more"),
        ({"any": [{"all": [BIG] * 60}, {"all": [BIG] * 41}]}, ["clause_limit"], "counted over the whole tree"),
    ],
)
def test_depth_and_clauses_are_limited(document, rules, reason):
    problems: list[Problem] = []

    compiled(document, problems)

    assert [p.rule for p in problems] == rules, reason


def test_an_explanation_is_the_tree_with_the_values_it_saw():
    condition = compiled({"all": [BIG, {"not": {"any": [GOLD, {"field": "stage", "op": "changed"}]}}]})
    seen = View({"amount": "5"}, {"amount": "2000", "account": "a1"}, NOW, ZoneInfo("UTC"), related=view().related)

    assert condition.explain(seen).document() == {
        "condition": "all",
        "result": False,
        "parts": [
            {"condition": "amount gte 1000", "result": True, "saw": "2000", "before": "5"},
            {
                "condition": "not",
                "result": False,
                "parts": [
                    {
                        "condition": "any",
                        "result": True,
                        "parts": [
                            {"condition": "account.tier eq gold", "result": True, "saw": "gold", "before": None},
                            {"condition": "stage changed", "result": False, "saw": None, "before": None},
                        ],
                    }
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("clause", "text"),
    [
        ({"field": "stage", "op": "in", "value": ["Won", "Lost"]}, "stage in ['Won', 'Lost']"),
        ({"field": "due_on", "op": "within_next", "value": "P3D"}, "due_on within_next 3 days"),
        ({"field": "owner", "op": "eq", "value": {"field": "account.owner"}}, "owner eq account.owner"),
        ({"field": "owner", "op": "empty"}, "owner empty"),
    ],
)
def test_a_clause_reads_as_it_was_written(clause, text):
    assert compiled(clause).explain(view()).text == text


def test_what_must_hold_is_found_for_the_index_and_no_more():
    document = {"all": [BIG, {"any": [GOLD]}, {"any": [URGENT, GOLD]}, {"not": URGENT}, {"all": [URGENT]}]}
    condition = compiled(document)

    assert [str(c.path) for c in required(condition)] == ["amount", "account.tier", "urgent"]
    assert len(list(clauses(condition))) == 6
    assert {str(path) for path in paths(condition)} == {"amount", "account.tier", "urgent"}


def test_no_condition_reads_nothing():
    assert compiled(None) is ALWAYS
    assert list(paths(ALWAYS)) == []


TREES = some.recursive(
    some.sampled_from([BIG, URGENT, GOLD, {"field": "stage", "op": "changed_to", "value": "Won"}]),
    lambda inner: (
        some.builds(lambda part: {"not": part}, inner)
        | some.builds(lambda parts: {"all": parts}, some.lists(inner, max_size=3))
        | some.builds(lambda parts: {"any": parts}, some.lists(inner, max_size=3))
    ),
    max_leaves=8,
)
SEEN = some.fixed_dictionaries(
    {},
    optional={
        "amount": some.sampled_from(["1", "1000"]),
        "urgent": some.booleans(),
        "account": some.sampled_from(["a1", "a9"]),
        "stage": some.sampled_from(["Won", "Lost"]),
    },
)


@given(document=TREES, before=SEEN, after=SEEN)
def test_an_explanation_always_agrees_with_the_answer_and_what_is_required_really_is(document, before, after):
    problems: list[Problem] = []
    condition = compiled(document, problems)
    seen = View(before, after, NOW, ZoneInfo("UTC"), related=view().related)

    told = condition.explain(seen)

    assert told.result is condition.holds(seen)
    if condition.holds(seen):
        assert all(clause.holds(seen) for clause in required(condition))
