"""The stack that `make run` started: how much goes through, and how soon an e-mail is out. In wall time."""

import time
import uuid
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import pytest

from local.place import Place
from local.stack import find_stack
from local.waiting import until
from tests.benchmarks.report import Figures
from tests.local.whole import Whole

TOPIC = "The whole stack on one machine"
REQUESTS = 40
MAILS = 20
PER_REQUEST = 100


@pytest.fixture(scope="module")
def whole(request: pytest.FixtureRequest, figures: Figures) -> Whole:
    place = Place.from_environment()
    if not request.config.getoption("--stack", default=False):
        pytest.skip("the stack is measured with --stack, after `make run`")
    stack = find_stack(place) if place.seeded.exists() else None
    if stack is None:
        pytest.skip("no stack runs on this machine: make run")
    figures.explain(
        TOPIC,
        "Wall time, one request after the other; emulator, functions and measurement share the machine. It says how "
        "the parts work together, not what AWS does.",
    )
    return Whole.of(stack)


def handed_on(whole: Whole, id: str = "") -> dict[str, Any]:
    """An incident that reaches its third hand: U5 tells the process owner at once."""
    return whole.incident(id=id, active=True, reassignment_count=3, category="Benchmark")


def seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


@pytest.mark.parametrize("size", [1, PER_REQUEST])
def test_changes_accepted_and_applied(whole: Whole, figures: Figures, size: int) -> None:
    requests = [[whole.incident() for _ in range(size)] for _ in range(REQUESTS if size == 1 else 5)]
    whole.settle()

    accepting = [seconds(lambda body=body: whole.source.post(body)) for body in requests]
    applying = sum(accepting) + seconds(whole.settle)

    total, words = len(requests) * size, "1 change" if size == 1 else f"{size} changes"
    each = f"{size / median(accepting):,.0f} changes/s"
    figures.add(TOPIC, f"accepted, {words} a webhook", f"{1 / median(accepting):,.1f} webhooks/s", beside=each)
    figures.add(TOPIC, f"applied, {words} a webhook", f"{total / applying:,.0f} changes/s")


def test_the_delay_from_acceptance_to_e_mail(whole: Whole, figures: Figures) -> None:
    whole.settle()

    delays = [delay_of_one(whole) for _ in range(MAILS)]

    p95 = quantiles(delays, n=20, method="inclusive")[-1]
    figures.add(TOPIC, "from acceptance to e-mail, p50", f"{median(delays):.2f} s")
    figures.add(TOPIC, "from acceptance to e-mail, p95", f"{p95:.2f} s")


def delay_of_one(whole: Whole) -> float:
    id = f"INC-{uuid.uuid4().hex[:10]}"
    whole.source.post([handed_on(whole, id)])
    return seconds(lambda: until(lambda: bool(whole.words_about(id)), f"The e-mail about {id}", seconds=60, pause=0.02))
