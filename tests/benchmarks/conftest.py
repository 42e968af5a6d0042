"""Benchmarks are run by `make bench` alone. What they measure is printed and goes to docs/performance.md."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagebell.runtime import observability
from tests.benchmarks.report import Figures

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "performance.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", action="store_true", help="benchmarks: measure the stack that `make run` started, too")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked_for = "benchmark" in (config.option.markexpr or "")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.benchmark)
            if not asked_for:
                item.add_marker(pytest.mark.skip(reason="benchmarks run with `make bench`"))


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """Where a benchmark puts its figures; those of a topic replace the ones of its last run."""
    collected = Figures()
    yield collected
    print("\n\n" + collected.text())
    collected.write(DOCUMENT)


@pytest.fixture(scope="session")
def quiet() -> Iterator[None]:
    """Log lines are written, for they cost time, but not among the figures."""
    handler = observability.logger().registered_handler
    with Path(os.devnull).open("w") as nowhere:
        before = handler.setStream(nowhere)
        yield
        handler.setStream(before)
