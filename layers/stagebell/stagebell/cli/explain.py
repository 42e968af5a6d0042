"""`stagebell explain OBJECT/ID CHANGE`: which condition said what to a change, with the values it saw."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from stagebell.cli import client
from stagebell.cli.client import part_of, path_of, quoted
from stagebell.cli.failures import NotConfigured
from stagebell.domain.limits import REACHED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="OBJECT/ID", help="for example deal/deal-7")
    parser.add_argument("change", metavar="CHANGE", nargs="?", help="a change's id; without one the changes are listed")
    parser.add_argument("--definition", help="one workflow or scenario, also one that was not even tried")
    client.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    api = client.client_for(arguments)
    object_name, _, record = arguments.record.partition("/")
    if not object_name or not record:
        raise NotConfigured(f"which record? {arguments.record} is no OBJECT/ID such as deal/deal-7")
    changes = path_of("records", object_name, record, "changes")
    if arguments.change is None:
        unknown = f"No change of {arguments.record} has arrived, or its history has aged out."
        print(*(_listed(api.get(changes)["items"]) or [unknown]), sep="\n")
        return 0
    query = f"?definition={quoted(arguments.definition)}" if arguments.definition else ""
    told = api.get(f"{changes}/{part_of(arguments.change)}/explanation{query}")
    nothing = "No scenario or workflow was tried: none waits for what changed."
    print(*(_explained(told["definitions"]) or [nothing]), sep="\n")
    return 0


def _listed(changes: list[Mapping[str, Any]]) -> list[str]:
    return [
        f"{change['occurred_at']}  {change['event']:8}  {change['id']}  "
        f"{', '.join(change.get('before') or {}) or 'nothing changed'}"
        for change in changes
    ]


def _explained(evaluations: list[Mapping[str, Any]]) -> list[str]:
    return [line for evaluation in evaluations for line in _evaluation(evaluation)]


def _evaluation(evaluation: Mapping[str, Any]) -> Iterator[str]:
    run, limit = evaluation.get("run"), evaluation.get("limit")
    more = f" → {run}" if run else f", as {REACHED.get(limit, limit)} ({limit})" if limit else ""
    yield f"{evaluation['definition']} (version {evaluation['version']}): {evaluation['outcome']}{more}"
    yield from _condition(evaluation.get("why") or {}, "  ")


def _condition(why: Mapping[str, Any], indent: str) -> Iterator[str]:
    if not why.get("condition") or (why["condition"] == "all" and not why.get("parts")):
        return
    seen = f"  (saw {why['saw']!r}, before {why['before']!r})" if "saw" in why else ""
    yield f"{indent}{'yes' if why['result'] else 'no '}  {why['condition']}{seen}"
    for part in why.get("parts") or ():
        yield from _condition(part, indent + "  ")
