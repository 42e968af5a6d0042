"""What is wrong with a template before it is ever used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """A mistake in a template's text: its line, counted from 1, and what to write instead."""

    line: int
    message: str
