"""Definitions over HTTP: draft, check, compare, switch on and off."""

from typing import Any

import pytest

from stagebell.runtime import wiring
from tests.unit.api_calls import ALL, CALLER, DEAL, ERP, SCENARIO, UNASSIGNED, WAITING, Api, make_api

HERE = "/v1/definitions/scenario/salesperson-not-assigned"


def moved(name: str, entered: str, to: str) -> dict[str, Any]:
    """A workflow that moves deals from one stage to another."""
    action = {"name": "move", "type": "set_stage", "field": "stage", "to": to}
    trigger = {"on": "stage_entered", "field": "stage", "is": entered}
    return {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": [action]}


TO_LOST, TO_WON = moved("to-lost", "Won", "Lost"), moved("to-won", "Lost", "Won")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = make_api()
    monkeypatch.setattr(wiring, "api", lambda: made.ports)
    return made


def test_a_definition_is_stored_as_a_draft(api: Api) -> None:
    answer = api.put("/v1/definitions/object/deal", DEAL)

    assert answer.status == 200
    assert (answer.json["version"], answer.json["saved_by"]) == (1, CALLER)
    assert answer.json["saved_at"] == "2026-03-02T09:00:00Z"
    assert answer.json["document"]["fields"]["stage"]["options"][0] == "Salesperson not assigned"
    assert api.get("/v1/definitions/object/deal").json["active"] == 0


def test_the_same_definition_makes_no_second_version(api: Api) -> None:
    api.put("/v1/definitions/object/deal", DEAL)

    assert api.put("/v1/definitions/object/deal", DEAL).json["version"] == 1
    assert api.put("/v1/definitions/object/deal", DEAL | {"label": "Sale"}).json["version"] == 2


def test_a_definition_is_shown_with_its_newest_version(api: Api) -> None:
    api.activate(DEAL)
    api.put("/v1/definitions/object/deal", DEAL | {"label": "Sale"})

    shown = api.get("/v1/definitions/object/deal").json

    assert (shown["latest"], shown["active"], shown["changed_by"]) == (2, 1, CALLER)
    assert (shown["newest"]["version"], shown["newest"]["document"]["label"]) == (2, "Sale")


def test_every_problem_of_a_definition_is_named_and_nothing_is_stored(api: Api) -> None:
    broken = DEAL | {"fields": {"amount": {"type": "money"}}, "colour": "red"}  # and no owner among them

    answer = api.put("/v1/definitions/object/deal", broken)

    assert answer.status == 422
    assert {path for path, _ in answer.paths} == {"fields.amount.type", "colour", "owner_field"}
    assert api.get("/v1/definitions/object/deal").status == 404


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/v1/definitions/object/project", {("name", "address")}),
        ("/v1/definitions/source/deal", {("kind", "address")}),
        ("/v1/definitions/source/project", {("kind", "address"), ("name", "address")}),
    ],
)
def test_a_definition_is_stored_under_its_own_name_only(api: Api, path: str, wrong: set[tuple[str, str]]) -> None:
    assert api.put(path, DEAL).paths == wrong


def test_numbers_keep_their_digits(api: Api) -> None:
    api.activate(DEAL, UNASSIGNED)
    body = (
        '{"kind": "scenario", "name": "exact", "object": "deal", "trigger": {"on": "created"},'
        ' "only_if": {"field": "amount", "op": "gte", "value": 0.10}, "steps": [{"name": "mail", "at": {"after":'
        ' "5 minutes"}, "type": "send_email", "to": [{"address": "a@example.com"}], "template": "unassigned"}]}'
    )

    answer = api.put("/v1/definitions/scenario/exact", body)

    assert answer.status == 200
    assert str(answer.json["document"]["only_if"]["value"]).startswith("0.1")


