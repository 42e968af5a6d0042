"""`stagebell backtest DIR --changes FILE`: what a folder of definitions would have done over a history of changes."""

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from stagebell.cli import report_page, report_table
from stagebell.cli.changelog import ChangeLog
from stagebell.cli.files import load_valid
from stagebell.domain.errors import InvalidInput
from stagebell.domain.fields import short_instant
from stagebell.domain.local_time import resolve_zone
from stagebell.runtime.offline import Offline
from stagebell.services.backtest import Report
from stagebell.services.shelves import RUNNING

PROGRESS_STEP = 250


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of definitions (YAML or JSON)")
    parser.add_argument(
        "--changes", type=Path, required=True, metavar="FILE", help="JSON Lines, oldest first; .gz allowed"
    )
    parser.add_argument("--firings", type=Path, metavar="FILE.csv", help="write one row per step that acted")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as one self-contained page")
    parser.add_argument("--timezone", default="UTC", help="zone of definitions that name none, and of the report")


def run(arguments: argparse.Namespace) -> int:
    zone = resolve_zone(arguments.timezone)
    documents = load_valid(arguments.folder)
    try:
        report = backtest(documents, ChangeLog(arguments.changes), zone)
    except InvalidInput as error:
        for problem in error.problems:
            print(f"{arguments.changes}: {problem.path}: {problem.message}", file=sys.stderr)
        return 1
    labels = {str(d["name"]): str(d.get("label") or "") for d in documents if d["kind"] in RUNNING}
    _write(report, arguments, labels)
    report_table.show(report)
    return 0


def backtest(documents: list[dict[str, object]], log: ChangeLog, zone: ZoneInfo) -> Report:
    """The report of one backtest, with a progress bar where somebody watches."""
    offline = Offline(zone, keep=False)
    offline.activate(documents)
    test = offline.backtest()
    with report_table.progress(log.path.name) as bar:
        for number, (change, share) in enumerate(log.read(offline.catalog.schema), start=1):
            test.feed(change)
            if number % PROGRESS_STEP == 0:
                bar(share)
        bar(1.0)
        report = test.finish()
    report.records = len(offline.store.records)
    return report


def _write(report: Report, arguments: argparse.Namespace, labels: Mapping[str, str]) -> None:
    if arguments.firings:
        write_firings(report, arguments.firings)
    if arguments.json:
        arguments.json.write_text(json.dumps(report.document(), indent=2, ensure_ascii=False) + "\n")
    if arguments.html:
        arguments.html.write_text(report_page.page(report, arguments.changes.name, labels))


def write_firings(report: Report, path: Path) -> None:
    """`scenario,step,id,triggered_at,fires_at`, by scenario, step and the order in which runs were triggered."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("scenario", "step", "id", "triggered_at", "fires_at"))
        for f in report.firings:
            rows.writerow((f.scenario, f.step, f.record, short_instant(f.triggered_at), short_instant(f.fires_at)))
