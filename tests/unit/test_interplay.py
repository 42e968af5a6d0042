"""What definitions do to each other: loops, and fields that two of them write at the same time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from stagebell.adapters.memory.definitions import MemoryDefinitions
from stagebell.cli.tools import offline_tools
from stagebell.domain.collisions import collisions
from stagebell.domain.errors import InvalidInput, Problem
from stagebell.domain.interplay import Finding, Interplay
from stagebell.domain.objects import read_object, with_built_ins
from stagebell.domain.scenario_documents import read_scenario
from stagebell.domain.scenarios import Scenario
from stagebell.ports.definitions import Definition
from stagebell.services.define import Definer
from stagebell.services.warn import FINDING_LIMIT

STAGES = ["New", "Quote", "Won", "Lost"]
DEAL = {
    "name": "deal",
    "owner_field": "owner",
    "fields": {
        "name": {"type": "text"},
        "amount": {"type": "decimal"},
        "rounds": {"type": "integer"},
        "stage": {"type": "select", "options": STAGES},
        "tier": {"type": "select", "options": ["silver", "gold"]},
        "tags": {"type": "multi_select", "options": ["hot", "cold"]},
        "hot": {"type": "boolean"},
        "due_on": {"type": "date"},
        "closed_at": {"type": "datetime"},
        "owner": {"type": "reference", "object": "user"},
        "account": {"type": "reference", "object": "account"},
    },
}
ACCOUNT = {
    "name": "account",
    "fields": {
        "name": {"type": "text"},
        "tier": {"type": "select", "options": ["silver", "gold"]},
        "parent": {"type": "reference", "object": "account"},
    },
}
SCHEMA = with_built_ins({"deal": read_object(DEAL), "account": read_object(ACCOUNT)})

ANY_UPDATE = {"on": "updated"}
CREATED = {"on": "created"}
STAGE_CHANGE = {"on": "updated", "fields": ["stage"]}


TELL = {"type": "notify"}
TO_U1 = {"type": "assign_owner", "to": {"user": "u1"}}
IN_TURN = {"type": "assign_owner", "among": [{"role": "sales"}], "by": "round_robin"}
SCORE = {"type": "run_function", "function": "score"}
START_SECOND = {"type": "start_process", "process": "second"}
CALL = {"type": "create_task", "title": "Call"}
CALLED = {"type": "create_sales_record", "entry": "call"}


def entered(*stages: str) -> dict[str, Any]:
    return {"on": "stage_entered", "field": "stage", "is": list(stages)}


def left(*stages: str) -> dict[str, Any]:
    return {"on": "stage_left", "field": "stage", "is": list(stages)}


def clause(field: str, op: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def all_of(*clauses: Mapping[str, Any]) -> dict[str, Any]:
    return {"all": list(clauses)}


def sets(**fields: object) -> dict[str, Any]:
    return {"type": "update_field", "set": fields}


def workflow(name: str, trigger: Mapping[str, Any], *actions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    named = [{"name": f"step-{number}", **action} for number, action in enumerate(actions, 1)]
    return {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": named, **more}


def scenario(name: str, trigger: Mapping[str, Any], *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    timed = [{"name": f"step-{number}", "at": {"after": "2 hours"}, **step} for number, step in enumerate(steps, 1)]
    return {"kind": "scenario", "name": name, "object": "deal", "trigger": trigger, "steps": timed, **more}


def read(document: Mapping[str, Any]) -> Scenario:
    problems: list[Problem] = []
    compiled = read_scenario(document, 1, SCHEMA, problems)
    assert compiled is not None
    assert problems == []
    return compiled


def interplay_of(documents: Sequence[Mapping[str, Any]], allowed: Any = None) -> Interplay:
    return Interplay(map(read, documents), SCHEMA, allowed or {})


def cycles(*documents: Mapping[str, Any], about: Sequence[str] = (), allowed: Any = None) -> list[Finding]:
    made = interplay_of(documents, allowed)
    return list(made.cycles(about or list(made.scenarios)))


def edges(*documents: Mapping[str, Any], allowed: Any = None) -> set[tuple[str, str]]:
    made = interplay_of(documents, allowed)
    return {(name, other) for name in made.scenarios for other in made.edges(name)}


def both_write(*documents: Mapping[str, Any], about: Sequence[str] = ()) -> list[Finding]:
    made = interplay_of(documents)
    return list(collisions(made, about or list(made.scenarios), SCHEMA))


# --- what lets a record into another definition ----------------------------------------------------------------------

WRITES_WON = sets(stage="Won")


@pytest.mark.parametrize(
    ("action", "trigger", "only_if", "why"),
    [
        (WRITES_WON, entered("Won"), None, "the stage is entered"),
        (WRITES_WON, entered("Won", "Lost"), None, "one of several stages is entered"),
        (WRITES_WON, left("Quote"), None, "the record may have been in the stage that is left"),
        (WRITES_WON, STAGE_CHANGE, None, "the field changes"),
        (WRITES_WON, ANY_UPDATE, None, "any change lets records in"),
        (WRITES_WON, {"on": "saved"}, None, "a write is a save too"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "changed_to", "Won"), "it changes to just that"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "changed_from", "Lost"), "it may have been that before"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "in", ["Won", "Lost"]), "the value is one of the list"),
        (WRITES_WON, ANY_UPDATE, clause("amount", "gt", 5), "what is not written can be anything"),
        (WRITES_WON, ANY_UPDATE, clause("account.tier", "eq", "gold"), "a related record can be anything"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "eq", {"field": "tier"}), "another field can be anything"),
        (WRITES_WON, ANY_UPDATE, {"not": clause("stage", "eq", "Lost")}, "it is not what must not be"),
        (WRITES_WON, ANY_UPDATE, {"any": [clause("stage", "eq", "Lost"), clause("amount", "gt", 5)]}, "one will do"),
        (WRITES_WON, STAGE_CHANGE, clause("stage", "not_changed"), "it may have been won before"),
        ({"type": "set_stage", "field": "stage", "to": "Won"}, entered("Won"), None, "set_stage writes a stage"),
        (sets(stage={"template": "{{ deal.name }}"}), entered("Won"), None, "a template can come to anything"),
        (sets(stage={"field": "name"}), entered("Won"), None, "a copied value can be anything"),
        (sets(amount=150), ANY_UPDATE, clause("amount", "rises_to", 100), "it may have been less"),
        (sets(amount={"add": 1}), ANY_UPDATE, clause("amount", "rises_to", 100), "a sum can be anything"),
        (sets(due_on={"add": "3 days"}), {"on": "date", "field": "due_on"}, None, "the date is moved"),
        (sets(hot={"clear": True}), ANY_UPDATE, clause("hot", "empty"), "what is cleared is empty"),
        (sets(hot=False), ANY_UPDATE, clause("hot", "changed_to", False), "false is a value"),
        (sets(tags=["hot"]), ANY_UPDATE, clause("tags", "changed_to", "hot"), "one of the options is that"),
        (sets(tags={"add": ["hot"]}), ANY_UPDATE, clause("tags", "contains", "cold"), "it may have been there before"),
        (TO_U1, {"on": "updated", "fields": ["owner"]}, None, "the owner is a field"),
        (IN_TURN, ANY_UPDATE, clause("owner", "eq", "u7"), "u7 may be among them"),
        (SCORE, {"on": "updated", "fields": ["tier"]}, None, "the function may set it"),
        (START_SECOND, {"on": "manual"}, None, "it is started by name"),
        (START_SECOND, entered("Won"), None, "whatever its trigger is"),
    ],
)  # fmt: skip
def test_a_write_lets_a_record_into_what_listens_to_it(
    action: Mapping[str, Any], trigger: Mapping[str, Any], only_if: Any, why: str
) -> None:
    first = workflow("first", {"on": "manual"}, action)
    second = workflow("second", trigger, TELL, only_if=only_if)

    assert edges(first, second, allowed={"score": {"deal": ["tier"]}}) == {("first", "second")}, why


@pytest.mark.parametrize(
    ("action", "trigger", "only_if", "why"),
    [
        (WRITES_WON, entered("Lost"), None, "another stage is entered"),
        (WRITES_WON, left("Won"), None, "the stage is entered, not left"),
        (WRITES_WON, {"on": "updated", "fields": ["amount"]}, None, "another field is listened to"),
        (WRITES_WON, CREATED, None, "nothing is created"),
        (WRITES_WON, {"on": "deleted"}, None, "nothing is deleted"),
        (WRITES_WON, {"on": "manual"}, None, "nobody starts it by hand"),
        (WRITES_WON, {"on": "date", "field": "due_on"}, None, "the date stays"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "eq", "Lost"), "the value is another one"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "changed_to", ["Lost", "New"]), "none of these is written"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "changed_from", "Won"), "it cannot change from what it becomes"),
        (WRITES_WON, ANY_UPDATE, clause("amount", "changed"), "what is not written does not change"),
        (WRITES_WON, ANY_UPDATE, clause("amount", "rises_to", 5), "what is not written does not rise"),
        (WRITES_WON, ANY_UPDATE, clause("stage", "empty"), "there is a value"),
        (WRITES_WON, ANY_UPDATE, {"not": clause("stage", "eq", "Won")}, "it is what must not be"),
        (WRITES_WON, ANY_UPDATE, {"any": [clause("stage", "eq", "Lost"), clause("hot", "changed")]}, "neither can be"),
        (WRITES_WON, ANY_UPDATE, all_of(clause("amount", "gt", 5), clause("stage", "ne", "Won")), "both must hold"),
        (sets(amount=50), ANY_UPDATE, clause("amount", "rises_to", 100), "it does not reach it"),
        (sets(amount=150), ANY_UPDATE, clause("amount", "between", [1, 100]), "it is outside"),
        (sets(amount={"add": 1}), ANY_UPDATE, clause("amount", "empty"), "a sum is never empty"),
        (sets(closed_at={"now": True}), ANY_UPDATE, clause("closed_at", "empty"), "now is never empty"),
        (sets(hot={"clear": True}), ANY_UPDATE, clause("hot", "eq", False), "what is cleared is not even false"),
        (sets(due_on={"clear": True}), {"on": "date", "field": "due_on"}, None, "without a date there is no day"),
        (sets(tags=["hot"]), ANY_UPDATE, clause("tags", "contains", "cold"), "the option is not there"),
        (TO_U1, ANY_UPDATE, clause("owner", "eq", "u7"), "it is u1 who gets it"),
        (SCORE, STAGE_CHANGE, None, "the function may not set it"),
        ({"type": "run_function", "function": "other"}, ANY_UPDATE, None, "the function may set nothing"),
        ({"type": "start_process", "process": "third"}, {"on": "manual"}, None, "another one is started"),
        (START_SECOND, entered("Won"), clause("stage", "changed"), "by hand nothing changes"),
        ({"type": "lock_record"}, {"on": "saved"}, None, "a lock is no change that lets records in"),
        ({"type": "unlock_record"}, {"on": "saved"}, None, "nor is its end"),
        ({"type": "call_webhook", "url": "https://a.example"}, {"on": "saved"}, None, "what others do is not known"),
        (CALL, {"on": "saved"}, None, "a task is another record"),
        (sets(tier="gold", **{}) | {"related": "account"}, ANY_UPDATE, None, "the account is another record"),
    ],
)  # fmt: skip
def test_a_write_does_not_reach_what_it_cannot_start(
    action: Mapping[str, Any], trigger: Mapping[str, Any], only_if: Any, why: str
) -> None:
    first = workflow("first", {"on": "manual"}, action)
    second = workflow("second", trigger, TELL, only_if=only_if)

    assert edges(first, second, allowed={"score": {"deal": ["tier"], "account": ["stage"]}}) == set(), why


@pytest.mark.parametrize(
    ("first", "starts", "why"),
    [
        (workflow("first", entered("Won"), sets(stage="Quote")), False, "it comes from Won, not from Lost"),
        (workflow("first", entered("Won", "Lost"), sets(stage="Quote")), True, "it may come from Lost"),
        (workflow("first", left("Lost"), sets(stage="Won")), False, "it has left Lost just now"),
        (workflow("first", left("Won"), sets(stage="Quote")), True, "it may have gone from Won to Lost"),
        (scenario("first", left("Lost"), sets(stage="Won")), True, "it may be back in two hours"),
        (scenario("first", entered("Won"), sets(stage="Quote")), True, "it may have got anywhere in two hours"),
        (
            scenario("first", entered("Won"), sets(stage="Quote") | {"unless_changed": True}),
            False,
            "the step is skipped where it is not in Won any more",
        ),
        (
            scenario("first", ANY_UPDATE, sets(stage="Quote") | {"only_if": clause("stage", "eq", "New")}),
            False,
            "the step looks before it writes",
        ),
        (
            workflow("first", ANY_UPDATE, sets(stage="Quote"), only_if=clause("stage", "changed_to", "Won")),
            False,
            "won",
        ),
        (workflow("first", ANY_UPDATE, sets(stage="Quote"), only_if=clause("amount", "gt", 5)), True, "nothing known"),
        (workflow("first", entered("Won"), sets(stage="Lost"), sets(stage="New")), True, "an earlier action moved it"),
    ],
)
def test_what_a_step_knows_of_its_record_says_which_stage_it_leaves(
    first: Mapping[str, Any], starts: bool, why: str
) -> None:
    second = workflow("second", left("Lost"), TELL)

    assert (("first", "second") in edges(first, second)) is starts, why


def test_nothing_is_known_of_what_another_definition_may_change_meanwhile() -> None:
    first = workflow("first", entered("Won"), sets(stage="Quote"))
    meanwhile = workflow("meanwhile", {"on": "deleted"}, sets(stage="Lost"))
    second = workflow("second", left("Lost"), TELL)

    assert ("first", "second") not in edges(first, second)
    assert ("first", "second") in edges(first, second, meanwhile)


@pytest.mark.parametrize(
    "first",
    [
        workflow("first", entered("Won"), sets(stage="Quote")),
        scenario("first", entered("Won"), sets(stage="Quote") | {"unless_changed": True}),
    ],
    ids=["at once", "unless changed"],
)
def test_a_trigger_says_nothing_of_records_for_which_the_definition_was_started_by_name(first: Any) -> None:
    starter = workflow("starter", CREATED, {"type": "start_process", "process": "first"})
    second = workflow("second", left("Lost"), TELL)

    assert ("first", "second") not in edges(first, second)
    assert ("first", "second") in edges(first, second, starter)


def test_what_the_record_is_already_is_not_written() -> None:
    first = workflow("first", entered("Won"), sets(stage="Won"))
    second = workflow("second", STAGE_CHANGE, TELL)

    assert edges(first, second) == set()


def test_a_related_record_is_updated_as_a_record_of_its_own_object() -> None:
    up = workflow("up", ANY_UPDATE, sets(tier="gold") | {"related": "account"}, only_if=clause("tier", "changed"))
    gold = workflow("gold", {"on": "updated", "fields": ["tier"]}, TELL, object="account")
    silver = workflow("silver", ANY_UPDATE, TELL, object="account", only_if=clause("tier", "changed_to", "silver"))

    assert edges(up, gold, silver) == {("up", "gold")}


@pytest.mark.parametrize(
    ("action", "trigger", "object_name", "only_if"),
    [
        (CALL, CREATED, "task", clause("state", "eq", "open")),
        (CALL, {"on": "stage_entered", "field": "state", "is": "open"}, "task", None),
        (CALL, {"on": "date", "field": "due_at"}, "task", None),
        (CALL, CREATED, "task", clause("record_object", "eq", "deal")),
        ({"type": "create_event", "title": "Visit"}, {"on": "saved"}, "calendar_event", clause("invite", "eq", True)),
        (CALLED, CREATED, "sales_record", clause("kind", "eq", "call")),
    ],
)  # fmt: skip
def test_a_new_follow_up_starts_what_listens_to_its_kind(
    action: Any, trigger: Any, object_name: str, only_if: Any
) -> None:
    first = workflow("first", {"on": "manual"}, action)
    second = workflow("second", trigger, TELL, object=object_name, only_if=only_if)

    assert edges(first, second) == {("first", "second")}


@pytest.mark.parametrize(
    ("trigger", "only_if", "why"),
    [
        ({"on": "updated"}, None, "it is created, not updated"),
        (CREATED, clause("state", "eq", "done"), "a new task is open"),
        (CREATED, clause("done_at", "not_empty"), "what is not written of a new record is missing"),
        (CREATED, clause("record_object", "eq", "account"), "it is about a deal"),
        (CREATED, clause("state", "changed_from", "done"), "it was nothing before"),
    ],
)
def test_a_new_task_does_not_start_what_asks_for_another(trigger: Any, only_if: Any, why: str) -> None:
    first = workflow("first", {"on": "manual"}, CALL)
    second = workflow("second", trigger, TELL, object="task", only_if=only_if)

    assert edges(first, second) == set(), why


# --- cycles ----------------------------------------------------------------------------------------------------------


def test_two_workflows_that_feed_each_other_are_a_cycle() -> None:
    tell_owner = workflow("tell-owner", entered("Won"), TELL, sets(stage="Lost"))
    chase = scenario("chase", entered("Lost"), sets(stage="Won"))

    (found,) = cycles(tell_owner, chase, about=["tell-owner"])

    assert (found.rule, found.definitions) == ("cycle", ("tell-owner", "chase"))
    assert found.message.startswith(
        "tell-owner (step step-2) writes deal.stage, which starts chase; "
        "chase (step step-1) writes deal.stage, which starts tell-owner: "
    )


def test_a_definition_that_lets_its_own_record_in_again_is_a_cycle() -> None:
    (found,) = cycles(workflow("count", ANY_UPDATE, sets(rounds={"add": 1})))

    assert found.definitions == ("count",)
    assert found.message.startswith("count (step step-1) writes deal.rounds, which starts count again: ")


def test_a_chain_of_three_is_told_all_the_way_round() -> None:
    a = workflow("a", entered("New"), sets(stage="Quote"))
    b = workflow("b", entered("Quote"), sets(hot=True))
    c = workflow("c", {"on": "updated", "fields": ["hot"]}, sets(stage="New"))

    (found,) = cycles(a, b, c, about=["b"])

    assert found.definitions == ("b", "c", "a")
    assert [part.split(":")[0] for part in found.message.split("; ")] == [
        "b (step step-1) writes deal.hot, which starts c",
        "c (step step-1) writes deal.stage, which starts a",
        "a (step step-1) writes deal.stage, which starts b",
    ]


def test_two_ways_round_are_one_finding_that_names_everybody() -> None:
    a = workflow("a", entered("New"), sets(stage="Quote"))
    b = workflow("b", entered("Quote"), sets(stage="New"))
    c = workflow("c", entered("Quote"), sets(stage="New", hot=True))

    (found,) = cycles(a, b, c)

    assert sorted(found.definitions) == ["a", "b", "c"]
    assert "(in the same loop: c)" in found.message


def test_loops_that_have_nothing_to_do_with_each_other_are_told_apart() -> None:
    one = workflow("one", {"on": "updated", "fields": ["rounds"]}, sets(rounds={"add": 1}))
    two = workflow("two", {"on": "updated", "fields": ["amount"]}, sets(amount={"add": 1}))

    assert [found.definitions for found in cycles(one, two)] == [("one",), ("two",)]
    assert [found.definitions for found in cycles(one, two, about=["two"])] == [("two",)]


def test_a_cycle_that_others_only_lead_into_is_not_theirs() -> None:
    into = workflow("into", CREATED, sets(rounds=1))
    loop = workflow("loop", {"on": "updated", "fields": ["rounds"]}, sets(rounds={"add": 1}))

    assert cycles(into, loop, about=["into"]) == []


def test_a_cycle_may_go_through_a_related_record() -> None:
    down = workflow("down", {"on": "updated", "fields": ["tier"]}, sets(tier="gold") | {"related": "account"})
    tree = workflow("tree", ANY_UPDATE, sets(name="x") | {"related": "parent"}, object="account")

    assert [found.message.split(":")[0] for found in cycles(down, tree)] == [
        "tree (step step-1) writes account.name, which starts tree again"
    ]


def test_tasks_that_make_tasks_are_a_cycle() -> None:
    deal = workflow("deal-task", CREATED, CALL)
    task = workflow("task-task", CREATED, {"type": "create_task", "title": "Again"}, object="task")

    (found,) = cycles(deal, task)

    assert found.message.startswith("task-task (step step-1) creates a task, which starts task-task again: ")


def test_processes_that_start_each_other_are_a_cycle() -> None:
    ping = workflow("ping", {"on": "manual"}, {"type": "start_process", "process": "pong"})
    pong = scenario("pong", {"on": "manual"}, {"type": "start_process", "process": "ping"})

    (found,) = cycles(ping, pong)

    assert found.message.startswith("ping (step step-1) starts pong; pong (step step-1) starts ping: ")


def test_a_date_that_is_moved_on_when_it_is_reached_is_a_cycle() -> None:
    renew = workflow("renew", {"on": "date", "field": "due_on"}, sets(due_on={"add": "1 year"}))

    assert [found.definitions for found in cycles(renew)] == [("renew",)]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            workflow("w", ANY_UPDATE, sets(closed_at={"now": True}), only_if=clause("closed_at", "empty")),
            "it is set then",
        ),
        (workflow("w", ANY_UPDATE, sets(hot=True), only_if=clause("hot", "ne", True)), "the literal ends it"),
        (workflow("w", ANY_UPDATE, sets(hot=True), only_if=clause("stage", "changed_to", "Won")), "the stage stays"),
        (workflow("w", {"on": "updated", "fields": ["stage"]}, sets(hot=True)), "it listens to something else"),
        (workflow("w", entered("Won", "Lost"), sets(stage="Won")), "it is inside already"),
        (workflow("w", ANY_UPDATE, sets(rounds={"add": 1}), reentry="once"), "each record is let in once"),
    ],
)
def test_a_definition_that_shuts_the_door_behind_itself_is_no_cycle(document: Mapping[str, Any], why: str) -> None:
    assert cycles(document) == [], why


def test_a_definition_that_lets_records_in_once_ends_the_loops_through_it() -> None:
    once = workflow("once", entered("Won"), sets(stage="Lost"), reentry="once")
    back = workflow("back", entered("Lost"), sets(stage="Won"))

    assert cycles(once, back) == []


def test_a_loop_that_makes_new_records_is_not_ended_by_once() -> None:
    once = workflow("once", CREATED, {"type": "create_task", "title": "Again"}, object="task", reentry="once")

    assert [found.definitions for found in cycles(once)] == [("once",)]


def test_a_definition_that_edits_its_task_and_makes_another_goes_on_for_ever() -> None:
    edit, more = sets(title="Seen"), {"type": "create_task", "title": "Again"}
    both = workflow("both", {"on": "saved"}, edit, more, object="task", reentry="once")

    assert [found.definitions for found in cycles(both)] == [("both",)]


def test_a_ring_of_a_thousand_definitions_is_told_without_recursion() -> None:
    ring = [
        workflow(f"w{n}", {"on": "manual"}, {"type": "start_process", "process": f"w{(n + 1) % 1_000}"})
        for n in range(1_000)
    ]

    (found,) = cycles(*ring, about=["w7"])

    assert len(found.definitions) == 1_000


def test_definitions_that_all_listen_to_everything_do_not_take_for_ever() -> None:
    crowd = [read(workflow(f"w{n}", ANY_UPDATE, sets(rounds={"add": n}))) for n in range(50)]

    found, last = Interplay(crowd, SCHEMA, {}, pairs=120).cycles(["w7"])

    assert "w7" in found.definitions
    assert len(found.definitions) < 50
    assert (last.rule, last.definitions) == ("unfinished", ())
    assert "there may be more loops" in last.message


def test_what_was_tried_to_the_last_pair_is_not_called_unfinished() -> None:
    crowd = [read(workflow(f"w{n}", ANY_UPDATE, sets(rounds={"add": n}))) for n in range(10)]

    assert [found.rule for found in Interplay(crowd, SCHEMA, {}, pairs=100).cycles(["w7"])] == ["cycle"]
    assert [found.rule for found in Interplay(crowd, SCHEMA, {}, pairs=99).cycles(["w7"])] == ["cycle", "unfinished"]


# --- two definitions, one field --------------------------------------------------------------------------------------


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


# --- kept and checked definitions ------------------------------------------------------------------------------------


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
