import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.place import LocalStackError, Place
from local.start import running_emulator, start
from local.stop import stop


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_taken_by_another_program_is_named_with_the_way_out(taken: int, tmp_path: Path) -> None:
    place = Place(taken, tmp_path)

    with pytest.raises(LocalStackError, match=f"Port {taken} is taken.*STAGEBELL_PORT={taken + 1} make run"):
        start(place)


def test_a_missing_environment_says_how_to_make_it(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(LocalStackError, match="make install"):
        start(Place(port, tmp_path))


@pytest.mark.parametrize("text", ["", "http", "-1", "0", "65536"])
def test_a_port_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEBELL_PORT", text)

    with pytest.raises(LocalStackError, match="STAGEBELL_PORT"):
        Place.from_environment()


def test_a_process_that_inherited_our_id_is_not_ours_to_end(tmp_path: Path) -> None:
    place = Place(4599, tmp_path)
    place.folder.mkdir()
    place.process.write_text(json.dumps({"pid": os.getpid(), "port": 4599}))

    assert running_emulator(place) is None
    assert stop(place) is False


def test_one_folder_has_one_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.start._is_emulator", lambda pid: True)
    place = Place(4600, tmp_path)
    place.folder.mkdir()
    place.process.write_text(json.dumps({"pid": os.getpid(), "port": 4599}))

    with pytest.raises(LocalStackError, match="port 4599 already: make stop"):
        start(place)


def test_stopping_what_never_ran_is_no_error(tmp_path: Path) -> None:
    assert stop(Place(4599, tmp_path)) is False
