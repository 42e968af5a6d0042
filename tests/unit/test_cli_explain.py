"""`stagebell explain`: what it says where there is nothing to explain."""

import pytest

from stagebell.cli.client import Client
from stagebell.cli.main import main

API = ["--url", "https://api.example.com", "--key", "sbk_1"]


@pytest.mark.parametrize("record", ["nonsense", "/7", "deal/"])
def test_what_is_no_record_is_said_to_be_none(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", record, *API]) == 2
    assert f"{record} is no OBJECT/ID" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        ({"limit": "depth"}, "loop_stopped, as 8 changes have led to each other (depth)"),
        ({"limit": "moon_phase"}, "loop_stopped, as moon_phase (moon_phase)"),
        ({}, "loop_stopped"),
    ],
    ids=["a limit", "one of a newer stack", "from before limits were told"],
)
def test_the_limit_that_was_reached_is_told(
    limit: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"definition": "tell", "version": 2, "outcome": "loop_stopped", **limit, "why": {"condition": "all"}}
    monkeypatch.setattr(Client, "get", lambda client, path: {"definitions": [said]})

    assert main(["explain", "deal/7", "erp:1", *API]) == 0
    assert capsys.readouterr().out.splitlines() == [f"tell (version 2): {line}"]


def test_a_record_without_changes_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Client, "get", lambda client, path: {"items": [], "cursor": None})

    assert main(["explain", "deal/7", *API]) == 0
    assert "No change of deal/7 has arrived" in capsys.readouterr().out
