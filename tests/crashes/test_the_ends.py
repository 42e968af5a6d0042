"""What brings changes in and what closes runs may die too, and a service may fail it: whoever called, calls again."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from typing import Any

import pytest

from stagebell.adapters.documents import change_document
from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.deliveries import Delivery
from stagebell.domain.errors import StagebellError
from stagebell.domain.runs import Run
from stagebell.runtime import wiring
from tests.crashes.crashing import Died, Failing, Fuse, deaths
from tests.crashes.deployment import START, Deployment, Stack, handler, tables
from tests.machines import world as machines
from tests.stage import ACCOUNT, DEAL, UNASSIGNED, mail, scenario, sets, workflow

SOURCE = {"kind": "source", "name": "crm", "format": "stagebell"}
WAITS = scenario("waits", steps=[mail("first", {"after": "5 minutes"})])
ACTS = workflow("acts", sets(urgent=True), trigger={"on": "created"})
FOLLOWS = workflow("follows", sets(count=7), trigger={"on": "updated", "fields": ["urgent"]})
CREATED = Change("crm:1", "crm", RecordKey("deal", "deal-1"), "created", START, {"stage": UNASSIGNED})


def receiving(made: Deployment) -> None:
    """Two changes of one webhook; its sender sends it again until it is taken."""
    changes = [
        {"object": "deal", "id": id, "type": "created", "occurred_at": START.isoformat(), "fields": {"name": id}}
        for id in ("deal-1", "deal-2")
    ]
    event = machines.webhook(changes, "d1", made.clock.real_now())

    def answered() -> bool:
        answer = handler("receive_change")(event, machines.Context())
        assert answer["statusCode"] in (202, 503), answer["body"]
        return bool(answer["statusCode"] == 202)

    until_done(made, answered)
    with made.fuse.ignored():
        for number, message in enumerate(queued()):
            made.change(message, number)


def queued() -> list[Any]:
    """What the queue hands on: the same message once, in the order of its record."""
    sqs, url = wiring.client("sqs"), machines.queue_url("changes")
    taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in taken:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in taken]


def closing_a_run(made: Deployment) -> None:
    """Its execution has died while a mail was on its way and another waited."""
    with made.fuse.ignored():
        run = begun(WAITS["name"])
        for key, state in (("dlv_1", "sending"), ("dlv_2", "planned")):
            waiting = Delivery(key, run.id, "first", "waits", run.key, "email", "a@example.com", START, attempts=1)
            wiring.deliveries().reserve(waiting, None)
            if state == "planned":
                wiring.deliveries().update(waiting, forward_only=False)
    closed(made, run)


def closing_after_a_deed(made: Deployment) -> None:
    """What its last step did is stored, but what that led to was never started."""
    with made.fuse.ignored():
        run = begun(ACTS["name"])
        (state,) = [state for state in made.started() if state["run"] == run.id]
        handler("actions.update_field")(state, machines.Context())
        made.forget_executions()
    closed(made, run)
    with made.fuse.ignored():
        for number, message in enumerate(queued()):
            made.change(message, number)


def begun(definition: str) -> Run:
    """The run of a deal that has just been made."""
    body = json.dumps(change_document(CREATED))
    message = {"MessageId": "m", "Body": body, "Attributes": {"MessageGroupId": "g"}, "ReceiptHandle": "r"}
    handler("apply_change")(machines.queue_event([message]), machines.Context())
    return next(run for run in wiring.runs().of_record(CREATED.key).items if run.definition == definition)


def closed(made: Deployment, run: Run) -> None:
    def once() -> bool:
        try:
            handler("close_run")({"detail": {"name": f"{run.id}-1", "status": "FAILED"}}, machines.Context())
        except StagebellError:  # whatever it is, Lambda calls again
            return False
        return True

    until_done(made, once)


def until_done(made: Deployment, call: Callable[[], bool]) -> None:
    for _ in range(2):
        try:
            if call():
                return
        except Died:
            made.deaths += 1
            wiring.reset(keep_clients=True)
    raise AssertionError("it failed twice, though nothing failed but once")


STORIES = (receiving, closing_a_run, closing_after_a_deed)
DEFINITIONS = (SOURCE, ACCOUNT, DEAL, WAITS, ACTS, FOLLOWS)
type Story = Callable[[Deployment], None]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with closing(Stack(None, lambda _: None, *DEFINITIONS)) as made:
        yield made


def play(stack: Stack, story: Story, fuse: Fuse) -> dict[str, list[Any]]:
    with stack.deployed(fuse) as made:
        story(made)
        with fuse.ignored():
            return {name: sorted(items, key=str) for name, items in tables().items() if name != "DefinitionsTable"}


@cache
def calm(story: Story) -> tuple[dict[str, list[Any]], tuple[str, ...]]:
    fuse = Fuse()
    with closing(Stack(None, lambda _: None, *DEFINITIONS)) as made:
        return play(made, story, fuse), tuple(fuse.calls)


def every(fuses: Callable[[int, str], list[tuple[str, Fuse]]]) -> list[Any]:
    return [
        pytest.param(story, fuse, id=f"{story.__name__}-{number}-{what}-{call}")
        for story in STORIES
        for number, call in enumerate(calm(story)[1])
        for what, fuse in fuses(number, call)
    ]


def dying(number: int, call: str) -> list[tuple[str, Fuse]]:
    return [(when, Fuse(number, when)) for _, _, when in deaths([call])]


def failing(number: int, call: str) -> list[tuple[str, Fuse]]:
    return [("busy", Failing(number, "busy")), ("lost", Failing(number, "lost"))]


def test_undisturbed_both_changes_come_in_and_the_run_is_closed():
    taken, closed = calm(receiving), calm(closing_a_run)

    assert "sqs.SendMessageBatch" in taken[1]
    assert len([i for i in taken[0]["RecordsTable"] if i["sk"]["S"] == "mirror"]) == 2
    run = next(run for run in closed[0]["RunsTable"] if run["definition"]["S"] == WAITS["name"])
    assert (run["status"]["S"], run["reason"]["S"]) == ("failed", "machine_failed")
    assert {i["key"]["S"]: i["state"]["S"] for i in closed[0]["DeliveriesTable"]} == {
        "dlv_1": "unknown",
        "dlv_2": "failed",
    }


def test_undisturbed_what_was_never_started_is_carried_on():
    found, calls = calm(closing_after_a_deed)

    assert "sqs.SendMessageBatch" in calls
    runs = {run["definition"]["S"]: run["status"]["S"] for run in found["RunsTable"]}
    assert runs == {"waits": "running", "acts": "completed", "follows": "completed"}


@pytest.mark.parametrize(("story", "fuse"), [*every(dying), *every(failing)])
def test_whatever_happens_once_it_ends_as_if_nothing_had(stack, story, fuse):
    found = play(stack, story, fuse)

    assert fuse.burnt
    assert found == calm(story)[0]
