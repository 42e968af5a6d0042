"""Real changes of a ServiceNow instance through the real handlers and the real machine: what is expected fires."""

import csv
import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.fields import short_instant
from stagebell.runtime import wiring
from tests.definitions import documents_of
from tests.machines.world import world

DATA = Path(__file__).parents[3] / "shared" / "data" / "uci_incident"
RECORDS_A_WORLD = 2  # moto copies all tables at each transaction

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the data set lies beside the project, not in it")


def changes() -> dict[str, list[dict[str, Any]]]:
    """The edge set by record, in the native format."""
    records: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(DATA / "edge_changes.jsonl.gz", "rt") as lines:
        for line in lines:
            told = json.loads(line)
            native = {key: told[key] for key in ("object", "id", "occurred_at", "fields")}
            native |= {"type": told["event"], "sequence": told["seq"], "change_id": str(told["seq"])}
            records.setdefault(told["id"], []).append(native)
    return records


def expected() -> set[tuple[str, ...]]:
    with gzip.open(DATA / "expected_edge_firings.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["tie_sensitive"] != "2"]
    return {tuple(row[key] for key in ("scenario", "step", "id", "triggered_at", "fires_at")) for row in rows}


def groups() -> list[list[str]]:
    ids = list(changes()) if DATA.exists() else []
    return [ids[start : start + RECORDS_A_WORLD] for start in range(0, len(ids), RECORDS_A_WORLD)]


@pytest.mark.parametrize("ids", groups(), ids=lambda ids: f"{ids[0]} and {len(ids) - 1} more")
def test_the_machine_fires_what_the_real_log_expects(ids):
    feed = sorted((change for id in ids for change in changes()[id]), key=lambda change: change["sequence"])
    start = datetime.fromisoformat(feed[0]["occurred_at"])
    scenarios = [d for d in documents_of("incidents") if d["kind"] != "source"]

    with world(*scenarios, start=start) as deployed:
        for change in feed:
            deployed.machines.advance(datetime.fromisoformat(change["occurred_at"]), inclusive=False)
            answer = deployed.post(change, delivery=f"msg_{change['sequence']}")
            assert answer["statusCode"] == 202, answer["body"]
        deployed.machines.advance(deployed.clock.now() + timedelta(days=30))

        assert fired(ids) == {row for row in expected() if row[2] in ids}
        assert not deployed.executions("FAILED")


def fired(ids: list[str]) -> set[tuple[str, ...]]:
    """The steps that looked, found nothing against it, and acted; nobody to write to is an outcome of acting."""
    rows = set()
    for id in ids:
        cursor = None
        while True:
            page = wiring.runs().of_record(RecordKey("incident", id), cursor)
            for run in page.items:
                rows |= {
                    (run.definition, step.name, id, short_instant(run.triggered_at), short_instant(step.settled_at))
                    for step in run.steps
                    if step.status == "acted" or step.reason in ("not_set", "no_such_user", "empty_group")
                }
            if (cursor := page.cursor) is None:
                break
    return rows
