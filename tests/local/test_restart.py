"""`make stop` and `make run` again: nothing is lost, nothing is sent twice."""

import socket
from dataclasses import replace
from pathlib import Path

from tests.local.verbs import run, stop
from tests.local.whole import Whole


def test_a_restart_keeps_what_was_stored_and_sends_nothing_again(whole: Whole) -> None:
    place = whole.stack.place
    record, sent = whole.api.get("/v1/records/incident/INC0029608"), whole.outbox()

    stopped, started = stop(place), run(place)

    assert stopped.stdout == "Stopped.\n"
    assert "Started the emulator" in started.stdout, started.stderr
    assert "replayed before" in started.stdout
    assert whole.api.get("/v1/records/incident/INC0029608") == record
    assert whole.outbox() == sent


def test_starting_what_runs_finds_it(whole: Whole) -> None:
    again = run(whole.stack.place)

    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("Found the emulator")


def test_a_taken_port_is_named_with_a_way_out(whole: Whole, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        elsewhere = replace(whole.stack.place, port=taken.getsockname()[1], home=tmp_path)

        refused = run(elsewhere)

    assert refused.returncode == 1
    assert f"Port {elsewhere.port} is taken" in refused.stderr
    assert "STAGEBELL_PORT=" in refused.stderr


def test_stopping_what_does_not_run_is_harmless(whole: Whole, tmp_path: Path) -> None:
    assert stop(replace(whole.stack.place, home=tmp_path)).stdout == "Nothing was running.\n"
