"""AWS calls of a webhook and of a scenario step, counted where botocore makes them: real handlers, real adapters."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from stagebell.services.catalog import Catalog
from tests.benchmarks.report import Figures
from tests.benchmarks.tally import Tally, listed, told
from tests.machines.deals import CRM
from tests.machines.world import World, world
from tests.stage import DEAL, QUOTATION, START, UNASSIGNED, WON, mail, scenario

pytestmark = pytest.mark.usefixtures("quiet")

TOPIC = "AWS calls"
STEPS = (2, 5)
SKIPPED = {"field": "amount", "op": "gte", "value": 1_000_000}
TO_ONE = [{"address": "desk@example.com"}]


@pytest.fixture(scope="module", autouse=True)
def explained(figures: Figures) -> None:
    figures.explain(
        TOPIC,
        "Calls and state transitions of warm functions: what is remembered between invocations has been read. "
        "SQS hands messages to `apply_change` without a call of ours.",
    )


def steps(count: int, **more: Any) -> list[dict[str, Any]]:
    return [mail(f"step-{n}", {"after": f"{n} hours"}, to=TO_ONE, **more) for n in range(1, count + 1)]


@pytest.fixture
def deployed() -> Iterator[World]:
    """One scenario that sends, one that skips; every function has been called before."""
    sends = scenario("sends", steps=steps(2))
    skips = scenario("skips", stage={"field": "stage", "is": WON}, steps=steps(2, only_if=SKIPPED))
    with world(DEAL, sends, skips, start=START) as made:
        for record in ("warm-1", "warm-2"):
            post(made, record, UNASSIGNED)
            post(made, record, WON)
        yield made


def post(made: World, record: str, stage: str) -> None:
    change = {"object": "deal", "id": record, "type": "updated", "occurred_at": made.clock.now().isoformat()}
    answer = made.post({**change, "fields": {"stage": stage}}, delivery=f"{record} {stage}")
    assert answer["statusCode"] == 202, answer["body"]


def calls(made: World, work: Any) -> Counter[str]:
    """The calls our functions make; the queue's poller, which Lambda runs, is none of them."""
    made.calls.clear()
    work()
    made.machines.settle()
    counted = Counter(made.calls)
    for polled in ("sqs.ReceiveMessage", "sqs.DeleteMessage"):
        counted.pop(polled, None)
    return counted


def report(figures: Figures, what: str, counted: Counter[str], aim: str = "") -> None:
    figures.add(TOPIC, what, f"{counted.total()}", beside=told(counted), aim=aim)


def test_a_webhook_that_matches_nothing(deployed: World, figures: Figures) -> None:
    counted = calls(deployed, lambda: post(deployed, "deal-7", QUOTATION))

    report(figures, "a webhook that matches nothing", counted, aim="4")
    assert counted.total() == 4, listed(counted)


def test_each_function_of_a_webhook_that_matches_nothing(
    deployed: World, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an authoritative source that is written back to: whether it is one is asked only where it matters."""
    asked: list[str] = []
    deployed.activate(CRM)
    post(deployed, "warm-3", QUOTATION)
    monkeypatch.setattr(Catalog, "document", lambda _catalog, kind, name: asked.append(f"{kind} {name}"))

    for what, aims in (("", {"receive_change": 1, "apply_change": 3}), (", definitions having changed", {})):
        if what:
            deployed.activate(scenario("sends", steps=steps(3)))
        with Tally().listening() as tally:
            post(deployed, f"deal{what}", QUOTATION)
            for function in ("receive_change", "apply_change"):
                counted, aim = tally.of(function), aims.get(function)
                report(figures, f"`{function}`, matching nothing{what}", counted, aim=f"{aim}" if aim else "")
                assert aim is None or counted.total() == aim, listed(counted)
    assert not asked


def test_a_webhook_that_starts_a_run(deployed: World, figures: Figures) -> None:
    counted = calls(deployed, lambda: post(deployed, "deal-8", UNASSIGNED))

    report(figures, "a webhook that starts a run", counted)
    assert counted["stepfunctions.StartExecution"] == 1


@pytest.mark.parametrize(
    ("stage", "what", "sent"), [(UNASSIGNED, "that sends an e-mail", 1), (WON, "that is skipped", 0)]
)
def test_a_step(deployed: World, figures: Figures, stage: str, what: str, sent: int) -> None:
    deployed.machines.advance(START + timedelta(days=1))
    post(deployed, "deal-9", stage)

    counted = calls(deployed, lambda: deployed.machines.advance(deployed.clock.now() + timedelta(minutes=61)))

    report(figures, f"a step {what}", counted)
    assert counted["sesv2.SendEmail"] == sent, listed(counted)


def test_state_transitions_of_a_step(figures: Figures) -> None:
    entered = {count: transitions(count) for count in STEPS}

    few, many = STEPS
    each = (entered[many] - entered[few]) / (many - few)
    figures.add(TOPIC, "state transitions of a step", f"{each:g}", aim="3")
    figures.add(TOPIC, f"state transitions of a run of {few} steps", f"{entered[few]}")
    assert each == 3


def transitions(count: int) -> int:
    """The states that the execution of a run of so many steps enters, from beginning to end."""
    with world(DEAL, scenario(steps=steps(count)), start=START) as made:
        post(made, "deal-7", UNASSIGNED)
        made.machines.advance(START + timedelta(days=1))
        (execution,) = made.executions("SUCCEEDED")
        assert len(made.emails) == count
        return sum(event.endswith("StateEntered") for event in made.history(execution))
