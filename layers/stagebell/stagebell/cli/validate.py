"""`stagebell validate DIR`: every problem of a directory of definitions at once, without an AWS account."""

import argparse
from pathlib import Path

from stagebell.cli.files import located, read_directory, report
from stagebell.cli.tools import offline_tools
from stagebell.services.check import check_definitions
from stagebell.services.checks.world import Nothing
from stagebell.services.warn import warnings_about


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="a directory of YAML or JSON files, or one file")


def run(arguments: argparse.Namespace) -> int:
    library = read_directory(arguments.directory)
    checked = check_definitions(library.documents, Nothing(), offline_tools())
    problems = located(library, [result.problems for result in checked])
    warnings = warnings_about({(c.kind, c.name): c.document for c in checked if c.document}, Nothing())
    print(*(f"warning: {found.message}" for found in warnings), *report(library, problems), sep="\n")
    return 1 if problems else 0
