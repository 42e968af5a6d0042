"""Matching by lookup: it never misses a scenario that fires, and meets few that do not."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.conditions import View
from stagebell.domain.fields import canonical
from stagebell.domain.matching import Index, guards
from stagebell.domain.objects import read_object, with_built_ins
from stagebell.domain.records import Comparison, Record, compare
from stagebell.domain.scenario_documents import read_scenario
from stagebell.domain.scenarios import Scenario
from stagebell.services.explain import Explainer
from tests.stage import ACCOUNT, DEAL, QUOTATION, START, UNASSIGNED, WON, Stage, mail, scenario

KIND = read_object(DEAL)
SCHEMA = with_built_ins({"deal": KIND, "account": read_object(ACCOUNT)})
KEY = RecordKey("deal", "d1")
NOTHING = object()

VALUES: dict[str, list[Any]] = {
    "stage": [UNASSIGNED, QUOTATION, WON],
    "amount": [0, 5, "7.50", 1000],
    "count": [-1, 0, 1, 10],
    "urgent": [True, False],
    "tags": [["hot"], ["hot", "cold"], ["new"]],
    "name": ["Acme", "1", "True"],
    "due_on": ["2026-03-01", "2026-04-01"],
    "owner": ["u1", "u2"],
}
ONE = {"tags": ["hot", "cold", "new"]}  # an operator other than eq looks for one option
ORDERED_FIELDS = ("amount", "count", "due_on")


def compiled(document: dict[str, Any], version: int = 1) -> Scenario:
    problems: list[Any] = []
    read = read_scenario(document, version, SCHEMA, problems)
    assert read is not None and not problems, problems
    return read


def clause(field: str, op: str, value: Any = NOTHING) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is NOTHING else {"value": value})


@some.composite
def clauses(draw: Any) -> dict[str, Any]:
    field = draw(some.sampled_from(sorted(VALUES)))
    values, single = VALUES[field], ONE.get(field, VALUES[field])
    plain = ["eq", "ne", "in", "changed", "changed_to", "changed_from", "empty", "not_empty", "not_changed", "field"]
    op = draw(some.sampled_from(plain + (["gte", "lt", "rises_to", "falls_to"] if field in ORDERED_FIELDS else [])))
    match op:
        case "changed" | "not_changed" | "empty" | "not_empty":
            return clause(field, op)
        case "in":
            return clause(field, op, draw(some.lists(some.sampled_from(single), min_size=1, max_size=3)))
        case "changed_to" | "changed_from":
            several = some.lists(some.sampled_from(single), min_size=1, max_size=2)
            return clause(field, op, draw(some.sampled_from(single) | several))
        case "field":
            return clause(field, "eq", {"field": field})
        case _:
            return clause(field, op, draw(some.sampled_from(values)))


CONDITIONS = some.recursive(
    clauses(),
    lambda inner: (
        some.builds(lambda part: {"not": part}, inner)
        | some.builds(lambda parts: {"all": parts}, some.lists(inner, max_size=3))
        | some.builds(lambda parts: {"any": parts}, some.lists(inner, max_size=2))
    ),
    max_leaves=4,
)
STAGES = some.sampled_from(["stage", "count", "urgent", "owner", "name"]).flatmap(
    lambda field: some.lists(some.sampled_from(VALUES[field]), min_size=1, max_size=2).map(
        lambda values: {"stage": {"field": field, "is": values}}
    )
)
TRIGGERS = (
    some.sampled_from(["created", "updated", "saved", "deleted", "manual"]).map(lambda on: {"trigger": {"on": on}})
    | some.lists(some.sampled_from(sorted(VALUES)), min_size=1, max_size=2, unique=True).map(
        lambda fields: {"trigger": {"on": "updated", "fields": fields}}
    )
    | STAGES
)
DEFINITIONS = some.lists(some.tuples(TRIGGERS, some.none() | CONDITIONS), min_size=1, max_size=12)
FIELDS = some.fixed_dictionaries(
    {}, optional={name: some.none() | some.sampled_from(values) for name, values in VALUES.items()}
)
HISTORIES = some.lists(
    some.tuples(some.sampled_from(["created", "updated", "updated", "deleted"]), FIELDS, FIELDS), min_size=1, max_size=4
)


def comparisons(history: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> list[Comparison]:
    record, found = Record(KEY), []
    for number, (type, fields, previous) in enumerate(history):
        told = {name: canonical(KIND.fields[name], value) for name, value in fields.items()}
        before = {name: canonical(KIND.fields[name], value) for name, value in previous.items()}
        at = START + timedelta(minutes=number)
        found.append(compare(record, Change(f"c{number}", "crm", KEY, type, at, told, before)))  # type: ignore[arg-type]
        record = found[-1].after
    return found


def fires(definition: Scenario, comparison: Comparison) -> bool:
    """By brute force: the trigger, then the whole condition, on what the change shows."""
    if comparison.event is None or not definition.trigger.fires(comparison):
        return False
    after = comparison.known if comparison.event == "deleted" else comparison.after.current
    return definition.only_if.holds(View(comparison.known, after, comparison.change.occurred_at, ZoneInfo("UTC")))


@settings(max_examples=settings().max_examples * 3)
@given(definitions=DEFINITIONS, history=HISTORIES)
def test_matching_never_misses_a_scenario_that_fires(definitions, history):
    scenarios = [
        compiled(
            scenario(
                f"s{n:02}", **entry, **({"only_if": only_if} if only_if else {}), steps=[mail("m", {"after": "1 hour"})]
            )
        )
        for n, (entry, only_if) in enumerate(definitions)
    ]
    index = Index(scenarios)

    for comparison in comparisons(history):
        candidates = {s.name for s in index.candidates(comparison)}
        firing = {s.name for s in scenarios if fires(s, comparison)}
        assert firing <= candidates
        triggered = {s.name for s in scenarios if comparison.event and s.trigger.fires(comparison)}
        assert candidates <= triggered, "a candidate's trigger has fired"


@settings(max_examples=settings().max_examples)
@given(definitions=DEFINITIONS, history=HISTORIES)
def test_what_the_index_looks_up_is_true_whenever_the_scenario_fires(definitions, history):
    """Each guard by itself, filed alone: whichever of them the index picks, nothing is lost."""
    for entry, only_if in definitions:
        one = compiled(
            scenario("s", **entry, **({"only_if": only_if} if only_if else {}), steps=[mail("m", {"after": "1 hour"})])
        )
        assert all(
            slot[0] in ("value", "to", "rise", "touch", "event") for guard in guards(one) for slot in guard.slots()
        )
        for comparison in comparisons(history):
            if fires(one, comparison):
                assert [s.name for s in Index([one]).candidates(comparison)] == ["s"]


def crowd(count: int) -> list[Scenario]:
    """Scenarios of which each has an amount of its own in its condition."""
    return [
        compiled(
            scenario(
                f"n{n:04}",
                trigger={"on": "updated"},
                only_if=clause("amount", "eq", n),
                steps=[mail("m", {"after": "1 hour"})],
            )
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("only_if", "reason"),
    [
        (clause("amount", "eq", 1), "a value"),
        (clause("amount", "in", [1, 2]), "one of several values"),
        (clause("amount", "changed_to", 1), "what it becomes"),
        (clause("amount", "rises_to", 1), "a threshold"),
        ({"all": [clause("urgent", "empty"), clause("amount", "eq", 1)]}, "one of several clauses"),
        ({"any": [clause("amount", "eq", 1)]}, "an any of one"),
    ],
)
def test_a_change_does_not_even_meet_a_definition_whose_value_it_does_not_have(only_if, reason):
    index = Index(
        [compiled(scenario("s", trigger={"on": "updated"}, only_if=only_if, steps=[mail("m", {"after": "1 hour"})]))]
    )
    before, after = comparisons([("created", {"amount": 500}, {}), ("updated", {"amount": 600}, {})])

    assert index.candidates(before) == [] and index.candidates(after) == [], reason


def test_of_many_definitions_a_change_meets_only_those_that_can_fire():
    index = Index(crowd(1_000))
    change = comparisons([("created", {"amount": 0}, {}), ("updated", {"amount": 7}, {})])[1]

    assert [s.name for s in index.candidates(change)] == ["n0007"]


def test_many_thresholds_are_crossed_by_two_searches():
    rising = [
        compiled(
            scenario(
                f"r{n:03}",
                trigger={"on": "saved"},
                only_if=clause("amount", "rises_to", n),
                steps=[mail("m", {"after": "1 hour"})],
            )
        )
        for n in range(200)
    ]
    change = comparisons([("created", {"amount": 50}, {}), ("updated", {"amount": "53.5"}, {})])[1]

    assert [s.name for s in Index(rising).candidates(change)] == ["r051", "r052", "r053"]


def test_candidates_come_in_the_order_of_their_names():
    same = [compiled(scenario(name, steps=[mail("m", {"after": "1 hour"})])) for name in ("b", "a", "c")]

    assert [s.name for s in Index(same).candidates(comparisons([("created", {"stage": UNASSIGNED}, {})])[0])] == [
        "a",
        "b",
        "c",
    ]


def test_the_last_values_of_a_deleted_record_decide_who_hears_of_its_deletion():
    farewell = scenario(
        "bye", trigger={"on": "deleted"}, only_if=clause("stage", "eq", WON), steps=[mail("m", {"after": "0 minutes"})]
    )
    stage = Stage(farewell)
    stage.post("won", stage=WON)
    stage.post("lost", stage="Lost")

    stage.post("won", type_="deleted")
    stage.post("lost", type_="deleted")
    stage.advance(minutes=1)

    assert [(d.record.id, d.state) for d in stage.deliveries] == [("won", "sent")]


def test_a_stale_change_meets_nothing():
    index = Index([compiled(scenario("s", trigger={"on": "saved"}, steps=[mail("m", {"after": "1 hour"})]))])
    stage = Stage()
    stage.post(at=START + timedelta(hours=1), name="new")
    late = compare(stage.record(), stage.change(at=START, name="old"))

    assert (late.event, index.candidates(late)) == (None, [])


def test_why_a_deletion_was_not_heard_of_is_explained_by_the_last_values():
    farewell = scenario(
        "bye", trigger={"on": "deleted"}, only_if=clause("stage", "eq", WON), steps=[mail("m", {"after": "0 minutes"})]
    )
    stage = Stage(farewell)
    stage.post(stage="Lost")
    change = stage.post(type_="deleted").change.id

    (told,) = Explainer(stage.offline.catalog, stage.offline.records).explain(
        RecordKey("deal", "deal-7"), change, "bye"
    )

    assert (told["outcome"], told["why"]["saw"]) == ("not_matched", "Lost")
