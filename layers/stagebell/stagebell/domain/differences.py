"""Differences between two versions of a definition, in lines that people can read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

type Standing = Literal["added", "changed", "unchanged", "not_listed"]

SHOWN = 120  # characters of a value in a line


@dataclass(frozen=True, slots=True)
class Difference:
    """How one definition would change. `version` is the active one (0: none); `not_listed`: active, but not in the
    set it was compared with; it stays as it is."""

    kind: str
    name: str
    standing: Standing
    version: int = 0
    lines: tuple[str, ...] = ()


def compare(
    kind: str, name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any], version: int = 0
) -> Difference:
    """The difference between the active document (None: there is none) and a new one."""
    if old is None:
        return Difference(kind, name, "added")
    lines = tuple(lines_between(old, new))
    return Difference(kind, name, "changed" if lines else "unchanged", version, lines)


def lines_between(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """`steps.first-mail.at.after: 5 minutes → 10 minutes`; entries of a list that have names go by their names."""
    before, after = _entries(old), _entries(new)
    if before is None or after is None:
        if old != new or type(old) is not type(new):
            yield f"{path}: {_shown(old)} → {_shown(new)}"
        return
    for key in [*before, *(key for key in after if key not in before)]:
        inner = f"{path}.{key}".removeprefix(".")
        if key not in after:
            yield f"{inner}: removed (was {_shown(before[key])})"
        elif key not in before:
            yield f"{inner}: added {_shown(after[key])}"
        else:
            yield from lines_between(before[key], after[key], inner)
    if _named(old) and _named(new) and _moved(before, after):
        yield f"{path}: now in the order {', '.join(after)}"


def _entries(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return dict(value)
    return {entry["name"]: entry for entry in value} if _named(value) else None


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(e, Mapping) and "name" in e for e in value)


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return [key for key in before if key in after] != [key for key in after if key in before]


def _shown(value: Any) -> str:
    if isinstance(value, str) and value.isprintable():
        text = value
    elif isinstance(value, Mapping | list):
        text = _flow(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _flow(value: Mapping[str, Any] | Sequence[Any]) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + "}"
    return "[" + ", ".join(_shown(inner) for inner in value) + "]"
