"""The action run_function: what a function is told, what it may answer, and what is done with it, once."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from functions.examples.credit_check.handler import lambda_handler as credit_check
from stagebell.cli.yaml_text import read_documents
from stagebell.contracts.answers import read_answer
from stagebell.contracts.definitions.kinds import read_definition
from stagebell.domain.deliveries import Delivery
from stagebell.domain.errors import DeliveryRejected, DeliveryThrottled, DeliveryUnavailable, DeliveryUnknown
from stagebell.domain.executions import Task
from stagebell.services.deliver import RESENDS
from tests.stage import START, Stage

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events/functions/v1"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:credit-check:live"
ORDER = {
    "kind": "object",
    "name": "order",
    "fields": {
        "name": {"type": "text", "required": True},
        "amount": {"type": "currency", "currency": "EUR"},
        "credit": {"type": "select", "options": ["Approved", "On hold"]},
        "credit_limit": {"type": "currency", "currency": "EUR"},
        "checked_on": {"type": "date"},
        "urgent": {"type": "boolean"},
        "count": {"type": "integer"},
        "share": {"type": "decimal"},
        "tags": {"type": "multi_select", "options": ["hot", "cold", "new"]},
        "note": {"type": "text"},
        "secret": {"type": "text"},
        "account": {"type": "reference", "object": "account"},
    },
}
SETS = ["name", "credit", "credit_limit", "checked_on", "urgent", "count", "share", "tags", "note"]
FUNCTION = {"kind": "function", "name": "credit-check", "arn": ARN, "timeout": 7, "sets": {"order": SETS}}


def workflow(**more: Any) -> dict[str, Any]:
    top = {key: more.pop(key) for key in ("on_unknown", "actions", "trigger") if key in more}
    action = {"name": "check", "type": "run_function", "function": "credit-check", **more}
    return {"kind": "workflow", "name": "on-order", "object": "order", "trigger": {"on": "created"}, **top} | {
        "actions": [action, *top.get("actions", [])]
    }


def stage_with(*definitions: dict[str, Any], **more: Any) -> Stage:
    return Stage(ORDER, *(definitions or (FUNCTION,)), workflow(**more))


class Function:
    """Answers what it is told to, or raises; an object is answered to every call."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.calls = list(answers), 0

    def __call__(self, event: dict[str, Any], context: None) -> Any:
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def place(stage: Stage, function: Any, **fields: Any) -> None:
    """An order comes in; its step is due, and not yet at work."""
    stage.offline.functions.handlers[ARN] = function
    stage.post("order-1", object="order", type_="created", **{"name": "Pumps", "amount": "4800", **fields})


def run(stage: Stage, function: Any, **fields: Any) -> Stage:
    place(stage, function, **fields)
    stage.advance(seconds=1)
    return stage


def act(stage: Stage, **more: Any) -> None:
    (found,) = orders(stage)
    stage.offline.actor.act(Task(found.id, "check", 1, START, **more), stage.offline.actions["run_function"])


def orders(stage: Stage) -> list[Any]:
    from stagebell.domain.changes import RecordKey

    return list(stage.offline.runs.of_record(RecordKey("order", "order-1")).items)


def step(stage: Stage) -> Any:
    return orders(stage)[0].steps[0]


def order(stage: Stage) -> dict[str, Any]:
    return dict(stage.record("order-1", "order").fields)


def only(stage: Stage) -> Delivery:
    (delivery,) = stage.deliveries
    return delivery


# --- what it is told


def test_a_function_is_told_about_the_record_the_step_and_its_parameters() -> None:
    stage = stage_with(
        parameters={
            "limit": 5,
            "words": ["a", "b"],
            "tier": {"field": "account.tier"},
            "amount": {"field": "amount"},
            "nobody": {"field": "note"},
            "greeting": {"template": "Order {{ order.name }} of {{ record.account.name }}"},
        }
    )
    stage.post("a1", object="account", name="Acme", tier="gold")

    run(stage, Function(None), account="a1")

    (payload,) = stage.offline.functions.invoked
    assert payload == {
        "version": 1,
        "id": only(stage).key,
        "function": "credit-check",
        "record": {
            "object": "order",
            "id": "order-1",
            "fields": {"name": "Pumps", "amount": "4800", "account": "a1"},
        },
        "run": orders(stage)[0].id,
        "definition": "on-order",
        "step": "check",
        "parameters": {
            "limit": 5,
            "words": ["a", "b"],
            "tier": "gold",
            "amount": "4800",
            "nobody": None,
            "greeting": "Order Pumps of Acme",
        },
    }


