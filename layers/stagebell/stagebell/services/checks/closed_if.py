"""Checking `closed_if`: it is looked at when a record is stored, with nothing beside the record's own fields."""

from collections.abc import Iterator, Mapping

from stagebell.domain.conditions import compile_condition
from stagebell.domain.errors import Problem
from stagebell.domain.objects import ObjectType, Schema
from stagebell.domain.operators import OPERATORS
from stagebell.services.checks.conditions import clauses, no_before_problems
from stagebell.services.checks.world import Document


def closed_if_problems(condition: Document, kind: ObjectType, schema: Schema) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of an object's `closed_if`."""
    problems: list[Problem] = []
    compile_condition(condition, kind.name, schema, problems, "closed_if")
    yield from problems
    for at, clause in clauses(condition, "closed_if"):
        yield from _clause_problems(at, clause)


def _clause_problems(at: str, clause: Document) -> Iterator[Problem]:
    value, operator = clause.get("value"), OPERATORS.get(clause["op"])
    others = {f"{at}.field": clause["field"]}
    if isinstance(value, Mapping):
        others[f"{at}.value.field"] = value["field"]
    for where, path in others.items():
        if "." in path:
            yield Problem(where, "own_field", f"{path} belongs to another record; closed_if sees this one's own fields")
    yield from no_before_problems(clause, at, "closed_if sees the record as it is")
    if operator is not None and operator.needs == "duration":
        yield Problem(f"{at}.op", "no_time", f"{clause['op']} depends on the time; closed_if sees only the record")
