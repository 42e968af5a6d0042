"""`stagebell backtest` on two real logs: the firings are exactly those that two independent computations expect."""

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from stagebell.cli.main import main
from tests.definitions import EXAMPLES

DATA = Path(__file__).parents[3] / "shared" / "data"
COLUMNS = ("scenario", "step", "id", "triggered_at", "fires_at")

needs_data = pytest.mark.skipif(not DATA.exists(), reason="the data sets lie beside the project, not in it")


def expected(log: str, part: str) -> list[tuple[str, ...]]:
    with gzip.open(DATA / log / f"expected_{part}_firings.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    return [tuple(row[name] for name in COLUMNS) for row in rows if row["tie_sensitive"] != "2"]


@needs_data
@pytest.mark.parametrize("part", ["edge", "extract300"])
@pytest.mark.parametrize(("example", "log"), [("incidents", "uci_incident"), ("loans", "bpi2012")])
def test_the_firings_are_the_expected_ones_row_by_row(example, log, part, tmp_path):
    changes, firings = DATA / log / f"{part}_changes.jsonl.gz", tmp_path / "firings.csv"

    code = main(["backtest", str(EXAMPLES / example), "--changes", str(changes), "--firings", str(firings)])

    header, *rows = csv.reader(firings.read_text().splitlines())
    assert (code, tuple(header)) == (0, COLUMNS)
    assert [tuple(row) for row in rows] == expected(log, part)


@needs_data
def test_the_report_is_told_as_a_table_as_json_and_as_a_page_that_needs_nothing_else(tmp_path, capsys):
    changes, told, page = DATA / "uci_incident/edge_changes.jsonl.gz", tmp_path / "r.json", tmp_path / "r.html"

    main(["backtest", str(EXAMPLES / "incidents"), "--changes", str(changes), "--json", str(told), "--html", str(page)])

    scenario = json.loads(told.read_text())["scenarios"]["U1"]
    assert (scenario["entered"], scenario["open"], sum(scenario["hours"].values())) == (41, 0, 22)
    assert "22 acted" not in page.read_text() and "entered" in capsys.readouterr().out
    assert not re.search(r"(?:src|href)=[\"']?https?:|<script|@import", page.read_text())


def test_a_bad_line_is_named_with_every_problem_and_nothing_is_written(tmp_path, capsys):
    changes, firings = tmp_path / "changes.jsonl", tmp_path / "firings.csv"
    when, fields = "2016-03-01T00:00:00Z", {"incident_state": "New"}
    good = {"object": "incident", "id": "1", "type": "created", "occurred_at": when, "fields": fields}
    bad = good | {"occurred_at": "yesterday", "fields": {"reopen_count": "two", "no_such": 1}}
    changes.write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n")

    code = main(["backtest", str(EXAMPLES / "incidents"), "--changes", str(changes), "--firings", str(firings)])

    told = capsys.readouterr().err
    assert code == 1
    assert all(f"line 2: {path}" in told for path in ("occurred_at", "fields.reopen_count", "fields.no_such"))
    assert not firings.exists()
