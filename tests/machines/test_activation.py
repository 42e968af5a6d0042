"""Activating, editing and deactivating a scenario whose runs wait: through the API, the queue and the machine."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.api.app import lambda_handler as api
from stagebell.domain.changes import RecordKey
from stagebell.runtime import wiring
from tests.machines.world import ROOT, Context, World, world
from tests.stage import ACCOUNT, DEAL, START, UNASSIGNED, mail, scenario

PATH = "/v1/definitions/scenario/unassigned"
HOURLY = scenario(steps=[mail("hourly", {"after": "1 hour"}), mail("daily", {"after": "1 day"})])


def call(method: str, path: str, body: Any = None) -> Any:
    event = json.loads((ROOT / "events" / "api" / "get_run.json").read_text())
    event |= {"rawPath": path, "rawQueryString": "", "queryStringParameters": None}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["requestContext"]["authorizer"]["lambda"] = {"key": "k1", "role": "operator"}
    answer = api(event | ({"body": json.dumps(body)} if body is not None else {}), Context())
    assert answer["statusCode"] < 300, answer["body"]
    return json.loads(answer["body"])


def enter(deployed: World, record: str) -> None:
    change = {
        "object": "deal",
        "id": record,
        "type": "updated",
        "occurred_at": deployed.clock.now().isoformat(),
        "fields": {"stage": UNASSIGNED, "name": record},
    }
    assert deployed.post(change, delivery=f"msg_{record}")["statusCode"] == 202


def statuses(deployed: World, *records: str) -> list[str]:
    deployed.drain()
    return [wiring.runs().of_record(RecordKey("deal", record)).items[0].status for record in records]


@pytest.mark.parametrize(
    ("choice", "now", "later", "mails", "reason"),
    [
        ("continue", "running", "completed", 2, "what has begun goes on"),
        ("pause", "paused", "paused", 0, "nothing happens until it is activated again"),
        ("cancel", "cancelled", "cancelled", 0, "every live run ends"),
    ],
)
def test_deactivation_asks_what_becomes_of_live_runs(choice, now, later, mails, reason):
    with world(ACCOUNT, DEAL, HOURLY, start=START) as deployed:
        enter(deployed, "deal-1")
        enter(deployed, "deal-2")
        call("POST", f"{PATH}/deactivate", {"live_runs": choice})
        at_once = statuses(deployed, "deal-1", "deal-2")
        deployed.machines.advance(START + timedelta(days=3))
        enter(deployed, "deal-3")

        assert at_once == [now, now], reason
        assert statuses(deployed, "deal-1", "deal-2") == [later, later], reason
        assert len(deployed.emails) == 2 * mails, reason
        assert wiring.runs().of_record(RecordKey("deal", "deal-3")).items == (), "nobody enters any more"


def test_paused_runs_go_on_when_the_scenario_is_activated_again():
    with world(ACCOUNT, DEAL, HOURLY, start=START) as deployed:
        enter(deployed, "deal-1")
        call("POST", f"{PATH}/deactivate", {"live_runs": "pause"})
        statuses(deployed, "deal-1")
        deployed.machines.advance(START + timedelta(hours=5))
        call("POST", f"{PATH}/activate", {})
        resumed = statuses(deployed, "deal-1")
        deployed.machines.advance(START + timedelta(days=3))

        assert resumed == ["running"]
        assert statuses(deployed, "deal-1") == ["completed"]
        assert [mail.subject for mail in deployed.emails] == ["hourly for deal-1", "daily for deal-1"]


def test_an_edited_scenario_takes_new_records_and_leaves_live_runs_on_their_version():
    with world(ACCOUNT, DEAL, HOURLY, start=START) as deployed:
        enter(deployed, "deal-1")
        call("PUT", PATH, scenario(steps=[mail("at-once", {"after": "1 minute"})]))
        call("POST", f"{PATH}/activate", {})
        enter(deployed, "deal-2")
        deployed.machines.advance(START + timedelta(hours=2))

        assert [mail.subject for mail in deployed.emails] == ["at-once for deal-2", "hourly for deal-1"]


def test_a_run_can_be_cancelled_and_its_execution_stops():
    with world(ACCOUNT, DEAL, HOURLY, start=START) as deployed:
        enter(deployed, "deal-1")
        (run,) = wiring.runs().of_record(RecordKey("deal", "deal-1")).items
        call("POST", f"/v1/runs/{run.id}/cancel", {"reason": "customer_called"})
        deployed.machines.advance(START + timedelta(days=3))

        told = call("GET", f"/v1/runs/{run.id}")
        assert (told["status"], told["reason"]) == ("cancelled", "customer_called")
        assert deployed.emails == []
        assert deployed.machines.sleeping == 0


def test_a_scenario_is_started_by_hand_and_runs_on_the_machine():
    by_hand = scenario(trigger={"on": "manual"}, steps=[mail("hello", {"after": "5 minutes"})])
    with world(ACCOUNT, DEAL, by_hand, start=START) as deployed:
        enter(deployed, "deal-1")
        call("POST", "/v1/scenarios/unassigned/runs", {"object": "deal", "id": "deal-1"})
        deployed.machines.advance(START + timedelta(hours=1))

        assert [mail.subject for mail in deployed.emails] == ["hello for deal-1"]
