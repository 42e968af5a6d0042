"""Follow-ups over HTTP: what is to be done about a record, by whom, and completing, cancelling, reassigning it."""

from datetime import timedelta
from typing import Any

import pytest

from stagebell.adapters.jinja import JinjaRenderer
from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.executions import Task
from stagebell.domain.fields import canonical
from stagebell.domain.objects import BUILT_IN
from stagebell.runtime import wiring
from stagebell.services.act import Actor
from stagebell.services.apply import Applier
from stagebell.services.compose import Composer
from stagebell.services.create_task import CreateTask
from stagebell.services.make import Maker
from stagebell.services.people import Directories
from tests.unit.api_calls import CALLER, DEAL, ERP, START, Api, make_api

ABOUT = {"record_object": "deal", "record_id": "deal-7"}
CALL = {"title": "Call them", "assignee": "u1", "state": "open", "due_at": "2026-03-02T12:00:00Z", **ABOUT}
DONE = {
    "kind": "workflow",
    "name": "after-done",
    "object": "task",
    "trigger": {"on": "updated", "fields": ["state"]},
    "only_if": {"field": "state", "op": "changed_to", "value": "done"},
    "actions": [{"name": "note", "type": "create_sales_record", "entry": "note", "text": "Done: {{ task.title }}"}],
}

WELCOME = {
    "kind": "workflow",
    "name": "welcome",
    "object": "deal",
    "trigger": {"on": "created"},
    "actions": [
        {
            "name": "call",
            "type": "create_task",
            "title": "Call",
            "assignee": [{"user": "u1"}],
            "due": "1 hour",
            "remind": [{"after_due": "1 hour"}],
        }
    ],
}


def happens(api: Api, object: str, id: str, type: str = "created", *, minute: int = 0, **fields: Any) -> None:
    """Let a change of a built-in object come from a source."""
    at = START + timedelta(minutes=minute)
    api.clock.advance(max(at, api.clock.now()))
    api.ports.catalog.refresh()
    written = {name: canonical(BUILT_IN[object].fields[name], value) for name, value in fields.items()}
    change = Change(f"erp:{object}-{id}-{minute}", "erp", RecordKey(object, id), type, at, written)  # type: ignore[arg-type]
    applier(api).apply(change)


def applier(api: Api) -> Applier:
    p = api.ports
    return Applier(p.catalog, p.records, p.runs, p.scheduler, p.teller, p.clock)


def task_of_workflow(api: Api) -> str:
    """The task that the first step of the only run of deal-7 makes."""
    p, run = api.ports, api.only_run()
    maker = Maker(Composer(p.catalog, JinjaRenderer()), Directories(p.catalog, p.records))
    Actor(applier(api), p.records, p.runs, p.clock, "test").act(Task(run, "call", 1, START), CreateTask(maker))
    (task,) = p.records.follow_ups(RecordKey("deal", "deal-7")).items
    return task.key.id


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = make_api()
    monkeypatch.setattr(wiring, "api", lambda: made.ports)
    made.activate(DEAL, ERP)
    happens(made, "user", "u1", name="Ada")
    happens(made, "user", "u2", name="Bob")
    happens(made, "user", "u3", name="Cyd", active=False)
    return made


# --- listing ---------------------------------------------------------------------------------------------------


def test_a_task_is_shown_with_what_it_is_about_and_whether_it_is_late(api: Api) -> None:
    happens(api, "task", "t1", **CALL)

    shown = api.get("/v1/tasks/t1").json

    assert (shown["title"], shown["assignee"], shown["state"]) == ("Call them", "u1", "open")
    assert (shown["due_at"], shown["overdue"], shown["done_at"]) == ("2026-03-02T12:00:00Z", False, None)
    assert shown["about"] == {"object": "deal", "id": "deal-7"}
    api.clock.advance(START + timedelta(hours=3))
    assert api.get("/v1/tasks/t1").json["overdue"] is False, "at its very time it is not late yet"
    api.clock.advance(START + timedelta(hours=3, seconds=1))
    assert api.get("/v1/tasks/t1").json["overdue"] is True


