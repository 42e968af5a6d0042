"""The example definitions, validated and in the form in which they are stored."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from stagebell.cli.files import load_valid

EXAMPLES = Path(__file__).parents[1] / "examples"


@cache
def documents_of(example: str) -> tuple[Mapping[str, Any], ...]:
    """All definitions of `examples/<example>`."""
    return tuple(load_valid(EXAMPLES / example))
