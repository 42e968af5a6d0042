"""`stagebell explain`: what it says where there is nothing to explain."""

import pytest

from stagebell.cli.client import Client
from stagebell.cli.main import main

API = ["--url", "https://api.example.com", "--key", "sbk_1"]


@pytest.mark.parametrize("record", ["nonsense", "/7", "deal/"])
def test_what_is_no_record_is_said_to_be_none(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", record, *API]) == 2
    assert f"{record} is no OBJECT/ID" in capsys.readouterr().err


def test_a_record_without_changes_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Client, "get", lambda client, path: {"items": [], "cursor": None})

    assert main(["explain", "deal/7", *API]) == 0
    assert "No change of deal/7 has arrived" in capsys.readouterr().out
