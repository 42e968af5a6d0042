"""`stagebell reference DIR`: the pages of docs/reference, written from the code's own tables."""

import argparse
from pathlib import Path

from stagebell.cli import (
    reference_actions,
    reference_commands,
    reference_definitions,
    reference_settings,
    reference_states,
    reference_tables,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the pages are written")


def run(arguments: argparse.Namespace) -> int:
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        file = arguments.directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(file)
    return 0


def pages() -> dict[str, str]:
    """File name → Markdown."""
    return {
        **reference_actions.action_pages(),
        "commands.md": reference_commands.commands_page(),
        "definitions.md": reference_definitions.definitions_page(),
        "errors.md": reference_tables.errors_page(),
        "limits.md": reference_tables.limits_page(),
        "operators.md": reference_tables.operators_page(),
        "settings.md": reference_settings.settings_page(),
        "states.md": reference_states.states_page(),
    }
