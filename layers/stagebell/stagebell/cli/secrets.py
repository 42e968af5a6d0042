"""`stagebell secrets rotate SOURCE`: a new secret with which a source signs its webhooks."""

import argparse

from stagebell.cli import client
from stagebell.cli.client import path_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    rotate = verbs.add_parser("rotate", help="make a new secret; it is shown once, and the one before it stays valid")
    rotate.add_argument("source", help="the name of the source")
    client.add_arguments(rotate)


def run(arguments: argparse.Namespace) -> int:
    made = client.client_for(arguments).post(path_of("sources", arguments.source, "secrets"), {})
    print(made["secret"])
    return 0
