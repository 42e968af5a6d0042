"""`stagebell secrets rotate NAME`: a new secret with which a source signs its webhooks, or we sign ours."""

import argparse

from stagebell.cli import client
from stagebell.cli.client import path_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    rotate = verbs.add_parser("rotate", help="make a new secret; it is shown once, and the one before it stays valid")
    rotate.add_argument("name", help="the name of the source; with --webhook, that of a webhook secret")
    rotate.add_argument("--webhook", action="store_true", help="a secret that signs what call_webhook posts")
    client.add_arguments(rotate)


def run(arguments: argparse.Namespace) -> int:
    kind = "webhooks" if arguments.webhook else "sources"
    made = client.client_for(arguments).post(path_of(kind, arguments.name, "secrets"), {})
    print(made["secret"])
    return 0
