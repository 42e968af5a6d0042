"""The backtest's report as one self-contained HTML page: no script, no font, no address from elsewhere."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from stagebell.services.backtest import Report, ScenarioReport

BARS = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: its share of the highest one (0 to 1), and what it stands for."""

    label: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Section:
    """One scenario on the page."""

    name: str
    label: str
    report: ScenarioReport
    steps: Mapping[str, Counter[str]]
    hours: tuple[Bar, ...]
    days: tuple[Bar, ...]
    bucket: int  # days a bar of the timeline


def page(report: Report, source: str, labels: Mapping[str, str]) -> str:
    """The whole page; `labels` say what each scenario is for."""
    sections = [
        _section(name, labels.get(name, ""), scenario, report) for name, scenario in sorted(report.scenarios.items())
    ]
    return _template().render(report=report, sections=sections, source=source, zone=report.zone.key)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("stagebell.cli") / "report_page.html").read_text())


def _section(name: str, label: str, scenario: ScenarioReport, report: Report) -> Section:
    days, bucket = _timeline(scenario.days, report)
    return Section(name, label, scenario, scenario.steps, _hours(scenario.hours), days, bucket)


def _hours(hours: Counter[int]) -> tuple[Bar, ...]:
    return _bars([(f"{hour:02d}:00", hours[hour]) for hour in range(24)])


def _timeline(days: Counter[date], report: Report) -> tuple[tuple[Bar, ...], int]:
    """Days from the first change to the last step, in at most 60 bars of equal length."""
    if not days or report.first is None:
        return (), 1
    first, last = report.first.astimezone(report.zone).date(), max(days)
    bucket = -(-((last - first).days + 1) // BARS)
    counts = Counter[int]()
    for day, count in days.items():
        counts[(day - first).days // bucket] += count
    return _bars([(str(first + timedelta(days=n * bucket)), counts[n]) for n in range(max(counts) + 1)]), bucket


def _bars(counts: list[tuple[str, int]]) -> tuple[Bar, ...]:
    highest = max((count for _, count in counts), default=0) or 1
    return tuple(Bar(label, count, count / highest) for label, count in counts)
