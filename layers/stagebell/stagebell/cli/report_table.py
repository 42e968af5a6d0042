"""The backtest's report on a terminal: a table per backtest, a progress bar while it runs."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from stagebell.services.backtest import Report, ScenarioReport


def show(report: Report) -> None:
    """Print the table; on a narrow or captured output it is as wide as its words."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    span = f" from {report.first:%Y-%m-%d} to {report.last:%Y-%m-%d}" if report.first and report.last else ""
    console.print(f"{report.changes:,} changes to {report.records:,} records{span}; {report.stale:,} came too late.")
    console.print(_table(report))


def _table(report: Report) -> Table:
    table = Table(title="What would have happened", title_justify="left")
    for heading in ("definition", "entered", "ended", "step", "acted", "did not act"):
        table.add_column(heading, justify="right" if heading in ("entered", "acted") else "left", overflow="fold")
    for name, scenario in sorted(report.scenarios.items()):
        rows = list(scenario.steps.items()) or [("", Counter[str]())]
        for index, (step, outcomes) in enumerate(rows):
            first = index == 0
            table.add_row(
                name if first else "",
                f"{scenario.entered:,}" if first else "",
                _ends(scenario) if first else "",
                step,
                f"{_acted(outcomes):,}",
                _others(outcomes),
                end_section=index == len(rows) - 1,
            )
    return table


def _acted(outcomes: Counter[str]) -> int:
    return sum(n for outcome, n in outcomes.items() if outcome.split(":")[0] == "acted")


def _others(outcomes: Counter[str]) -> str:
    return "\n".join(f"{n:,} {what}" for what, n in outcomes.most_common() if not what.startswith("acted"))


def _ends(scenario: ScenarioReport) -> str:
    ends = [f"{n:,} {what}" for what, n in scenario.ended.most_common()]
    return "\n".join([*ends, f"{scenario.open:,} still open"] if scenario.open else ends)


@contextmanager
def progress(label: str) -> Iterator[Callable[[float], None]]:
    """A bar on standard error; call what it gives with the share done (0 to 1)."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=share)
