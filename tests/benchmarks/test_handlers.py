"""CPU time of receive_change and apply_change per change, with the network stubbed."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from stagebell.adapters.documents import change_document
from stagebell.domain.changes import Change, RecordKey
from stagebell.runtime import wiring
from tests.benchmarks.canned import Canned
from tests.benchmarks.measure import cpu_of
from tests.benchmarks.report import Figures
from tests.machines.resources import STACK
from tests.machines.world import ACTIONS, Context, World, apply_change, receive_change, webhook, world
from tests.stage import DEAL, QUOTATION, START, UNASSIGNED, mail, scenario

pytestmark = pytest.mark.usefixtures("quiet")

TOPIC = "Handlers"
CHANGES = 200
SERVICES = ("dynamodb", "sqs", "stepfunctions", "secretsmanager")

type Invoke = Callable[[], Any]


@pytest.fixture(scope="module", autouse=True)
def explained(figures: Figures) -> None:
    figures.explain(
        TOPIC,
        "CPU time per change, or per step, of warm handlers, logging included, with the network stubbed below "
        "botocore. The floor makes the same AWS calls with botocore and does nothing else.",
    )


@pytest.fixture
def deployed() -> Iterator[World]:
    first = mail("first", {"after": "5 minutes"}, unless_changed=True)
    with world(DEAL, scenario(steps=[first]), start=START) as made:
        for number, stage in enumerate((QUOTATION, UNASSIGNED)):
            made.post(change(number, stage), delivery=f"warm-{number}")
        yield made


def change(number: int, stage: str) -> dict[str, Any]:
    fields = {"stage": stage, "name": f"Deal {number}", "amount": 2500 + number, "urgent": False}
    kind = {"object": "deal", "id": f"deal-{number}", "type": "updated"}
    return {**kind, "occurred_at": START.isoformat(), "fields": fields}


def batch(first: int, size: int, stage: str) -> dict[str, Any]:
    """What SQS hands to apply_change."""
    return {"Records": [message(number, stage) for number in range(first, first + size)]}


def message(number: int, stage: str) -> dict[str, Any]:
    fields = {"stage": stage, "name": f"Deal {number}", "amount": str(2500 + number), "urgent": False}
    changed = Change(f"crm:{number}", "crm", RecordKey("deal", f"deal-{number}"), "updated", START, fields)
    body = json.dumps(change_document(changed))
    return {"messageId": str(number), "body": body, "attributes": {"MessageGroupId": str(number)}}


def report(figures: Figures, what: str, invocations: list[Invoke]) -> None:
    """CPU of the invocations per change, beside that of the calls they make."""
    canned = Canned([*map(wiring.client, SERVICES), wiring.sending_client("sesv2")])
    with canned.rehearsing():
        invocations.pop(0)()
    calls = len(invocations) * canned.calls

    with canned.playing():
        whole = cpu_of(lambda: [invoke() for invoke in invocations])
        least = cpu_of(lambda: [call() for call in calls])

    figures.add(TOPIC, what, f"{whole / CHANGES * 1e6:,.0f} µs", beside=f"{whole / least:.2f} times the floor")


@pytest.mark.parametrize("size", [1, 100])
def test_receiving(deployed: World, figures: Figures, size: int) -> None:
    def request(number: int) -> Invoke:
        body = [change(number * size + n, QUOTATION) for n in range(size)]
        event = webhook(body, f"delivery-{number}", deployed.clock.real_now())
        return lambda: accept(receive_change(event, Context()))

    report(figures, f"`receive_change`, {counted(size)} a request", [request(n) for n in range(CHANGES // size + 1)])


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize(("stage", "what"), [(QUOTATION, "matches nothing"), (UNASSIGNED, "starts a run")])
def test_applying(deployed: World, figures: Figures, size: int, stage: str, what: str) -> None:
    def consume(number: int) -> Invoke:
        event = batch(1_000 + number * size, size, stage)
        return lambda: accept(apply_change(event, Context()))

    batches = [consume(n) for n in range(CHANGES // size + 1)]
    report(figures, f"`apply_change`, {counted(size)} a batch, each {what}", batches)


@pytest.mark.parametrize(
    "step",
    [
        {"type": "send_email", "to": [{"address": "desk@example.com"}], "subject": "{{ deal.name }}", "text": "Look"},
        {"type": "update_field", "set": {"urgent": True, "count": {"add": 1}}},
    ],
    ids=lambda step: step["type"],
)
def test_acting(figures: Figures, step: dict[str, Any]) -> None:
    """The run's step stays due for as long as the same answers are given."""
    timed = {"name": "first", "at": {"after": "5 minutes"}, **step}
    with world(DEAL, scenario(steps=[timed]), start=START) as made:
        made.post(change(7, UNASSIGNED), delivery="warm")
        (run,) = made.runs("deal", "deal-7")
        made.clock.advance(START + timedelta(minutes=5))
        task = {"version": 1, "run": run.id, "step": "first", "execution": 1, "born": START.isoformat()}
        act = ACTIONS[f"{STACK}-{step['type'].replace('_', '-')}"]

        report(figures, f"`{step['type']}`, 1 step", [lambda: settle(act(task, Context()))] * (CHANGES + 1))


def settle(answer: dict[str, Any]) -> None:
    assert answer["next"] == "done", answer


def counted(size: int) -> str:
    return f"{size} changes" if size > 1 else "1 change"


def accept(answer: dict[str, Any]) -> None:
    assert answer.get("statusCode") == 202 or answer.get("batchItemFailures") == [], answer
