"""The inbox over HTTP: reading, counting and marking, each user by themselves."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from stagebell.domain.changes import Change, RecordKey
from stagebell.ports.inbox import Notice
from stagebell.runtime import wiring
from stagebell.services.apply import Applier
from tests.unit.api_calls import START, Api, make_api

DEAL = RecordKey("deal", "deal-7")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """Ada has three notices, Bob none."""
    made = make_api()
    monkeypatch.setattr(wiring, "api", lambda: made.ports)
    for user in ("ada", "bob"):
        know(made, user)
    for number in (1, 2, 3):
        put(made, number)
    return made


def know(api: Api, user: str) -> None:
    p = api.ports
    change = Change(f"crm:{user}", "crm", RecordKey("user", user), "created", START, {"name": user.title()})
    Applier(p.catalog, p.records, p.runs, p.scheduler, p.teller, p.clock).apply(change)


def put(api: Api, number: int, user: str = "ada", **told: Any) -> None:
    at = START + timedelta(minutes=number)
    api.ports.inbox.put(Notice(f"dlv_{number}", user, at, "Won", f"Deal {number}", DEAL, **told))


def listed(api: Api, query: str = "", user: str = "ada") -> list[str]:
    return [notice["id"] for notice in api.get(f"/v1/users/{user}/inbox", query).json["items"]]


def count(api: Api, user: str = "ada") -> int:
    return int(api.get(f"/v1/users/{user}/inbox/unread").json["count"])


def test_notices_are_listed_newest_first_in_pages(api: Api) -> None:
    first = api.get("/v1/users/ada/inbox").json
    second = api.get("/v1/users/ada/inbox", f"cursor={first['cursor']}").json

    assert [notice["id"] for notice in first["items"] + second["items"]] == ["dlv_3", "dlv_2", "dlv_1"]
    assert second["cursor"] is None


def test_a_notice_is_shown_with_all_it_says(api: Api) -> None:
    put(api, 4, url="https://crm.example.com/deals/deal-7", run="run_1", definition="won")

    assert api.get("/v1/users/ada/inbox").json["items"][0] == {
        "id": "dlv_4",
        "at": "2026-03-02T09:04:00Z",
        "subject": "Won",
        "body": "Deal 4",
        "record": {"object": "deal", "id": "deal-7"},
        "url": "https://crm.example.com/deals/deal-7",
        "run": "run_1",
        "definition": "won",
        "read_at": None,
    }


def test_a_notice_is_marked_read_once(api: Api) -> None:
    api.clock.advance(START + timedelta(hours=1))
    first = api.post("/v1/users/ada/inbox/dlv_2/read")
    api.clock.advance(START + timedelta(hours=2))
    second = api.post("/v1/users/ada/inbox/dlv_2/read")

    assert (first.status, first.json["read_at"]) == (200, "2026-03-02T10:00:00Z")
    assert second.json == first.json
    assert (count(api), listed(api, "unread=true"), listed(api)) == (2, ["dlv_3", "dlv_1"], ["dlv_3", "dlv_2"])


def test_all_notices_are_marked_read_at_once(api: Api) -> None:
    put(api, 9, user="bob")

    answers = [api.post("/v1/users/ada/inbox/read") for _ in range(2)]

    assert [(answer.status, answer.json) for answer in answers] == [(200, {"marked": 3}), (200, {"marked": 0})]
    assert (count(api), listed(api, "unread=true"), count(api, "bob")) == (0, [], 1)


def test_a_user_without_notices_has_an_empty_inbox(api: Api) -> None:
    answer = api.get("/v1/users/bob/inbox")

    assert (answer.status, answer.json) == (200, {"items": [], "cursor": None})
    assert api.get("/v1/users/bob/inbox/unread").json == {"count": 0}
    assert api.post("/v1/users/bob/inbox/read").json == {"marked": 0}


@pytest.mark.parametrize(
    ("method", "path", "said", "reason"),
    [
        ("GET", "/v1/users/zoe/inbox", "no user zoe", "nobody has heard of her"),
        ("GET", "/v1/users/zoe/inbox/unread", "no user zoe", "so there is nothing to count"),
        ("POST", "/v1/users/zoe/inbox/read", "no user zoe", "nor to mark"),
        ("POST", "/v1/users/ada/inbox/dlv_9/read", "user ada has no notice dlv_9", "a notice that is none"),
        ("POST", "/v1/users/bob/inbox/dlv_1/read", "user bob has no notice dlv_1", "somebody else's notice"),
    ],
)
def test_what_is_not_there_is_not_found(api: Api, method: str, path: str, said: str, reason: str) -> None:
    answer = api.call(method, path)

    assert (answer.status, answer.json["code"]) == (404, "not_found"), reason
    assert said in answer.json["detail"]
    assert count(api) == 3


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("viewer", "GET", "/v1/users/ada/inbox", 200),
        ("viewer", "GET", "/v1/users/ada/inbox/unread", 200),
        ("viewer", "POST", "/v1/users/ada/inbox/read", 403),
        ("viewer", "POST", "/v1/users/ada/inbox/dlv_1/read", 403),
        ("integrator", "POST", "/v1/users/ada/inbox/read", 200),
        ("integrator", "POST", "/v1/users/ada/inbox/dlv_1/read", 200),
    ],
)
def test_viewers_read_and_integrators_mark(api: Api, role: str, method: str, path: str, status: int) -> None:
    assert api.call(method, path, role=role).status == status


@pytest.mark.parametrize(
    ("query", "path"),
    [("unread=perhaps", "unread"), ("cursor=nonsense", "cursor")],
)
def test_a_question_that_makes_no_sense_is_refused(api: Api, query: str, path: str) -> None:
    answer = api.get("/v1/users/ada/inbox", query)

    assert answer.status == 422
    assert {found for found, _ in answer.paths} == {path}


def test_a_method_that_a_path_does_not_know_is_refused_with_those_it_knows(api: Api) -> None:
    answer = api.get("/v1/users/ada/inbox/read")

    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_the_id_of_a_user_may_hold_anything(api: Api) -> None:
    user = "Ada Müller/2"
    know(api, user)
    put(api, 1, user=user)
    written = quote(user, safe="")  # as the gateway hands it on: it has decoded once

    assert count(api, written) == 1
    assert api.post(f"/v1/users/{written}/inbox/dlv_1/read").status == 200
    assert count(api, written) == 0


def test_marking_again_under_the_same_idempotency_key_gives_the_first_answer(api: Api) -> None:
    first = api.post("/v1/users/ada/inbox/read", key="k1")
    put(api, 8)
    again = api.post("/v1/users/ada/inbox/read", key="k1")

    assert (again.json, again.headers["idempotency-replayed"]) == (first.json, "true")
    assert count(api) == 1
