"""Matching one change against many active definitions, beside general rule libraries that try each of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import rule_engine
from json_logic import jsonLogic

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.conditions import View
from stagebell.domain.matching import Index
from stagebell.domain.objects import read_object, with_built_ins
from stagebell.domain.records import Comparison, Record, compare
from stagebell.domain.scenario_documents import read_scenario
from stagebell.domain.scenarios import Scenario
from tests.benchmarks.measure import cpu_of
from tests.benchmarks.report import Figures

TOPIC = "Matching"
SIZES = (10, 100, 1_000, 10_000)
CAN_FIRE = 3
CROWDED = 100
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STAGES = ("New", "Quotation in progress", "Negotiation", "Won", "Lost")
PRIORITIES = ("High", "Medium", "Low")

SCHEMA = with_built_ins(
    {
        "deal": read_object(
            {
                "name": "deal",
                "fields": {
                    "stage": {"type": "select", "options": list(STAGES)},
                    "department": {"type": "text"},
                    "priority": {"type": "select", "options": list(PRIORITIES)},
                    "amount": {"type": "currency", "currency": "EUR"},
                },
            }
        )
    }
)


TRIGGERS = (
    {"on": "updated", "fields": ["stage"]},
    {"on": "saved"},
    {"on": "updated", "fields": ["stage", "department"]},
    {"on": "updated"},
)
"""Of the workflows: all of them fire when the stage changes."""


def compiled(**document: Any) -> Scenario:
    problems: list[Any] = []
    scenario = read_scenario({"object": "deal", **document}, 1, SCHEMA, problems)
    assert scenario is not None and not problems, problems
    return scenario


@dataclass(frozen=True, slots=True)
class Rule:
    """A deal of a department enters a stage, with one of two priorities and at least an amount."""

    name: str
    stage: str
    department: str
    priorities: tuple[str, ...]
    amount: int

    @property
    def conditions(self) -> list[dict[str, Any]]:
        return [
            {"field": "department", "op": "eq", "value": self.department},
            {"field": "priority", "op": "in", "value": list(self.priorities)},
            {"field": "amount", "op": "gte", "value": self.amount},
        ]

    def scenario(self) -> Scenario:
        stage = {"field": "stage", "is": self.stage}
        steps = [{"name": "mail", "type": "send_email", "at": {"after": "2 hours"}}]
        return compiled(kind="scenario", name=self.name, stage=stage, only_if={"all": self.conditions}, steps=steps)

    def workflow(self, trigger: Mapping[str, Any]) -> Scenario:
        entered = {"field": "stage", "op": "changed_to", "value": self.stage}
        actions = [{"name": "move", "type": "set_stage", "field": "stage", "to": self.stage}]
        only_if = {"all": [entered, *self.conditions]}
        return compiled(kind="workflow", name=self.name, trigger=trigger, only_if=only_if, actions=actions)

    def either(self) -> Scenario:
        """A scenario, or a workflow with one of several triggers."""
        number = int(self.name.rpartition("-")[2])
        return self.workflow(TRIGGERS[number % len(TRIGGERS)]) if number % 2 else self.scenario()

    def rule_engine(self) -> rule_engine.Rule:
        priorities = ", ".join(f'"{priority}"' for priority in self.priorities)
        return rule_engine.Rule(
            f'after_stage == "{self.stage}" and before_stage != "{self.stage}" and department == "{self.department}" '
            f"and priority in [{priorities}] and amount >= {self.amount}"
        )

    def json_logic(self) -> dict[str, Any]:
        clauses = [
            {"==": [{"var": "after_stage"}, self.stage]},
            {"!=": [{"var": "before_stage"}, self.stage]},
            {"==": [{"var": "department"}, self.department]},
            {"in": [{"var": "priority"}, list(self.priorities)]},
            {">=": [{"var": "amount"}, self.amount]},
        ]
        return {"and": clauses}


@cache
def rules(total: int, of_one_department: int = CAN_FIRE) -> tuple[Rule, ...]:
    """`total` rules; as many as can fire share the department, stage and priorities of the change below."""
    return tuple(
        Rule(
            name=f"rule-{number:05}",
            stage=STAGES[1 if number < CAN_FIRE else number % len(STAGES)],
            department=f"Department {number // of_one_department}",
            priorities=PRIORITIES[:2] if number < CAN_FIRE or number % 2 else PRIORITIES[1:],
            amount=1_000 if number < CAN_FIRE else 1_000_000,
        )
        for number in range(total)
    )


def change() -> Comparison:
    key = RecordKey("deal", "deal-7")
    before = {"stage": "New", "department": "Department 0", "priority": "High", "amount": "25000"}
    known = compare(Record(key), Change("crm:1", "crm", key, "created", NOW, before)).after
    return compare(known, Change("crm:2", "crm", key, "updated", NOW, {"stage": "Quotation in progress"}))


def view_of(comparison: Comparison) -> View:
    return View(comparison.known, comparison.after.current, NOW, ZoneInfo("UTC"))


def by_index(scenarios: list[Scenario]) -> Callable[[], list[str]]:
    index, comparison = Index(scenarios), change()
    view = view_of(comparison)
    return lambda: [s.name for s in index.candidates(comparison) if s.only_if.holds(view)]


def by_trying_each(scenarios: list[Scenario]) -> Callable[[], list[str]]:
    comparison = change()
    view = view_of(comparison)
    return lambda: [s.name for s in scenarios if s.trigger.fires(comparison) and s.only_if.holds(view)]


def by_rule_engine(chosen: tuple[Rule, ...]) -> Callable[[], list[str]]:
    compiled, facts = [(rule.name, rule.rule_engine()) for rule in chosen], facts_of(change())
    return lambda: [name for name, rule in compiled if rule.matches(facts)]


def by_json_logic(chosen: tuple[Rule, ...]) -> Callable[[], list[str]]:
    compiled, facts = [(rule.name, rule.json_logic()) for rule in chosen], facts_of(change())
    return lambda: [name for name, rule in compiled if jsonLogic(rule, facts)]


def facts_of(comparison: Comparison) -> dict[str, Any]:
    after = dict(comparison.after.current)
    stages = {"before_stage": comparison.known["stage"], "after_stage": after["stage"]}
    return after | stages | {"amount": int(Decimal(str(after["amount"])))}


def seconds_each(match: Callable[[], list[str]], times: int) -> float:
    """CPU of one call that finds the three rules that can fire."""
    assert match() == [rule.name for rule in rules(CAN_FIRE)]

    def often() -> None:
        for _ in range(times):
            match()

    return cpu_of(often, rounds=7) / times


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"


@pytest.fixture(scope="module")
def at_each_size() -> dict[int, float]:
    found = {}
    for size in SIZES:
        match = by_index([rule.scenario() for rule in rules(size)])
        found[size] = seconds_each(match, 2_000)
    return found


def test_matching_takes_the_same_however_many_definitions_there_are(
    at_each_size: dict[int, float], figures: Figures
) -> None:
    figures.explain(
        TOPIC,
        "CPU time for one change: a deal moves into a stage. Each definition names the stage it waits for, a "
        "department, two priorities and an amount; three of them fire. The peers try the same conditions one by one.",
    )
    least = at_each_size[SIZES[0]]
    for size, seconds in at_each_size.items():
        aim = "≤ 2" if size == SIZES[-1] else ""
        figures.add(
            TOPIC, f"{size:,} definitions", micro(seconds), beside=f"{seconds / least:.2f} times that at 10", aim=aim
        )


def test_matching_workflows_among_scenarios(at_each_size: dict[int, float], figures: Figures) -> None:
    seconds = seconds_each(by_index([rule.either() for rule in rules(SIZES[-1])]), 2_000)

    what = f"{SIZES[-1]:,} definitions, half of them workflows with several triggers"
    figures.add(
        TOPIC, what, micro(seconds), beside=f"{seconds / at_each_size[SIZES[0]]:.2f} times that at 10", aim="≤ 2"
    )


def test_matching_beside_workflows_that_only_watch_other_fields(
    at_each_size: dict[int, float], figures: Figures
) -> None:
    watching = {"on": "updated", "fields": ["priority", "amount"]}
    actions = [{"name": "move", "type": "set_stage", "field": "stage", "to": "Won"}]
    others = [compiled(kind="workflow", name=f"watch-{n}", trigger=watching, actions=actions) for n in range(SIZES[-1])]

    seconds = seconds_each(by_index([*(rule.scenario() for rule in rules(SIZES[0])), *others]), 2_000)

    what = f"10 definitions, and {SIZES[-1]:,} workflows that watch two other fields, without conditions"
    figures.add(
        TOPIC, what, micro(seconds), beside=f"{seconds / at_each_size[SIZES[0]]:.2f} times that at 10", aim="≤ 2"
    )


def test_matching_where_many_definitions_share_every_value(at_each_size: dict[int, float], figures: Figures) -> None:
    scenarios = [rule.scenario() for rule in rules(SIZES[-1], CROWDED)]

    seconds = seconds_each(by_index(scenarios), 500)

    what = f"{SIZES[-1]:,} definitions, {CROWDED} of them for the change's department"
    figures.add(TOPIC, what, micro(seconds), beside=f"{seconds / at_each_size[SIZES[0]]:.1f} times that at 10")


@pytest.mark.parametrize(
    ("peer", "matcher", "aim"),
    [
        ("a loop over our own compiled conditions", by_trying_each, ""),
        ("rule-engine 5.1.0", by_rule_engine, "< 1/1,000"),
        ("panzi-json-logic 1.0.1", by_json_logic, "< 1/1,000"),
    ],
)
def test_matching_beside_its_peers(
    peer: str,
    matcher: Callable[[Any], Callable[[], list[str]]],
    aim: str,
    at_each_size: dict[int, float],
    figures: Figures,
) -> None:
    size, chosen = SIZES[-1], rules(SIZES[-1])

    seconds = seconds_each(matcher([rule.scenario() for rule in chosen] if matcher is by_trying_each else chosen), 1)

    ratio = f"ours is 1/{seconds / at_each_size[size]:,.0f} of it"
    figures.add(TOPIC, f"{size:,} definitions, {peer}", micro(seconds), beside=ratio, aim=aim)
