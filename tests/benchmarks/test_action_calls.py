"""AWS calls of each action kind and of a write-back, and of the whole way from a webhook to what it leads to."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from stagebell.contracts.definitions.actions import ACTION_MODELS
from tests.benchmarks.report import Figures
from tests.benchmarks.tally import Calls, Tally, told
from tests.machines.deals import CRM, DEALS, FUNCTION, OTHER, PARTNER, SCORE, score
from tests.machines.world import World, world
from tests.stage import ACCOUNT, START, WON

pytestmark = pytest.mark.usefixtures("quiet")

TOPIC = "AWS calls of actions"
WHOLE_WAY = "From webhook to effect"
PEOPLE = {"mia": [], "ben": ["sales"], "zoe": ["sales"]}
WARM, MEASURED = "deal-1", "deal-7"
WAIT = 20  # seconds
OWNER, DESK = [{"field": "owner"}], [{"address": "desk@example.com"}]
MAIL = {"type": "send_email", "to": DESK, "subject": "{{ deal.name }}", "text": "Please look."}
CHANGE = {"type": "update_field", "set": {"urgent": True}}

ACTIONS: list[tuple[str, Mapping[str, Any]]] = [
    ("in the inbox of the owner", {"type": "notify", "to": OWNER, "body": "{{ deal.name }}"}),
    (
        "by inbox and e-mail",
        {"type": "notify", "to": OWNER, "via": ["inbox", "email"], "subject": "{{ deal.name }}", "body": "Look"},
    ),
    ("to an address", MAIL),
    ("to the owner", MAIL | {"to": OWNER}),
    ("to a number", {"type": "send_sms", "to": [{"phone": "+491701234567"}], "text": "{{ deal.name }}"}),
    ("a value and a sum", {"type": "update_field", "set": {"urgent": True, "count": {"add": 2}}}),
    ("that changes nothing", {"type": "update_field", "set": {"urgent": False}}),
    ("of the account", {"type": "update_field", "related": "account", "set": {"employees": {"add": 1}}}),
    ("", {"type": "set_stage", "field": "stage", "to": WON}),
    ("to a user", {"type": "assign_owner", "to": {"user": "ben"}}),
    ("in turn among 2", {"type": "assign_owner", "among": [{"role": "sales"}], "by": "round_robin"}),
    ("least open among 2", {"type": "assign_owner", "among": [{"role": "sales"}], "by": "least_open"}),
    ("", {"type": "lock_record"}),
    ("", {"type": "unlock_record"}),
    ("", {"type": "start_process", "process": "other"}),
    ("for the owner", {"type": "create_task", "title": "Call", "assignee": OWNER, "due": "1 day"}),
    ("without invitations", {"type": "create_event", "title": "Meet", "starts": "1 day", "invite": False}),
    ("", {"type": "create_sales_record", "entry": "call", "text": "{{ deal.name }}"}),
    ("whose answer sets a field", {"type": "run_function", "function": "score"}),
    ("", {"type": "call_webhook", "url": PARTNER, "secret": "partner"}),
]
AIMS = {("send_email", "to an address"): 8}
BEFORE = {"unlock_record": [{"type": "lock_record"}]}


@pytest.fixture(scope="module", autouse=True)
def explained(figures: Figures) -> None:
    figures.explain(
        TOPIC,
        "What a warm function of one action kind asks AWS for, from its task to its answer, in a workflow of this "
        "action. The deal has an owner and an account and comes from a source that is written back to; what follows a "
        "change is stored and sent with it. Webhooks that are posted are no calls of AWS.",
    )
    figures.explain(
        WHOLE_WAY,
        "AWS calls of all functions from a signed webhook to its effect. Transitions are those that Step Functions "
        "charges for: of Standard executions; Express ones are charged by time.",
    )


def definition(*steps: Mapping[str, Any], kind: str = "workflow") -> dict[str, Any]:
    """Follows when `go` is set: at once, or as a scenario a little later."""
    timed = {"at": {"after": f"{WAIT} seconds"}} if kind == "scenario" else {}
    named = [{"name": f"step-{number}", **timed, **step} for number, step in enumerate(steps, 1)]
    listed = {"actions" if kind == "workflow" else "steps": named}
    return {"kind": kind, "name": "w", "object": "deal", "trigger": {"on": "updated", "fields": ["go"]}, **listed}


@contextmanager
def deployed(*documents: Mapping[str, Any]) -> Iterator[tuple[World, Tally]]:
    """A world in which every function that is measured has been called before, and lately."""
    with world(ACCOUNT, DEALS, FUNCTION, OTHER, *documents, start=START) as made, Tally().listening() as tally:
        made.activate(CRM)
        made.functions.handlers[SCORE] = score
        for user, roles in PEOPLE.items():
            post(made, "user", user, name=user.title(), email=f"{user}@example.com", roles=roles, active=True)
        post(made, "account", "acme", name="Acme", employees=10, owner="ben")
        for deal in (WARM, MEASURED):
            post(made, "deal", deal, name="Big", owner="mia", account="acme", amount="1000.00", count=3, urgent=False)
        post(made, "deal", WARM, go=1)
        pass_time(made)
        post(made, "deal", WARM, name="Bigger")
        made.functions.invoked.clear()
        tally.forget()
        yield made, tally


def pass_time(made: World) -> None:
    """As long as a scenario's step waits; no longer than what is remembered is trusted."""
    made.machines.advance(made.clock.now() + timedelta(seconds=WAIT))
    made.drain()