def test_what_a_function_is_told_today_has_the_keys_of_the_released_sample() -> None:
    stage = run(stage_with(), Function(None))

    sample = json.loads((EVENTS / "invocation.json").read_text())
    (payload,) = stage.offline.functions.invoked
    assert payload.keys() == sample.keys()
    assert payload["record"].keys() == sample["record"].keys()
    assert payload["version"] == sample["version"]


def test_a_function_is_waited_for_as_long_as_its_definition_says(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    stage = stage_with()
    monkeypatch.setattr(stage.offline.functions, "invoke", lambda arn, payload, timeout: waited.append(timeout))

    run(stage, Function(None))

    assert waited == [7]


# --- what it may answer


@pytest.mark.parametrize(
    ("answer", "fields", "reason"),
    [
        (None, {}, "nothing"),
        ({}, {}, "nothing either"),
        ({"set": {}}, {}, "no field"),
        ({"set": None, "message": None}, {}, "nulls"),
        ({"set": {"credit": "Approved"}}, {"credit": "Approved"}, "an option"),
        ({"set": {"credit_limit": 5000.50}}, {"credit_limit": "5000.5"}, "a number with a point"),
        ({"set": {"credit_limit": "5000.50"}}, {"credit_limit": "5000.5"}, "decimal text"),
        ({"set": {"count": 3}}, {"count": 3}, "a whole number"),
        ({"set": {"count": 3.0}}, {"count": 3}, "a whole number, as JavaScript may write it"),
        ({"set": {"share": 0.1}}, {"share": "0.1"}, "exact"),
        ({"set": {"urgent": False}}, {"urgent": False}, "false is a value"),
        ({"set": {"tags": ["new", "hot"]}}, {"tags": ["hot", "new"]}, "in the order of the options"),
        ({"set": {"checked_on": "2026-11-20"}}, {"checked_on": "2026-11-20"}, "a date"),
        ({"set": {"note": "Müller 报价"}}, {"note": "Müller 报价"}, "any text"),
    ],
)
def test_what_an_answer_sets_is_set(answer: Any, fields: dict[str, Any], reason: str) -> None:
    stage = run(stage_with(), Function(answer))

    assert order(stage) == {"name": "Pumps", "amount": "4800", **fields}, reason
    assert (step(stage).status, step(stage).deliveries) == ("acted", (only(stage).key,))
    assert (only(stage).channel, only(stage).recipient, only(stage).state) == ("function", "credit-check", "sent")


def test_an_answer_may_empty_a_field_and_set_others() -> None:
    stage = run(
        stage_with(), Function({"set": {"note": None, "tags": [], "credit": "On hold"}}), note="x", tags=["hot"]
    )

    assert {name: order(stage).get(name) for name in ("note", "tags", "credit")} == {
        "note": None,
        "tags": None,
        "credit": "On hold",
    }


def test_an_answer_that_changes_nothing_is_no_change() -> None:
    stage = run(stage_with(), Function({"set": {"credit": "Approved"}}), credit="Approved")

    assert (step(stage).status, step(stage).reason) == ("acted", "unchanged")
    assert stage.record("order-1", "order").version == 1


def test_the_message_of_an_answer_is_kept_on_the_step_and_the_answer_on_the_delivery() -> None:
    stage = run(stage_with(), Function({"set": {"credit": "On hold"}, "message": "too much"}))

    assert step(stage).why == {"message": "too much"}
    assert only(stage).answer == {"set": {"credit": "On hold"}, "message": "too much"}


def test_what_a_function_sets_is_a_change_that_other_definitions_hear_of() -> None:
    mail = {"name": "mail", "type": "send_email", "to": [{"address": "desk@example.com"}], "subject": "s", "text": "t"}
    heard = {"kind": "workflow", "name": "heard", "object": "order", "trigger": {"on": "updated", "fields": ["credit"]}}
    stage = stage_with(FUNCTION, {**heard, "actions": [mail]})

    run(stage, Function({"set": {"credit": "On hold"}}))
    stage.advance(seconds=1)

    assert [delivery.step for delivery in stage.deliveries] == ["check", "mail"]
    assert orders(stage)[0].causes == (orders(stage)[1].id,)


@pytest.mark.parametrize(
    ("answer", "said", "reason"),
    [
        ([], "expected null", "a list"),
        ("yes", "expected null", "text"),
        (True, "expected null", "true"),
        ({"fields": {"credit": "On hold"}}, "no key fields", "a key of its own"),
        ({"set": {"credit": "On hold"}, "status": 200, "body": "{}"}, "no key status", "the answer of a web server"),
        ({"set": ["credit"]}, "set: ", "a list of fields"),
        ({"set": {"Credit!": 1}}, "set", "no field name"),
        ({"set": {f"f{n}": n for n in range(51)}}, "set", "too many fields"),
        ({"message": "x" * 501}, "message", "too long a message"),
        ({"message": 5}, "message", "a number for text"),
        ({"set": {"secret": "x"}}, "set.secret: it may not set secret of order", "a field it may not set"),
        ({"set": {"no_such": "x"}}, "set.no_such: it may not set no_such", "no field at all"),
        ({"set": {"credit": "Maybe"}}, 'set.credit: the text "Maybe" is not an option', "no option"),
        ({"set": {"count": 1.5}}, "set.count: expected an integer", "half a count"),
        ({"set": {"count": "3"}}, "set.count: expected an integer", "text for a number"),
        ({"set": {"credit": {"clear": True}}}, "set.credit: expected an option, got an object", "an expression"),
        ({"set": {"checked_on": "soon"}}, "set.checked_on: expected a date", "no date"),
        ({"set": {"name": None}}, "set.name: name is required", "a required field emptied"),
        ({"set": {"name": ""}}, "set.name: name is required", "a required field emptied in another way"),
        ({"set": {"note": "a\x00b"}}, "set.note: ", "a character that no field takes"),
        ({"set": {"credit": "On hold", "count": "x"}}, "set.count", "one right value, one wrong"),
    ],
)
def test_an_answer_that_cannot_be_used_fails_the_step_says_why_and_changes_nothing(
    answer: Any, said: str, reason: str
) -> None:
    stage = run(stage_with(), Function(answer))

    assert (step(stage).status, step(stage).reason) == ("failed", "delivery_rejected"), reason
    assert said in step(stage).why["error"]
    assert order(stage) == {"name": "Pumps", "amount": "4800"}
    assert (only(stage).state, only(stage).answer) == ("failed", None)
    assert only(stage).detail == step(stage).why["error"]


def test_everything_that_is_wrong_with_an_answer_is_told_at_once() -> None:
    stage = run(stage_with(), Function({"set": {"count": "x", "secret": "y", "urgent": 1}}))

    assert all(f"set.{name}: " in step(stage).why["error"] for name in ("count", "secret", "urgent"))


@pytest.mark.parametrize("sets", [None, {}, {"deal": ["name"]}], ids=["absent", "empty", "of another object"])
def test_a_function_without_fields_of_its_own_may_set_none(sets: Any) -> None:
    function = {key: value for key, value in {**FUNCTION, "sets": sets}.items() if value is not None}

    stage = run(stage_with(function), Function({"set": {"credit": "On hold"}}))

    assert (step(stage).status, order(stage).get("credit")) == ("failed", None)


@pytest.mark.parametrize("path", sorted(p.name for p in EVENTS.glob("answer_*.json")))
def test_every_released_answer_is_understood(path: str) -> None:
    sample = json.loads((EVENTS / path).read_text(), parse_float=Decimal)

    answer = read_answer(sample)

    assert (answer.fields, answer.message) == ((sample or {}).get("set"), (sample or {}).get("message"))


# --- what goes wrong


@pytest.mark.parametrize(
    ("error", "state", "status", "reason"),
    [
        (DeliveryRejected("the function raised KeyError: 'x'"), "failed", "failed", "delivery_rejected"),
        (DeliveryUnknown("no answer in 7 s"), "unknown", "acted", "delivery_unknown"),
    ],
)
def test_an_error_and_a_lost_answer_are_outcomes_and_change_nothing(
    error: Exception, state: str, status: str, reason: str
) -> None:
    stage = run(stage_with(), Function(error))

    assert (only(stage).state, step(stage).status, step(stage).reason) == (state, status, reason)
    assert step(stage).why == {"error": str(error)}
    assert order(stage) == {"name": "Pumps", "amount": "4800"}


def test_a_function_that_the_stack_may_not_invoke_is_told_with_its_arn() -> None:
    stage = stage_with()
    stage.offline.functions.silent = False
    stage.post("order-1", object="order", type_="created", name="Pumps")

    stage.advance(seconds=1)

    assert (step(stage).status, step(stage).reason) == ("failed", "channel_misconfigured")
    assert ARN in step(stage).why["error"]


def test_a_function_that_is_not_active_fails_the_step() -> None:
    stage = Stage(ORDER, workflow())
    stage.post("order-1", object="order", type_="created", name="Pumps")

    stage.advance(seconds=1)

    assert (step(stage).status, step(stage).reason) == ("failed", "definition_broken")
    assert "function credit-check is not active" in step(stage).why["error"]
    assert stage.deliveries == []


def test_an_import_that_is_quiet_runs_no_function() -> None:
    function = Function({"set": {"credit": "On hold"}})

    stage = run(stage_with(), function, mode_="quiet")

    assert (step(stage).status, step(stage).reason, function.calls) == ("skipped", "quiet_import", 0)
    assert (only(stage).state, only(stage).attempts) == ("suppressed", 0)


@pytest.mark.parametrize("error", [DeliveryThrottled, DeliveryUnavailable])
def test_a_function_that_did_not_run_is_invoked_again_with_the_same_id(error: type[Exception]) -> None:
    stage = stage_with()
    place(stage, Function(error("later"), {"set": {"credit": "On hold"}}))

    with pytest.raises(error):
        act(stage)
    between = only(stage).state
    act(stage)

    assert (between, only(stage).state, order(stage)["credit"]) == ("planned", "sent", "On hold")
    assert len({payload["id"] for payload in stage.offline.functions.invoked}) == 1


class Died(BaseException):
    pass


@pytest.mark.parametrize(
    ("on_unknown", "calls", "state", "credit"), [("leave", 1, "unknown", None), ("resend", 2, "sent", "On hold")]
)
def test_after_a_death_while_the_function_ran_the_definition_says_whether_it_runs_again(
    on_unknown: str, calls: int, state: str, credit: str | None
) -> None:
    function = Function(Died(), {"set": {"credit": "On hold"}})
    stage = stage_with(on_unknown=on_unknown)
    place(stage, function)
    with pytest.raises(Died):
        act(stage)
    between = only(stage).state

    act(stage)

    assert (between, only(stage).state, function.calls) == ("sending", state, calls)
    assert order(stage).get("credit") == credit
    assert step(stage).status == "acted"


def test_an_answer_that_is_lost_again_and_again_is_given_up_as_unknown() -> None:
    function = Function(DeliveryUnknown("no answer in 7 s"))
    stage = stage_with(on_unknown="resend")
    place(stage, function)

    for _ in range(RESENDS - 1):
        with pytest.raises(DeliveryUnavailable):
            act(stage)
    act(stage)

    assert (function.calls, only(stage).state, step(stage).reason) == (RESENDS, "unknown", "delivery_unknown")


def test_an_attempt_that_died_with_the_answer_in_hand_is_carried_on_without_the_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = Function({"set": {"credit": "On hold"}, "message": "too much"}, DeliveryRejected("never again"))
    stage = stage_with()
    place(stage, function)
    with monkeypatch.context() as patch:

        def dies(*_: object) -> None:
            raise Died

        patch.setattr(type(stage.offline.applier), "do", dies)
        with pytest.raises(Died):
            act(stage)
    assert (only(stage).state, order(stage).get("credit")) == ("sent", None)

    act(stage)

    assert (function.calls, order(stage)["credit"], step(stage).why) == (1, "On hold", {"message": "too much"})


def test_a_record_that_moves_while_the_function_runs_keeps_what_is_newer_and_gets_the_rest() -> None:
    stage = stage_with()

    def function(event: dict[str, Any], context: None) -> dict[str, Any]:
        at = stage.now + timedelta(seconds=1)
        stage.post("order-1", object="order", at=at, note="from outside", count=9)
        return {"set": {"credit": "On hold", "count": 1}}

    run(stage, function)

    assert (order(stage)["credit"], order(stage)["note"], order(stage)["count"]) == ("On hold", "from outside", 9)
    assert len(stage.offline.functions.invoked) == 1
    assert step(stage).status == "acted"


def test_a_record_that_is_deleted_while_the_function_runs_stays_deleted() -> None:
    stage = stage_with()

    def function(event: dict[str, Any], context: None) -> dict[str, Any]:
        stage.post("order-1", object="order", type_="deleted")
        return {"set": {"credit": "On hold"}}

    run(stage, function)

    assert not stage.record("order-1", "order").exists
    assert len(stage.offline.functions.invoked) == 1


def test_a_function_may_look_at_a_record_that_was_deleted_but_sets_nothing() -> None:
    stage = stage_with(trigger={"on": "deleted"})
    stage.offline.functions.handlers[ARN] = Function({"set": {"credit": "On hold"}})
    stage.post("order-1", object="order", type_="created", name="Pumps")
    stage.post("order-1", object="order", type_="deleted")

    stage.advance(seconds=1)

    assert stage.offline.functions.invoked[0]["record"]["fields"]["name"] == "Pumps"
    assert (step(stage).status, step(stage).reason) == ("acted", "record_deleted")
    assert not stage.record("order-1", "order").exists


def test_when_the_machine_gives_up_nothing_stays_undecided() -> None:
    stage = stage_with()
    place(stage, Function(DeliveryThrottled("later")))
    with pytest.raises(DeliveryThrottled):
        act(stage)

    act(stage, failure={"Error": "DeliveryThrottled", "Cause": "later"})

    assert (only(stage).state, only(stage).reason) == ("failed", "retries_exhausted")
    assert step(stage).status == "failed"


# --- the example


@pytest.mark.parametrize(
    ("tier", "amount", "credit", "limit"),
    [
        ("gold", "50000", "Approved", "50000"),
        ("basic", "5000.01", "On hold", "5000"),
        (None, "1", "On hold", "0"),
        ("gold", None, None, None),
    ],
)
def test_the_example_checks_the_credit_of_an_order(
    tier: str | None, amount: str | None, credit: str | None, limit: str | None
) -> None:
    stage = stage_with(parameters={"tier": {"field": "account.tier"}})
    stage.post("a1", object="account", name="Acme", tier=tier)

    run(stage, credit_check, amount=amount, account="a1")

    assert (order(stage).get("credit"), order(stage).get("credit_limit")) == (credit, limit)
    assert step(stage).status == "acted"


def test_the_definitions_in_the_examples_readme_are_well_formed() -> None:
    text = (ROOT / "functions/examples/credit_check/README.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in text.split("```yaml\n")[1:]]
    documents = [d.data for block in blocks if "kind:" in block for d in read_documents(block)]

    assert [document["kind"] for document in documents] == ["function", "workflow"]
    assert [problem for document in documents for problem in read_definition(document).problems] == []


def test_the_example_understands_the_released_sample() -> None:
    sample = json.loads((EVENTS / "invocation.json").read_text())

    answer = credit_check(sample, None)

    assert answer == {
        "set": {"credit": "Approved", "credit_limit": "50000"},
        "message": "4800 of 50000 on account",
    }
