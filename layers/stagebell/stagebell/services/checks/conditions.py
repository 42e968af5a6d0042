"""Checking conditions: what they cannot see where they are asked."""

from collections.abc import Iterator
from typing import Any

from stagebell.domain.errors import Problem
from stagebell.domain.operators import OPERATORS
from stagebell.services.checks.world import Document


def clauses(condition: Any, at: str) -> Iterator[tuple[str, Document]]:
    """Every comparison of a condition as written, with its path."""
    for word in ("all", "any"):
        for index, part in enumerate(condition.get(word) or ()):
            yield from clauses(part, f"{at}.{word}[{index}]")
    if "not" in condition:
        yield from clauses(condition["not"], f"{at}.not")
    if "field" in condition:
        yield at, condition


def no_before_problems(condition: Any, at: str, why: str) -> Iterator[Problem]:
    """Comparisons with the values before a change, where there is no change to look at; `why` says so."""
    for where, clause in clauses(condition or {}, at):
        operator = OPERATORS.get(clause["op"])
        if operator is not None and operator.own_field:
            yield Problem(f"{where}.op", "no_before", f"{clause['op']} looks at a change; {why}")
