"""Checking literals: what is taken as it stands, but is written as if it were a template."""

from collections.abc import Iterator

from stagebell.domain.errors import Problem

_BEGINNINGS = ("{{", "{%")


def is_template(value: object) -> bool:
    """Whether a text, or one of a list, is written as a template."""
    if isinstance(value, list):
        return any(map(is_template, value))
    return isinstance(value, str) and any(beginning in value for beginning in _BEGINNINGS)


def literal_problems(value: object, at: str) -> Iterator[Problem]:
    """Of a value that may be a literal or {template: …}."""
    if is_template(value):
        message = "this is taken as it stands, with its braces; to fill in fields, write {template: …}"
        yield Problem(at, "needs_template", message)
