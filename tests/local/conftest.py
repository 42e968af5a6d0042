"""One whole stack for all tests here, by `make run` on a port and in a folder of its own."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.place import Place
from local.stack import find_stack
from tests.local.verbs import run, stop
from tests.local.whole import Whole

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.local)


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="stagebell-test-"))
    place = Place(_free_port(), home=folder.resolve())
    try:
        yield place
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def whole(place: Place) -> Iterator[Whole]:
    """The stack as `make run` leaves it: the log has been replayed."""
    if not place.emulator_python.exists():
        pytest.skip("the emulator's environment .venv-local is missing: make install")
    try:
        done = run(place)
        if done.returncode:
            pytest.fail(f"make run failed:\n{done.stdout[-3000:]}\n{done.stderr}\n{_log(place)}", pytrace=False)
        stack = find_stack(place)
        assert stack is not None
        yield Whole.of(stack)
    finally:
        stop(place)


def _log(place: Place) -> str:
    return place.log.read_text(errors="replace")[-2000:] if place.log.exists() else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
