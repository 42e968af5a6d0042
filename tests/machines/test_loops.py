"""Two workflows that feed each other: told of at activation, stopped at depth eight, and heard of by an alarm.

Through the real handlers and both machines: what one action changes starts the other's workflow from within its Lambda.
"""

from collections import Counter
from datetime import datetime
from typing import Any

import yaml

from stagebell.domain.changes import RecordKey
from stagebell.domain.limits import DEPTH_LIMIT
from stagebell.runtime import wiring
from stagebell.services.define import Definer
from tests.contract.tables import TEMPLATE, _Loader
from tests.machines.world import World, world
from tests.stage import ACCOUNT, DEAL

START = datetime.fromisoformat("2026-03-02T09:00:00+00:00")


def feeds(name: str, listens: str, writes: str) -> dict[str, Any]:
    action = {"name": "raise", "type": "update_field", "set": {writes: {"add": 1}}}
    trigger = {"on": "updated", "fields": [listens]}
    return {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": [action]}


def activate(*documents: dict[str, Any]) -> list[str]:
    """As the API does it; the messages of all warnings."""
    definer = Definer(wiring.definitions(), wiring.tools(), wiring.clock())
    told = []
    for document in documents:
        definer.put(document, by="ada")
        told += definer.activate(document["kind"], document["name"], by="ada").warnings
    return [finding.message for finding in told]


def change(count: int, at: datetime) -> dict[str, Any]:
    kind = "created" if not count else "updated"
    occurred = at.isoformat().replace("+00:00", "Z")
    return {"object": "deal", "id": "deal-1", "type": kind, "occurred_at": occurred, "fields": {"count": count}}


def loop(stack: World) -> None:
    stack.post(change(0, START), delivery="d0")
    stack.post(change(1, START), delivery="d1")
    stack.machines.settle()


def test_two_workflows_that_feed_each_other_are_told_of_when_the_second_is_activated():
    with world(start=START):
        told = activate(ACCOUNT, DEAL, feeds("up", "count", "share"), feeds("down", "share", "count"))

    assert len(told) == 1
    assert all(word in told[0] for word in ("up", "down", "deal.count", "deal.share"))


def test_they_stop_at_depth_eight_and_an_alarm_hears_of_it(capsys):
    with world(start=START) as stack:
        activate(ACCOUNT, DEAL, feeds("up", "count", "share"), feeds("down", "share", "count"))

        loop(stack)

        runs = stack.runs("deal", "deal-1")
        history = wiring.records().history(RecordKey("deal", "deal-1")).items
        fields = stack.record("deal", "deal-1").current
    assert Counter(run.definition for run in runs) == {"up": DEPTH_LIMIT // 2, "down": DEPTH_LIMIT // 2}
    assert {run.status for run in runs} == {"completed"}
    assert sorted(len(run.causes) for run in runs) == list(range(DEPTH_LIMIT))
    assert fields["count"] == 1 + DEPTH_LIMIT // 2
    (last,) = [applied for applied in history if len(applied.change.causes) == DEPTH_LIMIT]
    assert [evaluation["outcome"] for evaluation in last.evaluations] == ["loop_stopped"]
    metric = alarm("LoopsStoppedAlarm")["MetricName"]
    assert sum(f'"{metric}":[1.0]' in line for line in capsys.readouterr().out.splitlines()) == 1


def alarm(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)["Resources"][name]["Properties"]
    return properties
