"""`stagebell replay --write-backs`: after a long outage, one command tells a source all that was given up."""

import io
import urllib.request
from dataclasses import replace
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

import pytest

from stagebell.cli.main import main
from stagebell.runtime import wiring
from stagebell.services.replay import Replayer
from tests.sources import ADDRESS, ToldStage
from tests.stage import WON
from tests.unit.api_calls import Api, make_api

COMMAND = ["replay", "--write-backs", "crm", "--url", "https://api.example.com", "--key", "sbk_1"]


@pytest.fixture
def stage() -> ToldStage:
    return ToldStage()


@pytest.fixture
def api(stage: ToldStage, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API of the stage's own Stagebell, in pages of two, as the command reaches it."""
    off = stage.offline
    off.deliveries._page_size = 2
    own = ("definitions", "catalog", "records", "runs", "deliveries", "teller", "outbox", "suppressions", "clock")
    ports = replace(make_api().ports, **{name: getattr(off, name) for name in own})
    made = Api(ports, off.clock)
    monkeypatch.setattr(wiring, "api", lambda: ports)
    monkeypatch.setattr(urllib.request, "urlopen", lambda request, timeout: over_http(made, request))
    return made


def over_http(api: Api, request: urllib.request.Request, role: str = "operator") -> io.BytesIO:
    url = urlsplit(request.full_url)
    body = request.data.decode() if isinstance(request.data, bytes) else None
    answer = api.call(request.get_method(), unquote(url.path), body, query=url.query, role=role)
    told = io.BytesIO(answer.text.encode())
    if answer.status >= 400:
        raise HTTPError(request.full_url, answer.status, "", Message(), told)
    return told


def outage(stage: ToldStage, *changes: dict[str, Any]) -> None:
    """What was changed here while the source did not answer, until it was given up."""
    stage.answers(410)
    for fields in changes:
        stage.deed(**fields)
        stage.tell()
    stage.answers(200)
    stage.offline.suppressions.remove("webhook", ADDRESS)
    del stage.posts[:]


def said(capsys: pytest.CaptureFixture[str], code: int = 0) -> list[str]:
    assert main(COMMAND) == code
    told = capsys.readouterr()
    return (told.out if code < 2 else told.err).splitlines()


def test_all_that_was_given_up_is_told_in_the_order_in_which_it_happened(
    stage: ToldStage, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = ["count", "urgent", "due_on", "owner", "amount"]
    values = [3, True, "2026-04-01", "u1", "7"]
    changes = [{name: value} for name, value in zip(fields, values, strict=True)]
    for change in changes:
        outage(stage, change)
        stage.advance(minutes=1)

    lines = said(capsys)
    stage.tell()

    assert lines == ["5 will be told to crm once more"]
    assert stage.told == changes
    assert said(capsys) == ["There is nothing that crm could not be told."]


def test_what_was_given_up_for_another_source_is_left_alone(
    stage: ToldStage, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    outage(stage, {"count": 1}, {"count": 2}, {"count": 3})
    for delivery in stage.write_backs[:2]:
        stage.offline.deliveries.update(replace(delivery, recipient="erp"), forward_only=False)

    assert said(capsys) == ["1 will be told to crm once more"]
    assert [delivery.state for delivery in stage.write_backs] == ["failed", "failed", "planned"]


def test_what_newer_values_have_replaced_is_counted_by_itself(
    stage: ToldStage, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    outage(stage, {"stage": WON}, {"count": 2})
    stage.advance(minutes=5)
    stage.post(stage="Lost", at=stage.now)

    assert said(capsys) == ["1 will be told to crm once more; 1 will not, as newer values have replaced them"]


def test_what_cannot_be_replayed_is_named_and_keeps_nothing_from_the_others(
    stage: ToldStage, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outage(stage, {"count": 1}, {"urgent": True})
    records, first = stage.offline.records, stage.write_backs[0].change
    applied = records.applied
    monkeypatch.setattr(records, "applied", lambda key, id: applied(key, id) if id != first else None)

    lines = said(capsys, code=1)

    assert lines == [
        "1 will be told to crm once more; 1 could not be replayed:",
        f"  deal/deal-7, change {first}: the change has aged out of the record's history: "
        "there is nothing to tell any more",
    ]


def test_who_was_interrupted_says_the_same_again(
    stage: ToldStage, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outage(stage, {"count": 1}, {"urgent": True}, {"amount": "9"})
    replayed = iter([True, False])

    def dying(request: urllib.request.Request, timeout: int) -> io.BytesIO:
        if request.get_method() == "POST" and not next(replayed):
            raise URLError("no route to host")
        return over_http(api, request)

    with monkeypatch.context() as patch:
        patch.setattr(urllib.request, "urlopen", dying)
        lines = said(capsys, code=2)

    assert lines == [
        "stagebell replay: https://api.example.com cannot be reached: no route to host",
        "1 were replayed before; say the same again to go on",
    ]
    assert said(capsys) == ["2 will be told to crm once more"]


def test_one_that_breaks_the_api_does_not_stand_before_the_others(
    stage: ToldStage, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outage(stage, {"count": 1}, {"urgent": True})
    broken, replay = stage.write_backs[0].key, Replayer.replay

    def half_broken(replayer: Replayer, key: str) -> Any:
        if key == broken:
            raise RuntimeError("what nobody thought of")
        return replay(replayer, key)

    monkeypatch.setattr(Replayer, "replay", half_broken)

    assert said(capsys, code=1)[0] == "1 will be told to crm once more; 1 could not be replayed:"


def test_a_key_that_may_not_replay_is_told_once(
    stage: ToldStage, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outage(stage, {"count": 1}, {"urgent": True})
    monkeypatch.setattr(urllib.request, "urlopen", lambda request, timeout: over_http(api, request, "viewer"))

    lines = said(capsys, code=2)

    assert "needs the role operator" in lines[0]
    assert len(lines) == 2


def test_a_source_that_there_is_not_has_nothing_given_up_either(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND[:2], "crmm", *COMMAND[3:]]) == 2
    assert "there is no source crmm" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--stack", "stagebell", "--write-backs", "crm"]])
def test_one_thing_is_replayed_at_a_time(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["replay", *more])

    assert "--write-backs" in capsys.readouterr().err
