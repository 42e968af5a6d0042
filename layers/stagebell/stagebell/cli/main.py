"""The `stagebell` command."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType

from stagebell.cli.failures import ProblemsFound
from stagebell.domain.errors import StagebellError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "validate": ("stagebell.cli.validate", "check a directory of definitions, without an AWS account"),
    "diff": ("stagebell.cli.diff", "show how a directory differs from what is active"),
    "apply": ("stagebell.cli.apply", "store and activate a directory of definitions"),
    "schema": ("stagebell.cli.schema", "write the JSON Schemas for editors"),
    "reference": ("stagebell.cli.reference", "write the pages of docs/reference"),
    "backtest": ("stagebell.cli.backtest", "show what definitions would have done over a history of changes"),
    "explain": ("stagebell.cli.explain", "show why a definition did or did not act on a change"),
    "replay": (
        "stagebell.cli.replay",
        "try once more what could not be carried out: dead letters, and write-backs that were given up",
    ),
    "keys": ("stagebell.cli.keys", "list, make and revoke API keys"),
    "secrets": ("stagebell.cli.secrets", "make a signing secret for a source or a webhook"),
}
"""Name → module, with `add_arguments(parser)` and `run(arguments) -> exit code`, and what it does. Only the module of
the command that was asked for is imported."""

PROBLEMS = 1
MISTAKE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and answers its exit code: 0 well, 1 problems were found, 2 it could not be done."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(words)
    if not words:
        parser.print_help()
        return 0
    options = parser.parse_args(words)
    try:
        return int(options.run(options))
    except ProblemsFound as error:
        print(*error.lines, sep="\n", file=sys.stderr)
        return PROBLEMS
    except (StagebellError, OSError) as error:
        print(f"stagebell {options.command}: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stagebell", description="CRM automation in your own AWS account.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in words if word in COMMANDS), None)
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == chosen:
            _prepare(command, import_module(module))
    return parser


def _prepare(command: argparse.ArgumentParser, module: ModuleType) -> None:
    module.add_arguments(command)
    command.set_defaults(run=module.run)


if __name__ == "__main__":
    sys.exit(main())