def test_follow_ups_of_a_record_come_newest_first_in_pages(api: Api) -> None:
    happens(api, "task", "t1", minute=1, **CALL)
    happens(api, "sales_record", "s1", minute=2, kind="call", text="Nobody there", **ABOUT)
    happens(api, "calendar_event", "e1", minute=3, title="Meet", **ABOUT)
    happens(api, "task", "t2", minute=4, **{**CALL, "record_id": "deal-8"})

    first = api.get("/v1/records/deal/deal-7/follow-ups").json
    second = api.get("/v1/records/deal/deal-7/follow-ups", f"cursor={first['cursor']}").json

    shown = first["items"] + second["items"]
    assert [(one["object"], one["id"]) for one in shown] == [
        ("calendar_event", "e1"),
        ("sales_record", "s1"),
        ("task", "t1"),
    ]
    assert shown[1]["fields"]["text"] == "Nobody there"
    assert shown[2]["about"] == {"object": "deal", "id": "deal-7"}


def test_a_record_without_follow_ups_has_none(api: Api) -> None:
    api.apply("1", record="deal-9", name="Pumps")

    assert api.get("/v1/records/deal/deal-9/follow-ups").json == {"items": [], "cursor": None}


def test_tasks_of_a_user_are_the_open_ones_by_due_time(api: Api) -> None:
    happens(api, "task", "later", **{**CALL, "due_at": "2026-03-04T09:00:00Z"})
    happens(api, "task", "whenever", **{**CALL, "due_at": None})
    happens(api, "task", "sooner", **CALL)
    happens(api, "task", "done", **{**CALL, "state": "done"})
    happens(api, "task", "another's", **{**CALL, "assignee": "u2"})

    first = api.get("/v1/users/u1/tasks").json
    second = api.get("/v1/users/u1/tasks", f"cursor={first['cursor']}").json

    assert [task["id"] for task in first["items"] + second["items"]] == ["sooner", "later", "whenever"]


