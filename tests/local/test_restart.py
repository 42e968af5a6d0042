"""`make stop` and `make run` again: nothing is lost, nothing is sent twice."""

import json
import socket
from dataclasses import replace
from pathlib import Path

from local.waiting import until
from tests.local.verbs import run, stop
from tests.local.whole import PATIENCE, Whole


def test_a_restart_keeps_what_was_stored_sends_nothing_again_and_goes_on_with_what_waits(whole: Whole) -> None:
    place, waiting = whole.stack.place, "INC-WAITS"
    fields = {"incident_state": "Awaiting User Info", "caller_id": "Caller 3083"}
    accepted = whole.source.send(json.dumps(whole.change("incident", waiting, "updated", **fields)).encode())
    assert accepted.status == 202, accepted.body
    whole.settle()
    record, sent = whole.api.get("/v1/records/incident/INC0029608"), whole.outbox()

    stopped, started = stop(place), run(place)

    assert stopped.stdout == "Stopped.\n"
    assert "Started the emulator" in started.stdout, started.stderr
    assert "replayed before" in started.stdout
    assert whole.api.get("/v1/records/incident/INC0029608") == record
    assert sent.items() <= whole.outbox().items()
    assert not any(waiting in message.words for message in sent.values())
    assert "Woke " in started.stdout
    until(lambda: whole.words_about(waiting), "The first reminder, a day after", seconds=PATIENCE)


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
