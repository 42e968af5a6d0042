"""What definitions do to each other: what lets a record into which, and the loops that come of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from stagebell.domain.interplay import Interplay
from tests.unit.playing import (
    ANY_UPDATE,
    CALL,
    CALLED,
    CREATED,
    IN_TURN,
    SCHEMA,
    SCORE,
    STAGE_CHANGE,
    START_SECOND,
    TELL,
    TO_U1,
    all_of,
    clause,
    cycles,
    edges,
    entered,
    left,
    read,
    scenario,
    sets,
    workflow,
)

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
