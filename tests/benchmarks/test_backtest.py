"""Backtests of whole change logs: how fast, in how much memory, and whether every firing is the expected one."""

from pathlib import Path

import pytest

from tests.benchmarks import logs
from tests.benchmarks.measure import Spent, child, medians
from tests.benchmarks.report import Figures

TOPIC = "Backtest"
ROUNDS = 3
CHILD = ("-m", "tests.benchmarks.child_backtest")


@pytest.fixture(scope="module", autouse=True)
def explained(figures: Figures) -> None:
    figures.explain(
        TOPIC,
        "`stagebell backtest`, the whole command, in CPU time. The floor reads and parses the same file with `gzip` "
        "and `json` and does nothing else.",
    )


def floor(log: logs.Log) -> Spent:
    return child(*CHILD, "parse", str(log.changes))


def backtest(log: logs.Log, folder: Path, firings: Path) -> Spent:
    return child(*CHILD, "backtest", str(folder), str(log.changes), str(firings))


@pytest.mark.parametrize("scenarios", [6, 1_000])
def test_the_speed_of_a_backtest_of_incidents(scenarios: int, tmp_path: Path, figures: Figures) -> None:
    log, firings = logs.incidents(), tmp_path / "firings.csv"
    more = scenarios > 6
    folder = logs.with_more_scenarios(log, tmp_path / "more", scenarios) if more else log.definitions

    measured = [(floor(log), backtest(log, folder, firings)) for _ in range(ROUNDS)]

    rounds = [{"floor": least.cpu, "backtest": whole.cpu} for least, whole in measured]
    cpu, ratio = medians(rounds, "floor")["backtest"]
    what = f"{log.size():,} changes, {scenarios:,} scenarios"
    figures.add(TOPIC, what, f"{log.size() / cpu:,.0f} changes/s", beside=f"{ratio:.1f} times the floor")
    figures.add(TOPIC, f"{what}: memory at its peak", f"{max(whole.peak for _, whole in measured) / 2**20:.0f} MiB")
    if log.expected.exists():
        report_firings(log, firings, figures, f"{what}: firings")


def test_a_backtest_with_workflows_that_update_fields(tmp_path: Path, figures: Figures) -> None:
    log, firings = logs.incidents(), tmp_path / "firings.csv"
    folder = logs.with_workflows(log, tmp_path / "with-workflows")

    least, whole = floor(log), backtest(log, folder, firings)

    updates = sum(firing[1] == "write" for firing in logs.firings_in(firings))
    what = f"{log.size():,} changes, 6 scenarios and 2 workflows that update fields"
    figures.add(
        TOPIC, what, f"{log.size() / whole.cpu:,.0f} changes/s", beside=f"{whole.cpu / least.cpu:.1f} times the floor"
    )
    figures.add(TOPIC, f"{what}: updates", f"{updates:,}", beside=f"{updates / whole.cpu:,.0f} updates/s")
    figures.add(TOPIC, f"{what}: memory at its peak", f"{whole.peak / 2**20:.0f} MiB")
    assert updates > 0


def test_the_firings_of_loan_applications(tmp_path: Path, figures: Figures) -> None:
    log, firings = logs.loans(), tmp_path / "firings.csv"

    least, whole = floor(log), backtest(log, log.definitions, firings)

    what = f"{log.size():,} changes of loan applications, 6 scenarios"
    figures.add(
        TOPIC, what, f"{log.size() / whole.cpu:,.0f} changes/s", beside=f"{whole.cpu / least.cpu:.1f} times the floor"
    )
    report_firings(log, firings, figures, f"{what}: firings")


def report_firings(log: logs.Log, firings: Path, figures: Figures, what: str) -> None:
    """Every firing of the example's scenarios is expected, and every expected one is there, once."""
    expected = log.expected_firings()
    scenarios = {firing[0] for firing in expected}
    found = [firing for firing in logs.firings_in(firings) if firing[0] in scenarios]
    missing, surplus = expected - set(found), set(found) - expected
    exact = not missing and not surplus and len(found) == len(expected)

    told = "exact, row by row" if exact else f"{len(missing)} missing, {len(surplus)} surplus"
    figures.add(TOPIC, what, f"{len(found):,}: {told}", aim="exact")
    assert exact, f"missing {sorted(missing)[:5]}, surplus {sorted(surplus)[:5]}"
