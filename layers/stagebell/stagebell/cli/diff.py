"""`stagebell diff DIR`: how a directory of definitions differs from what is active."""

import argparse

from stagebell.cli import client, plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    plan.add_arguments(parser)
    client.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    made = plan.make_plan(client.client_for(arguments), arguments.directory)
    print(*made.lines(), sep="\n")
    return 0