@pytest.mark.parametrize(
    ("hours", "late", "why"),
    [(0, [], "nothing is due yet"), (4, ["t1"], "the first is"), (28, ["t1", "t2", "t3"], "all are, over two pages")],
)
def test_late_tasks_are_told_from_the_others(api: Api, hours: int, late: list[str], why: str) -> None:
    for day in (1, 2, 3):
        happens(api, "task", f"t{day}", **{**CALL, "due_at": f"2026-03-0{2 if day == 1 else 3}T12:0{day}:00Z"})
    api.clock.advance(START + timedelta(hours=hours))

    found, cursor = [], ""
    while True:
        page = api.get("/v1/users/u1/tasks", f"overdue=true{cursor}").json
        found += [task["id"] for task in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"

    assert found == late, why


@pytest.mark.parametrize(
    ("query", "expected", "why"),
    [
        ("object=task", ["whenever", "t2", "t1"], "what is to be done, without a due time first"),
        ("object=task&closed=true", ["off", "done"], "what was done, or called off"),
        ("object=calendar_event", ["e2", "e1"], "what they organize"),
        ("object=calendar_event&closed=true", ["e0"], "what takes no place"),
        ("object=sales_record", ["s2", "s1"], "what they wrote"),
        ("object=sales_record&closed=true", [], "it is never closed"),
    ],
)
def test_follow_ups_of_a_user_are_listed_by_their_own_time(api: Api, query: str, expected: list[str], why: str) -> None:
    happens(api, "task", "t1", **CALL)
    happens(api, "task", "t2", **{**CALL, "due_at": "2026-03-04T09:00:00Z"})
    happens(api, "task", "whenever", **{**CALL, "due_at": None})
    happens(api, "task", "done", **CALL)
    happens(api, "task", "done", "updated", minute=1, state="done")
    happens(api, "task", "off", **{**CALL, "state": "cancelled", "due_at": "2026-03-05T09:00:00Z"})
    happens(api, "task", "another's", **{**CALL, "assignee": "u2"})
    for number, state in enumerate(["cancelled", "confirmed", "confirmed"]):
        starts = f"2026-03-0{number + 3}T09:00:00Z"
        happens(api, "calendar_event", f"e{number}", organizer="u1", starts_at=starts, state=state, title="Meet")
    for number in (2, 1):
        happens(api, "sales_record", f"s{number}", author="u1", occurred_at=f"2026-02-0{number}T09:00:00Z", text="Hm")

    found, cursor = [], ""
    while True:
        page = api.get("/v1/users/u1/follow-ups", query + cursor).json
        found += [one["id"] for one in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"

    assert found == expected, why


@pytest.mark.parametrize("query", ["", "object=deal", "object=task&closed=maybe"])
def test_follow_ups_of_a_user_are_of_one_kind(api: Api, query: str) -> None:
    assert api.get("/v1/users/u1/follow-ups", query).status == 422


@pytest.mark.parametrize(
    ("path", "query"), [("/v1/tasks/t9", ""), ("/v1/users/u9/tasks", ""), ("/v1/users/u9/follow-ups", "object=task")]
)
def test_an_unknown_task_or_user_is_not_found(api: Api, path: str, query: str) -> None:
    assert api.get(path, query).status == 404


# --- the life of a task ----------------------------------------------------------------------------------------


def test_a_completed_task_is_done_and_no_longer_its_assignees(api: Api) -> None:
    happens(api, "task", "t1", **CALL)
    api.clock.advance(START + timedelta(minutes=30))

    answer = api.post("/v1/tasks/t1/complete", role="integrator")

    assert (answer.status, answer.json["state"], answer.json["done_at"]) == (200, "done", "2026-03-02T09:30:00Z")
    assert api.get("/v1/users/u1/tasks").json["items"] == []
    newest = api.get("/v1/records/task/t1/changes").json["items"][0]
    assert (newest["source"], newest["actor"], newest["event"]) == ("api", CALLER, "updated")
    assert newest["before"] == {"state": "open", "done_at": None}


def test_a_task_that_its_source_says_is_done_was_done_then_and_is_not_when_it_is_opened_again(api: Api) -> None:
    happens(api, "task", "t1", **CALL)
    happens(api, "task", "t1", "updated", minute=30, state="done")
    assert api.get("/v1/tasks/t1").json["done_at"] == "2026-03-02T09:30:00Z"

    api.post("/v1/tasks/t1/complete", {})
    happens(api, "task", "t1", "updated", minute=40, state="open")
    assert api.get("/v1/tasks/t1").json["done_at"] is None

    api.clock.advance(START + timedelta(hours=1))
    assert api.post("/v1/tasks/t1/complete", {}).json["done_at"] == "2026-03-02T10:00:00Z"
    happens(api, "task", "t1", "updated", minute=70, state="open")
    assert api.get("/v1/tasks/t1").json["done_at"] is None

    happens(api, "task", "t1", "updated", minute=80, state="done")
    assert api.get("/v1/tasks/t1").json["done_at"] == "2026-03-02T10:20:00Z", "not when it was done before"


def test_completing_a_task_lets_workflows_on_tasks_start(api: Api) -> None:
    api.activate(DONE)
    happens(api, "task", "t1", **CALL)

    api.post("/v1/tasks/t1/complete")

    (run,) = api.get("/v1/records/task/t1/runs").json["items"]
    assert (run["definition"], run["status"]) == ("after-done", "running")


def test_completing_a_task_ends_its_reminders(api: Api) -> None:
    api.activate(WELCOME)
    api.apply("1", name="Pumps")
    task = task_of_workflow(api)
    (waiting,) = api.get(f"/v1/records/task/{task}/runs").json["items"]
    (step,) = api.get(f"/v1/runs/{api.only_run()}").json["steps"]

    api.post(f"/v1/tasks/{task}/complete")

    (run,) = api.get(f"/v1/records/task/{task}/runs").json["items"]
    assert (waiting["definition"], waiting["next_due_at"]) == ("welcome/call", "2026-03-02T11:00:00Z")
    assert (run["id"], run["status"], run["next_due_at"]) == (waiting["id"], "cancelled", None)
    assert step["record"] == {"object": "task", "id": task}


@pytest.mark.parametrize(
    ("verbs", "status", "state", "why"),
    [
        (("complete", "complete"), 200, "done", "doing it twice is harmless"),
        (("cancel", "cancel"), 200, "cancelled", "so is cancelling it twice"),
        (("cancel", "complete"), 409, "cancelled", "what was cancelled cannot be done"),
        (("complete", "cancel"), 409, "done", "what is done cannot be cancelled"),
    ],
)
def test_a_task_ends_once(api: Api, verbs: tuple[str, str], status: int, state: str, why: str) -> None:
    happens(api, "task", "t1", **CALL)
    api.post(f"/v1/tasks/t1/{verbs[0]}")
    ended = api.get("/v1/tasks/t1").json

    answer = api.post(f"/v1/tasks/t1/{verbs[1]}")

    assert answer.status == status, why
    assert ended["state"] == state
    assert api.get("/v1/tasks/t1").json == ended, "the second one has changed nothing"


def test_a_reassigned_task_is_the_other_users(api: Api) -> None:
    happens(api, "task", "t1", **CALL)

    answer = api.post("/v1/tasks/t1/reassign", {"assignee": "u2"})

    assert (answer.status, answer.json["assignee"]) == (200, "u2")
    assert api.get("/v1/users/u1/tasks").json["items"] == []
    assert [task["id"] for task in api.get("/v1/users/u2/tasks").json["items"]] == ["t1"]


def test_reassigning_a_task_to_its_assignee_changes_nothing(api: Api) -> None:
    happens(api, "task", "t1", **CALL)

    assert api.post("/v1/tasks/t1/reassign", {"assignee": "u1"}).json["version"] == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"assignee": "u9"}, ("assignee", "active_user")),
        ({"assignee": "u3"}, ("assignee", "active_user")),
        ({"assignee": ""}, ("assignee", "length")),
        ({}, ("assignee", "required")),
        ({"assignee": "u2", "by": "me"}, ("by", "unknown_key")),
    ],
)
def test_a_task_goes_to_an_active_user_only(api: Api, body: dict[str, str], problem: tuple[str, str]) -> None:
    happens(api, "task", "t1", **CALL)

    answer = api.post("/v1/tasks/t1/reassign", body)

    assert (answer.status, answer.paths) == (422, {problem})


def test_a_task_that_is_over_is_not_reassigned(api: Api) -> None:
    happens(api, "task", "t1", **{**CALL, "state": "done"})

    assert api.post("/v1/tasks/t1/reassign", {"assignee": "u2"}).status == 409


@pytest.mark.parametrize("verb", ["complete", "cancel", "reassign"])
def test_a_task_that_is_unknown_deleted_or_locked_is_left_alone(api: Api, verb: str) -> None:
    happens(api, "task", "gone", **CALL)
    happens(api, "task", "gone", "deleted", minute=1)
    happens(api, "task", "kept", **CALL)
    api.post("/v1/records/task/kept/lock", {"why": "Audit"})
    body = {"assignee": "u2"} if verb == "reassign" else None

    assert [api.post(f"/v1/tasks/{task}/{verb}", body).status for task in ("never", "gone", "kept")] == [404, 404, 423]


def test_a_viewer_completes_nothing(api: Api) -> None:
    happens(api, "task", "t1", **CALL)

    assert api.post("/v1/tasks/t1/complete", role="viewer").status == 403
