"""The page of commands: what `stagebell` can be told, and the options of each."""

import argparse
from collections.abc import Iterator
from importlib import import_module

from stagebell.cli.main import COMMANDS
from stagebell.cli.markdown import code, page, table


def commands_page() -> str:
    return page(
        "Commands",
        "`stagebell COMMAND --help` says the same. Exit codes: 0 well, 1 problems were found, 2 it could not be done.",
        *(block for name in COMMANDS for block in _command(name)),
    )


def _command(name: str) -> Iterator[str]:
    module, summary = COMMANDS[name]
    parser = argparse.ArgumentParser(prog=f"stagebell {name}", add_help=False)
    import_module(module).add_arguments(parser)
    yield f"## {code(f'stagebell {name}')}"
    yield f"{summary[0].upper()}{summary[1:]}."
    rows = list(_arguments(parser))
    if rows:
        yield table(("argument", "meaning"), rows)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {choice.dest: choice.help for choice in action._choices_actions}
            for word, below in action.choices.items():
                yield code(word), summaries.get(word) or ""
                yield from ((f"{code(word)} {name}", meaning) for name, meaning in _arguments(below))
        elif not isinstance(action, argparse._HelpAction):
            yield _name(action), str(action.help or "")


def _name(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    words = [f"{option} {value}".strip() for option in action.option_strings] or [value]
    return code(" ".join(words[-1:]))
