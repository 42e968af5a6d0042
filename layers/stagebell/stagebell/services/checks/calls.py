"""Checking calls: functions that are defined, and addresses that may be called."""

from collections.abc import Iterator, Mapping
from typing import Any

from stagebell.domain.errors import Problem
from stagebell.domain.paths import unknown_field
from stagebell.services.checks.literals import literal_problems
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.web_addresses import address_problems
from stagebell.services.checks.world import Document, World


def run_function_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    if not scope.world.has("function", step["function"]):
        yield Problem(f"{scope.at}function", "known_function", f"there is no function {step['function']}")
    inner = scope.under("parameters")
    for name, value in (step.get("parameters") or {}).items():
        match value:
            case {"field": str() as text} if isinstance(wrong := scope.path(text), str):
                yield Problem(f"{inner.at}{name}.field", "known_field", wrong)
            case {"template": str() as text}:
                yield from inner.text(text, f"{name}.template")
            case _:
                yield from literal_problems(value, f"{inner.at}{name}")


def call_webhook_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from address_problems(step["url"], f"{scope.at}url", scope.tools)
    for at, text in _texts(step.get("body") or {}, "body"):
        yield from scope.text(text, at)


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield at, value
        case Mapping():
            for key, inner in value.items():
                yield from _texts(inner, f"{at}.{key}")
        case list():
            for index, inner in enumerate(value):
                yield from _texts(inner, f"{at}[{index}]")


def function_problems(document: Document, world: World) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of a function definition."""
    for name, fields in (document.get("sets") or {}).items():
        if not world.has("object", name):
            yield Problem(f"sets.{name}", "known_object", f"there is no object {name}")
        kind = world.schema.get(name)
        for index, field in enumerate(fields if kind else ()):
            if kind and field not in kind.fields:
                yield Problem(f"sets.{name}[{index}]", "known_field", unknown_field(kind, field))
