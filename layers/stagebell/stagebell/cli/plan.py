"""The plan of an apply: how the definitions of a directory differ from what is active."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagebell.cli.client import Client
from stagebell.cli.failures import ApiRefused, ProblemsFound
from stagebell.cli.files import Library, located, read_directory, report
from stagebell.contracts.definitions.kinds import KINDS, Read, read_definition
from stagebell.domain.differences import Difference
from stagebell.domain.errors import Problem

_SIGNS = {"added": "+", "changed": "~", "unchanged": "=", "not_listed": "·"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do, in the order in which definitions build on each other. `warnings` are of the whole set as it
    will be: what is told while one after the other is activated may be over with the next."""

    differences: Sequence[Difference]
    documents: Mapping[tuple[str, str], Mapping[str, Any]]
    warnings: Sequence[str] = ()

    @property
    def changes(self) -> list[Difference]:
        todo = [d for d in self.differences if d.standing in ("added", "changed")]
        return sorted(todo, key=lambda d: [*KINDS].index(d.kind))

    def lines(self) -> list[str]:
        """The plan for people."""
        shown = [line for difference in self.differences for line in _lines(difference)]
        count = {word: sum(d.standing == word for d in self.differences) for word in _SIGNS}
        beside = f"; {count['not_listed']} active beside them stay as they are" if count["not_listed"] else ""
        summary = f"{count['added']} to add, {count['changed']} to change, {count['unchanged']} unchanged{beside}"
        return [*shown, *(f"warning: {warning}" for warning in self.warnings), summary]


def _lines(difference: Difference) -> Iterable[str]:
    if difference.standing in ("added", "changed"):
        version = f" (version {difference.version} is active)" if difference.version else ""
        yield f"{_SIGNS[difference.standing]} {difference.kind} {difference.name}{version}"
        yield from (f"    {line}" for line in difference.lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="a directory of YAML or JSON files, or one file")


def make_plan(client: Client, directory: Path) -> Plan:
    """Read the files, let the API check them against what is active, and compare. Raises ProblemsFound, ApiRefused."""
    library = read_directory(directory)
    reads = [read_definition(document) for document in library.documents]
    _refuse(library, [read.problems for read in reads])
    documents = [dict(read.document or {}) for read in reads]
    answer = client.post("/v1/definitions/validate", {"definitions": documents})
    _refuse(library, _problems(answer, reads))
    found = client.post("/v1/definitions/diff", {"definitions": documents})
    return Plan(_differences(found), {(r.kind, r.name): r.document or {} for r in reads}, _warnings(answer))


def _refuse(library: Library, found: Sequence[Iterable[Problem]]) -> None:
    if problems := located(library, found):
        raise ProblemsFound(report(library, problems))


def _problems(answer: Any, reads: Sequence[Read]) -> list[list[Problem]]:
    """The API's problems, definition by definition in our order."""
    results = _list(answer, "definitions")
    if len(results) != len(reads):
        raise ApiRefused("the API checked another number of definitions than it was given")
    return [[Problem(p["path"], p["rule"], p["message"]) for p in result.get("problems", ())] for result in results]


def _warnings(answer: Any) -> list[str]:
    """None from a stack that is older than this command."""
    return [warning["message"] for warning in answer.get("warnings") or ()]


def _differences(answer: Any) -> list[Difference]:
    return [
        Difference(d["kind"], d["name"], d["standing"], d.get("version") or 0, tuple(d.get("lines") or ()))
        for d in _list(answer, "differences")
    ]


def _list(answer: Any, key: str) -> list[dict[str, Any]]:
    found = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise ApiRefused("the answer is not what this version of the command expects: update it, or the stack")
    return found
