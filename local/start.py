"""Starts the emulator, or finds it running."""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass

from local.place import REGION, LocalStackError, Place
from local.waiting import until

START_SECONDS = 30


@dataclass(frozen=True)
class Running:
    pid: int
    port: int


def start(place: Place) -> bool:
    """True if the emulator was started, false if it ran already."""
    if is_ours(place):
        return False
    _refuse_a_taken_port(place)
    _refuse_a_missing_python(place)
    process = _spawn(place)
    place.process.write_text(json.dumps(asdict(Running(process.pid, place.port))))

    def ready() -> bool:
        if process.poll() is not None:
            raise LocalStackError(f"The emulator ended at once; its log is {place.log}.")
        return answers(place)

    until(ready, "The start of the emulator", seconds=START_SECONDS)
    return True


def is_ours(place: Place) -> bool:
    running = running_emulator(place)
    if running is not None and running.port != place.port:
        raise LocalStackError(f"It runs on port {running.port} already: make stop, or STAGEBELL_PORT={running.port}")
    return running is not None and answers(place)


def running_emulator(place: Place) -> Running | None:
    """The emulator we started, whatever its port, as long as it lives."""
    try:
        stored = Running(**json.loads(place.process.read_text()))
    except FileNotFoundError:
        return None
    return stored if _is_emulator(stored.pid) else None


def answers(place: Place) -> bool:
    try:
        with urllib.request.urlopen(f"{place.endpoint}/_ministack/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _is_emulator(pid: int) -> bool:
    """Ids are given out again: the process must also be called what we called ours."""
    listing = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "local.emulator" in listing.stdout


def _refuse_a_taken_port(place: Place) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", place.port))
        except OSError as problem:
            raise LocalStackError(
                f"Port {place.port} is taken by another program. "
                f"End it, or choose another port: STAGEBELL_PORT={place.port + 1} make run"
            ) from problem


def _refuse_a_missing_python(place: Place) -> None:
    if not place.emulator_python.exists():
        raise LocalStackError("The emulator's Python 3.13 environment .venv-local is missing: make install")


def _spawn(place: Place) -> subprocess.Popen[bytes]:
    buckets = place.state / "s3"
    buckets.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "GATEWAY_PORT": str(place.port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(place.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(buckets),
        "LOG_LEVEL": "WARNING",
        **place.aws_environment(),
    }
    command = [str(place.emulator_python), "-m", "local.emulator"]
    with place.log.open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=place.root,
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
