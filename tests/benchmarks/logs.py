"""Real change logs to measure with, and the firings that two independent computations expect of them."""

import csv
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pytest

from tests.benchmarks.measure import ROOT

SHARED = ROOT.parent / "shared" / "data"
SHIPPED = ROOT / "events" / "incidents" / "changes.jsonl"
OVERLAPPING = ("U2", "INC0015206", "2016-04-05T08:44:00Z")  # ends superseded: one live run per definition and record

type Firing = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """A change log, the definitions that go with it, and the expected firings where there are any."""

    name: str
    changes: Path
    definitions: Path
    expected: Path

    def size(self) -> int:
        with opened(self.changes) as lines:
            return sum(1 for _ in lines)

    def expected_firings(self) -> set[Firing]:
        return set(_expected(self.expected))


def opened(file: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def incidents() -> Log:
    """141,712 changes of a service desk; where they are absent, the extract that is shipped."""
    full = SHARED / "uci_incident"
    changes = full / "changes.jsonl.gz" if full.exists() else SHIPPED
    return Log("incidents", changes, ROOT / "examples" / "incidents", full / "expected_full_firings.csv.gz")


def loans() -> Log:
    """262,200 changes of loan applications."""
    full = SHARED / "bpi2012"
    if not full.exists():
        pytest.skip("the log of loan applications (BPI Challenge 2012) is not shipped")
    return Log("loans", full / "changes.jsonl.gz", ROOT / "examples" / "loans", full / "expected_full_firings.csv.gz")


def firings_in(file: Path) -> list[Firing]:
    with file.open(newline="") as lines:
        return [tuple(row) for row in csv.reader(lines)][1:]


def _expected(file: Path) -> Iterator[Firing]:
    with gzip.open(file, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            overlaps = (row["scenario"], row["id"], row["triggered_at"]) == OVERLAPPING
            if row["tie_sensitive"] != "2" and not overlaps:
                yield tuple(row[name] for name in ("scenario", "step", "id", "triggered_at", "fires_at"))


def with_more_scenarios(log: Log, folder: Path, total: int) -> Path:
    """The example's definitions and, up to `total`, a scenario for each of many groups; few of them exist."""
    shutil.copytree(log.definitions, folder)
    for number in range(1, total - 5):
        (folder / f"group-{number}.json").write_text(json.dumps(_of_group(number)))
    return folder


def with_workflows(log: Log, folder: Path) -> Path:
    """The example's definitions, and workflows that write what no other definition looks at."""
    shutil.copytree(log.definitions, folder)
    worded = {"rfc": {"template": "{{ Ticket.incident_state }} at {{ Ticket.priority }}"}}
    for workflow in (_updating("incident_state", worded), _updating("assignment_group", {"knowledge": True})):
        (folder / f"{workflow['name']}.json").write_text(json.dumps(workflow))
    return folder


def _updating(field: str, values: dict[str, object]) -> dict[str, object]:
    name = f"on-{field.replace('_', '-')}"
    trigger = {"on": "updated", "fields": [field]}
    actions = [{"name": "write", "type": "update_field", "set": values}]
    return {"kind": "workflow", "name": name, "object": "incident", "trigger": trigger, "actions": actions}


def _of_group(number: int) -> dict[str, object]:
    step = {
        "name": "1",
        "at": {"after": "2 hours"},
        "unless_changed": True,
        "type": "send_email",
        "to": [{"field": "assigned_to"}],
        "template": "stuck-in-new",
    }
    here = {"field": "assignment_group", "op": "eq", "value": f"Group {number}"}
    urgent = {"field": "priority", "op": "in", "value": ["1 - Critical", "2 - High"]}
    return {
        "kind": "scenario",
        "name": f"group-{number}",
        "object": "incident",
        "stage": {"field": "incident_state", "is": "New"},
        "only_if": {"all": [here, urgent]},
        "steps": [step],
    }
