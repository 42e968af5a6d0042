"""What came of a replay, as two tables: what was sent, and what was not and why."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from local.outbox import Message
from local.replay import Firing
from stagebell.cli.client import Client, path_of, quoted

SENT = ("sent", "delivered")
MESSAGES = ("email", "sms")  # what a provider sends, and the emulator notes
EVER = datetime(1900, 1, 1, tzinfo=UTC)
WORDS = 46  # characters shown of a subject or text

type Delivery = dict[str, Any]
type Run = dict[str, Any]


def firing(delivery: Delivery) -> Firing:
    return delivery["definition"], delivery["step"], delivery["record"]["id"]


def deliveries_sent(api: Client) -> list[Delivery]:
    """Every message the API says was sent, oldest first."""
    window = f"&since={quoted(EVER.isoformat())}"
    found = [item for state in SENT for item in _pages(api, f"/v1/deliveries?state={state}{window}")]
    messages = [delivery for delivery in found if delivery["channel"] in MESSAGES]
    return sorted(messages, key=lambda delivery: (delivery["planned_at"], delivery["key"]))


def runs_of(api: Client, scenarios: Mapping[str, str]) -> dict[str, list[Run]]:
    return {name: list(_pages(api, f"/v1/runs?definition={quoted(name)}")) for name in scenarios}


def scenarios(api: Client, object_name: str) -> dict[str, str]:
    """Name → label of the scenarios of an object."""
    heads = _pages(api, "/v1/definitions?kind=scenario")
    newest = [api.get(path_of("definitions", "scenario", head["name"]))["newest"]["document"] for head in heads]
    return {document["name"]: document.get("label", "") for document in newest if document["object"] == object_name}


def _pages(api: Client, path: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = api.get(path + cursor)
        yield from page["items"]
        if not page["cursor"]:
            return
        cursor = f"{'&' if '?' in path else '?'}cursor={quoted(page['cursor'])}"


def show_sent(console: Console, deliveries: list[Delivery], outbox: Mapping[str, Message]) -> None:
    table = _table(f"Sent: {len(deliveries)} messages, oldest first")
    for heading in ("time in the log", "incident", "step", "to"):
        table.add_column(heading, no_wrap=True)
    table.add_column("subject or text")
    for delivery in deliveries:
        table.add_row(
            _moment(delivery["planned_at"]),
            delivery["record"]["id"],
            f"{delivery['definition']}/{delivery['step']}",
            delivery["recipient"],
            _short(outbox[delivery["message_id"]].words),
        )
    console.print(table)


def show_not_sent(console: Console, runs: Mapping[str, list[Run]], labels: Mapping[str, str]) -> None:
    table = _table("Not sent, and why")
    for heading in ("scenario", "step", "reason", "times", "for example"):
        table.add_column(heading)
    for name, why in sorted(_not_sent(runs).items()):
        for (step, reason), records in sorted(why.items()):
            table.add_row(labels[name], f"{name}/{step}", reason, str(len(records)), records[0])
    console.print(table)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)


@dataclass(frozen=True)
class Outcome:
    """Why a step of a run did not act."""

    step: str
    reason: str


def outcomes(run: Run) -> Iterator[Outcome]:
    for step in run["steps"]:
        if step["status"] in ("skipped", "cancelled", "failed"):
            ended = "superseded" if run["status"] == "superseded" and step["status"] == "cancelled" else step["status"]
            because = step["reason"] or run["reason"]
            yield Outcome(step["name"], f"{ended}: {because}" if because else ended)


def _not_sent(runs: Mapping[str, list[Run]]) -> dict[str, dict[tuple[str, str], list[str]]]:
    found: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, of_scenario in runs.items():
        for run in of_scenario:
            for outcome in outcomes(run):
                found[name][outcome.step, outcome.reason].append(run["record"]["id"])
    return found


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%a %d %b %H:%M")


def _short(words: str) -> str:
    return words if len(words) <= WORDS else words[: WORDS - 1] + "…"