def post(made: World, object_name: str, id: str, **fields: Any) -> None:
    """A change, and all that follows at once."""
    at = made.clock.now().isoformat()
    change = {"object": object_name, "id": id, "type": "updated", "occurred_at": at, "fields": fields}
    answer = made.post(change, delivery=f"{object_name} {id} {sorted(fields)}")
    assert answer["statusCode"] == 202, answer["body"]
    made.machines.settle()
    made.drain()


def steps_of(made: World) -> set[str]:
    (run,) = [run for run in made.runs("deal", MEASURED) if run.definition == "w"]
    return {step.status for step in run.steps}


def invoked(made: World) -> Calls:
    """Calls that a fake answers, of which botocore knows nothing."""
    return Counter({"lambda.Invoke": len(made.functions.invoked)})


def test_every_action_kind_is_measured() -> None:
    assert {action["type"] for _, action in ACTIONS} == set(ACTION_MODELS)


@pytest.mark.parametrize(("how", "action"), ACTIONS, ids=[f"{a['type']} {how}".strip() for how, a in ACTIONS])
def test_the_calls_of_an_action(how: str, action: Mapping[str, Any], figures: Figures) -> None:
    kind = action["type"]
    with deployed(definition(*BEFORE.get(kind, []), action)) as (made, tally):
        post(made, "deal", MEASURED, go=1)

        calls = +(tally.of(kind) + invoked(made))
        aim = AIMS.get((kind, how))
        what = f"`{kind}` {how}".strip()
        figures.add(TOPIC, what, f"{calls.total()}", beside=told(calls), aim=f"≤ {aim}" if aim else "")
        assert steps_of(made) == {"acted"}
        assert aim is None or calls.total() <= aim, told(calls)


def test_the_calls_of_a_write_back(figures: Figures) -> None:
    with deployed(definition(CHANGE)) as (made, tally):
        before = len(made.webhooks.posted)
        post(made, "deal", MEASURED, go=1)

        calls = tally.of("write_back")
        figures.add(TOPIC, "`write_back` of one change, taken", f"{calls.total()}", beside=told(calls))
        assert len(made.webhooks.posted) == before + 1


@pytest.mark.parametrize(("what", "action"), [("an e-mail", MAIL), ("a field, and its source told", CHANGE)])
@pytest.mark.parametrize("kind", ["workflow", "scenario"])
def test_the_whole_way(what: str, action: Mapping[str, Any], kind: str, figures: Figures) -> None:
    with deployed(definition(action, kind=kind)) as (made, tally):
        known = {e["executionArn"] for e in made.executions()}
        post(made, "deal", MEASURED, go=1)
        pass_time(made)

        new = [e for e in made.executions() if e["executionArn"] not in known]
        charged = sum(event.endswith("StateEntered") for e in new for event in made.history(e))
        calls = tally.all()
        value = f"{calls.total()} calls, {charged} transitions"
        figures.add(WHOLE_WAY, f"{what}, by a {kind}", value, beside=told(calls))
        assert steps_of(made) == {"acted"}
        assert bool(charged) == (kind == "scenario")
