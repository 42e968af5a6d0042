"""Records, runs and deliveries over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.limits import RUNS_PER_HOUR
from stagebell.runtime import wiring
from stagebell.services.apply import Applier
from tests.unit.api_calls import ALL, CALLER, DEAL, SCENARIO, START, WAITING, Api, make_api

DEAL_7 = "/v1/records/deal/deal-7"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = make_api()
    monkeypatch.setattr(wiring, "api", lambda: made.ports)
    made.activate(*ALL)
    return made


# --- records ---------------------------------------------------------------------------------------------------


def test_a_record_is_shown_with_its_values_their_times_and_open_runs(api: Api) -> None:
    api.apply("1", **WAITING)

    shown = api.get(DEAL_7).json

    assert (shown["object"], shown["id"], shown["version"], shown["exists"]) == ("deal", "deal-7", 1, True)
    assert shown["fields"]["amount"] == "1500"
    assert shown["written_at"]["stage"] == "2026-03-02T09:00:00Z"
    assert shown["deleted_at"] is None
    assert [(run["definition"], run["due_at"]) for run in shown["open_runs"]] == [
        ("salesperson-not-assigned", "2026-03-02T09:05:00Z")
    ]


def test_a_deleted_record_keeps_its_last_values(api: Api) -> None:
    api.apply("1", **WAITING)
    api.apply("2", "deleted", minute=1)

    shown = api.get(DEAL_7).json

    assert (shown["exists"], shown["deleted_at"], shown["open_runs"]) == (False, "2026-03-02T09:01:00Z", [])
    assert shown["fields"]["name"] == "Pumps"


def test_a_record_nobody_told_of_is_not_found(api: Api) -> None:
    answer = api.get(DEAL_7)

    assert (answer.status, answer.json["code"]) == (404, "not_found")


def test_changes_come_newest_first_in_pages(api: Api) -> None:
    api.apply("1", **WAITING)
    api.apply("2", "updated", minute=1, stage="Won")
    api.apply("3", "updated", minute=2, stage="Lost")

    first = api.get(f"{DEAL_7}/changes").json
    second = api.get(f"{DEAL_7}/changes", f"cursor={first['cursor']}").json

    assert [change["id"] for change in first["items"] + second["items"]] == ["erp:3", "erp:2", "erp:1"]
    newest = first["items"][0]
    assert (newest["event"], newest["said"], newest["before"]) == ("updated", {"stage": "Lost"}, {"stage": "Won"})
    assert newest["after"]["amount"] == "1500"


def test_a_change_is_explained_with_the_values_that_were_seen(api: Api) -> None:
    api.apply("1", **(WAITING | {"amount": "900"}))

    answer = api.get(f"{DEAL_7}/changes/erp:1/explanation")

    (told,) = answer.json["definitions"]
    assert (answer.json["change"], told["definition"]) == ("erp:1", "salesperson-not-assigned")
    assert told["outcome"] == "not_matched"
    assert "900" in answer.text


def test_a_scenario_that_was_not_looked_at_is_explained_on_request(api: Api) -> None:
    api.apply("1", stage="Won", amount="5000")

    assert api.get(f"{DEAL_7}/changes/erp:1/explanation").json["definitions"] == []
    answer = api.get(f"{DEAL_7}/changes/erp:1/explanation", "definition=salesperson-not-assigned")
    assert answer.json["definitions"][0]["outcome"] == "not_triggered"


def test_an_unknown_change_or_scenario_cannot_be_explained(api: Api) -> None:
    api.apply("1", **WAITING)

    assert api.get(f"{DEAL_7}/changes/erp:9/explanation").status == 404
    assert api.get(f"{DEAL_7}/changes/erp:1/explanation", "definition=nothing").status == 404


# --- editing ---------------------------------------------------------------------------------------------------


def test_an_edit_writes_values_and_is_kept_in_the_history_under_the_id_of_the_key(api: Api) -> None:
    api.apply("1", **WAITING)
    api.clock.advance(START + timedelta(minutes=1))

    answer = api.patch(DEAL_7, {"fields": {"stage": "Won", "amount": 12.50}}, role="integrator")

    assert (answer.status, answer.json["version"]) == (200, 2)
    assert answer.json["fields"] == {"stage": "Won", "amount": "12.5", "name": "Pumps"}
    newest = api.get(f"{DEAL_7}/changes").json["items"][0]
    assert (newest["source"], newest["actor"], newest["event"]) == ("api", CALLER, "updated")
    assert newest["before"] == {"stage": "Salesperson not assigned", "amount": "1500"}


def test_an_edit_is_followed_by_what_definitions_make_of_it(api: Api) -> None:
    api.apply("1", stage="Lost", amount="1500")

    answer = api.patch(DEAL_7, {"fields": {"stage": "Salesperson not assigned"}})

    assert [run["definition"] for run in answer.json["open_runs"]] == ["salesperson-not-assigned"]
    api.patch(DEAL_7, {"fields": {"stage": "Won"}})
    assert [step["status"] for step in api.get(f"/v1/runs/{api.only_run()}").json["steps"]] == ["waiting", "skipped"]


def test_an_edit_counts_after_all_that_the_record_has_seen(api: Api) -> None:
    ahead = Change("erp:1", "erp", RecordKey("deal", "deal-7"), "created", START + timedelta(minutes=5), WAITING)
    p = api.ports  # whose clock is behind that of the source
    Applier(p.catalog, p.records, p.runs, p.scheduler, p.teller, p.clock).apply(ahead)

    answer = api.patch(DEAL_7, {"fields": {"stage": "Won"}})

    assert (answer.status, answer.json["fields"]["stage"]) == (200, "Won")


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"stage": "Sold", "colour": "red"}, {("fields.stage", "select"), ("fields.colour", "known_field")}),
        ({"amount": "much", "name": 7}, {("fields.amount", "decimal"), ("fields.name", "text")}),
        ({"title": None}, {("fields.title", "required")}),
        ({}, {("fields", "count")}),
    ],
)
def test_every_problem_of_an_edit_is_named_and_nothing_is_written(
    api: Api, fields: dict[str, object], problems: set[tuple[str, str]]
) -> None:
    api.activate(DEAL | {"fields": DEAL["fields"] | {"title": {"type": "text", "required": True}}})
    api.apply("1", title="Pumps", **WAITING)

    answer = api.patch(DEAL_7, {"fields": fields})

    assert (answer.status, answer.paths) == (422, problems)
    assert api.get(DEAL_7).json["version"] == 1


def test_a_record_that_is_unknown_or_deleted_cannot_be_edited_or_locked(api: Api) -> None:
    api.apply("1", **WAITING)
    api.apply("2", "deleted", minute=1)

    for path in (DEAL_7, "/v1/records/deal/never", "/v1/records/planet/mars"):
        assert api.patch(path, {"fields": {"stage": "Won"}}).status == 404
        assert api.post(f"{path}/lock", {"why": "Audit"}).status == 404
        assert api.post(f"{path}/unlock", {"why": "Audit"}).status == 404


def test_an_edit_that_comes_again_under_its_idempotency_key_changes_nothing_more(api: Api) -> None:
    api.apply("1", **WAITING)

    first = api.patch(DEAL_7, {"fields": {"stage": "Won"}}, key="a")
    again = api.patch(DEAL_7, {"fields": {"stage": "Won"}}, key="a")
    other = api.patch(DEAL_7, {"fields": {"stage": "Lost"}}, key="a")

    assert (first.text, again.headers["idempotency-replayed"]) == (again.text, "true")
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert api.get(DEAL_7).json["version"] == 2


def test_an_edit_whose_first_attempt_died_after_it_was_stored_is_not_made_twice(api: Api) -> None:
    api.apply("1", **WAITING)
    api.patch(DEAL_7, {"fields": {"stage": "Won"}}, key="a")
    api.ports.requests.forget("a")

    api.patch(DEAL_7, {"fields": {"stage": "Won"}}, key="a")

    assert api.get(DEAL_7).json["version"] == 2


def test_a_record_that_would_grow_too_large_is_refused(api: Api) -> None:
    api.apply("1", **WAITING)
    long = {f"note_{number}": {"type": "text"} for number in range(6)}
    api.activate(DEAL | {"fields": DEAL["fields"] | long})
    for name in list(long)[:4]:
        api.patch(DEAL_7, {"fields": {name: "x" * 65_000}})

    answer = api.patch(DEAL_7, {"fields": {"note_4": "x" * 65_000}})

    assert (answer.status, answer.paths) == (422, {("fields", "record_too_large")})


# --- locking ---------------------------------------------------------------------------------------------------


def test_a_locked_record_says_who_locked_it_and_why_and_refuses_edits_until_it_is_unlocked(api: Api) -> None:
    api.apply("1", **WAITING)

    locked = api.post(f"{DEAL_7}/lock", {"why": "Under audit"}, role="operator")
    refused = api.patch(DEAL_7, {"fields": {"stage": "Won"}})
    unlocked = api.post(f"{DEAL_7}/unlock", {"why": "Audit passed"}, role="operator")

    assert locked.json["lock"] == {"by": CALLER, "at": "2026-03-02T09:00:00Z", "why": "Under audit"}
    assert (refused.status, refused.json["code"]) == (423, "record_locked")
    assert "Under audit" in refused.json["detail"]
    assert unlocked.json["lock"] is None
    assert api.patch(DEAL_7, {"fields": {"stage": "Won"}}).status == 200


def test_the_history_of_a_lock_tells_its_reasons(api: Api) -> None:
    api.apply("1", **WAITING)
    api.clock.advance(START + timedelta(minutes=1))
    api.post(f"{DEAL_7}/lock", {"why": "Under audit"})
    api.apply("2", "updated", minute=2, stage="Won")

    mirrored, locked = api.get(f"{DEAL_7}/changes").json["items"]

    assert (locked["event"], locked["why"], locked["actor"]) == ("locked", "Under audit", CALLER)
    assert (mirrored["event"], mirrored["note"]) == ("updated", "mirrored_while_locked")


def test_locking_twice_keeps_the_first_reason_and_unlocking_twice_is_harmless(api: Api) -> None:
    api.apply("1", **WAITING)
    api.post(f"{DEAL_7}/lock", {"why": "First"})

    assert api.post(f"{DEAL_7}/lock", {"why": "Second"}).json["lock"]["why"] == "First"
    for _ in range(2):
        assert api.post(f"{DEAL_7}/unlock", {"why": "Enough"}).json["lock"] is None


def test_a_lock_needs_a_reason(api: Api) -> None:
    api.apply("1", **WAITING)

    assert api.post(f"{DEAL_7}/lock", {}).paths == {("why", "required")}
    assert api.get(DEAL_7).json["lock"] is None


def test_a_record_names_the_sources_that_reported_it(api: Api) -> None:
    api.apply("1", **WAITING)
    api.patch(DEAL_7, {"fields": {"stage": "Won"}})

    assert api.get(DEAL_7).json["sources"] == ["erp"]


# --- runs ------------------------------------------------------------------------------------------------------


def test_a_run_is_shown_with_its_steps_times_and_reasons(api: Api) -> None:
    api.apply("1", **WAITING)

    shown = api.get(f"/v1/runs/{api.only_run()}").json

    assert (shown["definition"], shown["version"], shown["status"]) == ("salesperson-not-assigned", 1, "running")
    assert shown["record"] == {"object": "deal", "id": "deal-7"}
    assert (shown["change"], shown["triggered_at"]) == ("erp:1", "2026-03-02T09:00:00Z")
    assert (shown["next_due_at"], shown["execution"]) == ("2026-03-02T09:05:00Z", 1)
    assert [(step["name"], step["type"], step["status"], step["due_at"]) for step in shown["steps"]] == [
        ("first-mail", "send_email", "waiting", "2026-03-02T09:05:00Z"),
        ("second-mail", "send_email", "waiting", "2026-03-02T11:00:00Z"),
    ]


def test_an_unknown_run_is_not_found(api: Api) -> None:
    assert api.get("/v1/runs/run_0").status == 404
    assert api.post("/v1/runs/run_0/cancel").status == 404


def test_runs_of_a_scenario_come_newest_first_in_pages(api: Api) -> None:
    for number in range(3):
        api.apply(str(number), record=f"deal-{number}", minute=number, **WAITING)

    first = api.get("/v1/runs", "definition=salesperson-not-assigned").json
    second = api.get("/v1/runs", f"definition=salesperson-not-assigned&cursor={first['cursor']}").json

    assert [run["record"]["id"] for run in first["items"] + second["items"]] == ["deal-2", "deal-1", "deal-0"]
    assert api.get("/v1/runs").paths == {("definition", "required")}


def test_a_cancelled_run_ends_its_steps_with_the_reason(api: Api) -> None:
    api.apply("1", **WAITING)
    run = api.only_run()

    answer = api.post(f"/v1/runs/{run}/cancel", {"reason": "customer_called"})

    assert answer.status == 200
    assert (answer.json["status"], answer.json["reason"], answer.json["next_due_at"]) == (
        "cancelled",
        "customer_called",
        None,
    )
    assert {(step["status"], step["reason"]) for step in answer.json["steps"]} == {("cancelled", "customer_called")}
    assert api.get(DEAL_7).json["open_runs"] == []
    assert len(api.ports.scheduler) == 0  # type: ignore[arg-type]


def test_cancelling_needs_no_reason_and_may_be_repeated(api: Api) -> None:
    api.apply("1", **WAITING)
    run = api.only_run()

    assert api.post(f"/v1/runs/{run}/cancel").json["reason"] == "cancelled_by_operator"
    assert api.post(f"/v1/runs/{run}/cancel", {"reason": "again"}).json["reason"] == "cancelled_by_operator"


@pytest.mark.parametrize("reason", ["", "Two Words", "x" * 65, 7])
def test_a_reason_is_one_word(api: Api, reason: object) -> None:
    assert {path for path, _ in api.post("/v1/runs/run_0/cancel", {"reason": reason}).paths} == {"reason"}


def test_a_run_that_has_ended_cannot_be_cancelled(api: Api) -> None:
    api.apply("1", **WAITING)
    run = api.only_run()
    api.apply("2", "updated", minute=1, stage="Won")
    api.apply("3", "updated", minute=2, stage="Salesperson not assigned")

    answer = api.post(f"/v1/runs/{run}/cancel")

    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert "superseded" in answer.json["detail"]


MANUAL = SCENARIO | {"name": "call-back", "trigger": {"on": "manual"}, "steps": SCENARIO["steps"][:1]}
del MANUAL["stage"]
BY_HAND = "/v1/scenarios/call-back/runs"


def test_an_integrator_starts_a_scenario_by_hand(api: Api) -> None:
    api.activate(MANUAL)
    api.apply("1", stage="Won", amount="5000")

    answer = api.post(BY_HAND, {"object": "deal", "id": "deal-7"}, role="integrator")

    assert answer.status == 201
    assert (answer.json["definition"], answer.json["status"]) == ("call-back", "running")
    assert api.only_run() == answer.json["id"]


def test_an_integrator_starts_a_workflow_by_hand(api: Api) -> None:
    mark = {"name": "mark", "type": "set_stage", "field": "stage", "to": "Lost"}
    manual = {"kind": "workflow", "name": "give-up", "object": "deal", "trigger": {"on": "manual"}, "actions": [mark]}
    api.activate(manual)
    api.apply("1", stage="Won", amount="5000")

    answer = api.post("/v1/workflows/give-up/runs", {"object": "deal", "id": "deal-7"}, role="integrator")
    mistaken = api.post("/v1/scenarios/give-up/runs", {"object": "deal", "id": "deal-7"}, role="integrator")

    assert (answer.status, answer.json["definition"], answer.json["status"]) == (201, "give-up", "running")
    assert (mistaken.status, mistaken.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        (BY_HAND, {"object": "deal", "id": "deal-9"}, 404, "an unknown record"),
        ("/v1/scenarios/nothing/runs", {"object": "deal", "id": "deal-7"}, 404, "an unknown scenario"),
        ("/v1/scenarios/salesperson-not-assigned/runs", {"object": "deal", "id": "deal-7"}, 409, "another trigger"),
        (BY_HAND, {"object": "user", "id": "u1"}, 404, "a record of another object"),
    ],
)
def test_what_cannot_be_started_by_hand_is_refused(api: Api, path: str, body: object, status: int, why: str) -> None:
    api.activate(MANUAL)
    api.apply("1", stage="Won", amount="5000")

    assert api.post(path, body).status == status, why


def test_why_something_cannot_be_started_by_hand_is_said_in_the_words_of_its_definition(api: Api) -> None:
    api.apply("1", stage="Won", amount="5000")

    refused = api.post("/v1/scenarios/salesperson-not-assigned/runs", {"object": "deal", "id": "deal-7"})

    assert "starts on stage_entered; by hand only with the trigger manual" in refused.json["detail"]


@pytest.mark.parametrize(
    ("more", "before", "why"),
    [
        ({"only_if": {"field": "amount", "op": "gt", "value": 9000}}, 0, "only_if does not hold (not_matched)"),
        ({}, 1, "waits already (already_running)"),
        ({"reentry": "once"}, 1, "had its run (once_only)"),
    ],
)
def test_a_start_by_hand_that_starts_nothing_says_why(api: Api, more: dict[str, Any], before: int, why: str) -> None:
    api.activate(MANUAL | more)
    api.apply("1", stage="Won", amount="5000")
    for _ in range(before):
        assert api.post(BY_HAND, {"object": "deal", "id": "deal-7"}).status == 201

    answer = api.post(BY_HAND, {"object": "deal", "id": "deal-7"})

    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert why in answer.json["detail"]


def test_a_start_by_hand_beyond_a_limit_says_which(api: Api) -> None:
    mark = {"name": "mark", "type": "set_stage", "field": "stage", "to": "Lost"}
    manual = {"kind": "workflow", "name": "give-up", "object": "deal", "trigger": {"on": "manual"}, "actions": [mark]}
    api.activate(manual)
    api.apply("1", stage="Won", amount="5000")

    answers = [
        api.post("/v1/workflows/give-up/runs", {"object": "deal", "id": "deal-7"}) for _ in range(RUNS_PER_HOUR + 1)
    ]

    assert [answer.status for answer in answers] == [201] * RUNS_PER_HOUR + [409]
    assert answers[-1].json["detail"] == (
        "workflow give-up was not started for deal/deal-7: "
        "it was started for this record 20 times within an hour (loop_stopped)"
    )


def test_starting_by_hand_names_the_record(api: Api) -> None:
    assert api.post(BY_HAND, {"id": ""}).paths == {("object", "required"), ("id", "length")}


@pytest.mark.parametrize("listing", ["changes", "runs", "deliveries", "follow-ups"])
@pytest.mark.parametrize(
    ("record", "why"), [("nope/x", "nobody has declared the object"), ("deal/deal-9", "nobody has reported the record")]
)
def test_a_listing_below_a_record_that_is_none_is_not_found_like_the_record(
    api: Api, listing: str, record: str, why: str
) -> None:
    itself = api.get(f"/v1/records/{record}")

    answer = api.get(f"/v1/records/{record}/{listing}")

    assert (answer.status, answer.json) == (404, itself.json), why


@pytest.mark.parametrize("listing", ["runs", "deliveries", "follow-ups"])
def test_a_listing_below_a_record_that_has_nothing_is_empty(api: Api, listing: str) -> None:
    api.apply("1", name="Pumps")

    answer = api.get(f"{DEAL_7}/{listing}")

    assert (answer.status, answer.json) == (200, {"items": [], "cursor": None})


def test_what_is_known_about_a_record_nobody_has_reported_is_listed(api: Api) -> None:
    about = {"record_object": "deal", "record_id": "deal-9", "title": "Call"}
    api.clock.advance(START)
    api.ports.catalog.refresh()
    p = api.ports
    task = Change("erp:1", "erp", RecordKey("task", "t1"), "created", START, about)
    Applier(p.catalog, p.records, p.runs, p.scheduler, p.teller, p.clock).apply(task)

    (item,) = api.get("/v1/records/deal/deal-9/follow-ups").json["items"]

    assert item["id"] == "t1"


def test_the_deliveries_of_a_run_that_is_none_are_not_found(api: Api) -> None:
    api.apply("1", **WAITING)

    assert api.get(f"/v1/runs/{api.only_run()}/deliveries").json["items"] == []
    assert api.get("/v1/runs/run_0/deliveries").status == 404


# --- deliveries ------------------------------------------------------------------------------------------------


def test_deliveries_are_found_by_run_record_state_and_key(api: Api) -> None:
    api.apply("1", **WAITING)
    run = api.only_run()
    delivery = api.record_delivery(run, "anna@example.com")

    listings = [
        api.get(f"/v1/runs/{run}/deliveries"),
        api.get(f"{DEAL_7}/deliveries"),
        api.get("/v1/deliveries", f"run={run}"),
        api.get("/v1/deliveries", "record=deal/deal-7"),
        api.get("/v1/deliveries", "state=sent"),
    ]

    assert [[item["key"] for item in answer.json["items"]] for answer in listings] == [[delivery.key]] * 5
    shown = api.get(f"/v1/deliveries/{delivery.key}").json
    assert (shown["recipient"], shown["state"], shown["planned_at"]) == (
        "anna@example.com",
        "sent",
        "2026-03-02T09:05:00Z",
    )
    assert shown["record"] == {"object": "deal", "id": "deal-7"}


def test_an_empty_run_names_no_deliveries(api: Api) -> None:
    assert api.get("/v1/deliveries", "run=").paths == {("run", "length")}


def test_an_unknown_delivery_is_not_found(api: Api) -> None:
    assert api.get("/v1/deliveries/dlv_0").status == 404


def test_deliveries_in_a_state_are_narrowed_by_time(api: Api) -> None:
    api.apply("1", **WAITING)
    run = api.only_run()
    for minute in (5, 10, 15):
        api.record_delivery(run, f"{minute}@example.com", minute=minute)

    window = "state=sent&since=2026-03-02T09:10:00Z&until=2026-03-02T10:15:00%2B01:00"
    found = api.get("/v1/deliveries", window).json["items"]

    assert [item["recipient"] for item in found] == ["10@example.com"]


def test_deliveries_come_in_pages(api: Api) -> None:
    api.apply("1", **WAITING)
    run = api.only_run()
    for minute in (5, 10, 15):
        api.record_delivery(run, f"{minute}@example.com", minute=minute)

    first = api.get("/v1/deliveries", "state=sent").json
    second = api.get("/v1/deliveries", f"state=sent&cursor={first['cursor']}").json

    assert [len(first["items"]), len(second["items"]), second["cursor"]] == [2, 1, None]
    assert api.get("/v1/deliveries", f"state=bounced&cursor={first['cursor']}").paths == {("cursor", "cursor")}


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ("", {("state", "required")}),
        ("since=2026-03-02T09:10:00Z", {("state", "required")}),
        ("state=lost", {("state", "one_of")}),
        ("state=sent&run=run_1", {("run", "alone")}),
        ("state=sent&record=deal/1&run=run_1", {("run", "alone"), ("record", "alone")}),
        ("run=run_1&since=2026-03-02T09:10:00Z", {("since", "alone")}),
        ("record=deal-7", {("record", "form")}),
        ("record=/deal-7", {("record", "form")}),
        ("state=sent&since=yesterday", {("since", "instant")}),
        ("state=sent&since=2026-03-02T09:10:00&until=x", {("since", "instant"), ("until", "instant")}),
        ("state=sent&since=2026-03-02T09:10:00+01:00", {("since", "instant")}),
        ("state=sent&since=2026-03-02T09:10:00Z&until=2026-03-02T09:09:59Z", {("until", "window")}),
        ("state=sent&since=2026-03-02T09:10:00Z&until=2026-03-02T10:00:00%2B02:00", {("until", "window")}),
    ],
)
def test_a_filter_that_says_too_little_or_too_much_is_refused(
    api: Api, query: str, problems: set[tuple[str, str]]
) -> None:
    answer = api.get("/v1/deliveries", query)

    assert answer.status == 422
    assert answer.paths == problems


# --- suppressions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "address", "written"),
    [
        ("email", "gone+sales@example.com", "gone%2Bsales@example.com"),
        ("webhook", "https://crm.example.com/a,b?c=d&e=50%25", "https://crm.example.com/a,b%3Fc=d%26e=50%2525"),
    ],
)
def test_a_suppressed_address_says_why_until_it_is_freed(api: Api, channel: Any, address: str, written: str) -> None:
    here = f"channel={channel}&address={written}"
    api.ports.suppressions.add(channel, address, "bounced", api.clock.now())

    assert api.get("/v1/suppressions", here).json == {"channel": channel, "address": address, "reason": "bounced"}
    freed = api.delete("/v1/suppressions", query=here)
    assert (freed.status, freed.text) == (204, "")
    assert api.get("/v1/suppressions", here).status == 404
    assert api.delete("/v1/suppressions", query=here).status == 204


def test_a_suppression_needs_a_channel_that_there_is_and_an_address(api: Api) -> None:
    assert api.get("/v1/suppressions", "channel=fax").paths == {("channel", "one_of"), ("address", "required")}


def test_the_id_of_a_record_may_hold_a_comma(api: Api) -> None:
    assert api.get("/v1/deliveries", "record=deal/a,b").json["items"] == []