def test_definitions_of_a_kind_come_in_pages_by_name(api: Api) -> None:
    for name in ("c", "a", "b"):
        api.put(f"/v1/definitions/object/{name}", DEAL | {"name": name})

    first = api.get("/v1/definitions", "kind=object").json
    second = api.get("/v1/definitions", f"kind=object&cursor={first['cursor']}").json

    assert [head["name"] for head in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["cursor"] is None


def test_an_unknown_kind_is_not_found(api: Api) -> None:
    assert api.get("/v1/definitions", "kind=recipe").status == 404
    assert api.get("/v1/definitions").paths == {("kind", "required")}


def test_versions_come_newest_first_in_pages(api: Api) -> None:
    for label in ("One", "Two", "Three"):
        api.put("/v1/definitions/object/deal", DEAL | {"label": label})

    first = api.get("/v1/definitions/object/deal/versions").json
    second = api.get("/v1/definitions/object/deal/versions", f"cursor={first['cursor']}").json

    assert [version["version"] for version in first["items"] + second["items"]] == [3, 2, 1]


def test_one_version_is_read_by_its_number(api: Api) -> None:
    api.put("/v1/definitions/object/deal", DEAL)

    assert api.get("/v1/definitions/object/deal/versions/1").json["document"]["name"] == "deal"
    assert api.get("/v1/definitions/object/deal/versions/2").status == 404
    assert api.get("/v1/definitions/object/deal/versions/zero").paths == {("version", "integer")}
    assert api.get("/v1/definitions/object/deal/versions/0").status == 422


@pytest.mark.parametrize("more", ["", "/versions", "/versions/1"])
def test_an_unknown_definition_is_not_found(api: Api, more: str) -> None:
    assert api.get(f"/v1/definitions/object/deal{more}").status == 404


def test_a_cursor_of_another_listing_is_refused(api: Api) -> None:
    for name in ("a", "b", "c"):
        api.put(f"/v1/definitions/object/{name}", DEAL | {"name": name})
    cursor = api.get("/v1/definitions", "kind=object").json["cursor"]

    assert api.get("/v1/definitions", f"kind=source&cursor={cursor}").paths == {("cursor", "cursor")}
    assert api.get("/v1/definitions", "kind=object&cursor=nonsense").paths == {("cursor", "cursor")}


# --- checking and comparing ------------------------------------------------------------------------------------


def test_a_good_set_is_valid_and_stores_nothing(api: Api) -> None:
    answer = api.post("/v1/definitions/validate", {"definitions": list(ALL)})

    assert answer.status == 200
    assert answer.json["valid"] is True
    assert [(d["kind"], d["name"], d["problems"]) for d in answer.json["definitions"]] == [
        (d["kind"], d["name"], []) for d in ALL
    ]
    assert api.get("/v1/definitions", "kind=object").json["items"] == []


def test_a_bad_set_is_answered_with_every_problem_of_every_definition(api: Api) -> None:
    bad = SCENARIO | {"object": "dael"}

    answer = api.post("/v1/definitions/validate", {"definitions": [DEAL, bad, {"kind": "recipe"}, 7]})

    assert answer.status == 200
    assert answer.json["valid"] is False
    assert [bool(d["problems"]) for d in answer.json["definitions"]] == [False, True, True, True]
    assert "object" in [problem["path"] for problem in answer.json["definitions"][1]["problems"]]


def test_a_set_is_warned_of_what_it_would_do_to_what_is_active(api: Api) -> None:
    api.activate(DEAL, TO_LOST)

    answer = api.post("/v1/definitions/validate", {"definitions": [TO_WON]}).json

    assert answer["valid"] is True
    assert [(w["rule"], w["definitions"]) for w in answer["warnings"]] == [("cycle", ["to-won", "to-lost"])]
    assert api.post("/v1/definitions/validate", {"definitions": [DEAL]}).json["warnings"] == []


@pytest.mark.parametrize("body", [{}, {"definitions": []}, {"definitions": "all"}, {"definitions": [{}] * 501}])
def test_a_set_holds_1_to_500_definitions(api: Api, body: object) -> None:
    answer = api.post("/v1/definitions/validate", body)

    assert answer.status == 422
    assert {path for path, _ in answer.paths} == {"definitions"}


def test_a_set_is_compared_with_what_is_active(api: Api) -> None:
    api.activate(DEAL, ERP, UNASSIGNED)

    changed = UNASSIGNED | {"text": "Please assign somebody."}
    answer = api.post("/v1/definitions/diff", {"definitions": [DEAL, changed, SCENARIO]})

    standings = {(d["kind"], d["name"]): (d["standing"], d["version"]) for d in answer.json["differences"]}
    assert standings == {
        ("object", "deal"): ("unchanged", 1),
        ("template", "unassigned"): ("changed", 1),
        ("scenario", "salesperson-not-assigned"): ("added", 0),
        ("source", "erp"): ("not_listed", 1),
    }
    assert answer.json["differences"][1]["lines"] == ["text: Please assign one. → Please assign somebody."]


def test_a_set_that_cannot_be_read_is_not_compared(api: Api) -> None:
    answer = api.post("/v1/definitions/diff", {"definitions": [DEAL, {"kind": "object"}]})

    assert answer.status == 422
    assert all(path.startswith("definitions[1].") for path, _ in answer.paths)


# --- on and off ------------------------------------------------------------------------------------------------


def test_activating_makes_the_newest_version_active(api: Api) -> None:
    api.put("/v1/definitions/object/deal", DEAL)
    api.put("/v1/definitions/object/deal", DEAL | {"label": "Sale"})

    answer = api.post("/v1/definitions/object/deal/activate")

    assert answer.status == 200
    assert (answer.json["active"], answer.json["changed_by"]) == (2, CALLER)


def test_activating_may_name_a_version(api: Api) -> None:
    api.put("/v1/definitions/object/deal", DEAL)
    api.put("/v1/definitions/object/deal", DEAL | {"label": "Sale"})

    assert api.post("/v1/definitions/object/deal/activate", {"version": 1}).json["active"] == 1
    assert api.post("/v1/definitions/object/deal/activate", {"version": 9}).status == 404
    assert api.post("/v1/definitions/object/deal/activate", {"version": "1"}).paths == {("version", "integer")}
    assert api.post("/v1/definitions/object/deal/activate", {"version": 0}).status == 422


def test_a_definition_that_misses_something_cannot_be_activated(api: Api) -> None:
    api.activate(DEAL)
    api.put("/v1/definitions/template/unassigned", UNASSIGNED)
    api.put(HERE, SCENARIO)

    answer = api.post(f"{HERE}/activate")

    assert answer.status == 422
    assert "steps[0].template" in {path for path, _ in answer.paths}


def test_activating_warns_of_definitions_that_start_each_other(api: Api) -> None:
    api.activate(DEAL, TO_LOST)
    api.put("/v1/definitions/workflow/to-won", TO_WON)

    answer = api.post("/v1/definitions/workflow/to-won/activate")

    assert (answer.status, answer.json["active"]) == (200, 1)
    (warning,) = answer.json["warnings"]
    assert (warning["rule"], warning["definitions"]) == ("cycle", ["to-won", "to-lost"])
    assert warning["message"].startswith(
        "to-won (step move) writes deal.stage, which starts to-lost; to-lost (step move) writes deal.stage"
    )


def test_a_name_that_a_scenario_has_is_refused_for_a_workflow(api: Api) -> None:
    api.activate(*ALL)
    named = TO_WON | {"name": SCENARIO["name"]}

    answer = api.put(f"/v1/definitions/workflow/{SCENARIO['name']}", named)

    assert answer.status == 422
    assert answer.paths == {("name", "unique_name")}


@pytest.mark.parametrize("verb", ["activate", "deactivate"])
def test_an_unknown_definition_cannot_be_switched(api: Api, verb: str) -> None:
    assert api.post(f"{HERE}/{verb}", {"live_runs": "pause"} if verb == "deactivate" else None).status == 404


@pytest.mark.parametrize(("choice", "commands"), [("continue", []), ("pause", ["pause"]), ("cancel", ["cancel"])])
def test_deactivating_says_what_becomes_of_live_runs(api: Api, choice: str, commands: list[str]) -> None:
    api.activate(*ALL)
    api.apply("1", **WAITING)

    answer = api.post(f"{HERE}/deactivate", {"live_runs": choice})

    assert answer.status == 200
    assert (answer.json["active"], answer.json["halted"]) == (0, choice)
    assert [command.verb for command in api.ports.queue.take_commands()] == commands  # type: ignore[attr-defined]


def test_activating_again_lets_paused_runs_go_on(api: Api) -> None:
    api.activate(*ALL)
    api.post(f"{HERE}/deactivate", {"live_runs": "pause"})

    api.post(f"{HERE}/activate")

    verbs = [command.verb for command in api.ports.queue.take_commands()]  # type: ignore[attr-defined]
    assert verbs[-2:] == ["pause", "resume"]


@pytest.mark.parametrize("body", [None, {}, {"live_runs": "forget"}, {"live_runs": None}])
def test_deactivating_without_a_choice_is_refused(api: Api, body: object) -> None:
    api.activate(*ALL)

    answer = api.post(f"{HERE}/deactivate", body)

    assert answer.status == 422
    assert api.get(HERE).json["active"] == 1


def test_what_is_in_use_cannot_be_deactivated(api: Api) -> None:
    api.activate(*ALL)

    answer = api.post("/v1/definitions/template/unassigned/deactivate", {"live_runs": "continue"})

    assert (answer.status, answer.json["code"]) == (409, "conflict")
    assert "salesperson-not-assigned" in answer.json["detail"]
