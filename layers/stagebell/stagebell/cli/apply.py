"""`stagebell apply DIR`: store and activate what differs, after showing the plan and asking."""

import argparse
import sys

from stagebell.cli import client, plan
from stagebell.cli.client import Client, path_of
from stagebell.cli.failures import ApiRefused, NotConfigured
from stagebell.cli.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    plan.add_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--activate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="activate what was stored, or store it only (activated where nothing is said)",
    )
    client.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    api = client.client_for(arguments)
    made = plan.make_plan(api, arguments.directory)
    print(*made.lines(), sep="\n")
    if not made.changes:
        return 0
    if not arguments.yes and not _agreed():
        print("Nothing was changed.")
        return 0
    carry_out(api, made, activate=arguments.activate)
    return 0


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise NotConfigured("there is nobody to ask here: add --yes to apply the plan")
    return input("Apply? [y/N] ").strip().lower() in ("y", "yes")


def carry_out(api: Client, made: Plan, *, activate: bool) -> None:
    """Store everything first, so that definitions may refer to each other, then activate one after the other."""
    done = 0
    try:
        for difference in made.changes:
            document = made.documents[difference.kind, difference.name]
            stored = api.put(path_of("definitions", difference.kind, difference.name), document)
            print(f"stored {difference.kind} {difference.name} as version {stored['version']}")
            done += 1
        for difference in made.changes if activate else ():
            api.post(path_of("definitions", difference.kind, difference.name, "activate"), {})
            print(f"activated {difference.kind} {difference.name}")
            done += 1
    except ApiRefused as error:
        if done:
            raise ApiRefused(f"{error}\nWhat is listed above was done; apply again once this is mended.") from error
        raise
