"""`stagebell replay`: what could not be carried out is tried once more.

`--stack NAME` puts dead letters back into their queues, with your AWS credentials. Write-backs that were given up are
no dead letters of a queue: `--write-backs SOURCE` has them replayed over the API."""

import argparse

from stagebell.cli import client, write_backs
from stagebell.cli.failures import NotConfigured

QUEUES = ("Changes", "WriteBacks")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--stack", help="put the dead letters of a stack back into their queues, with your AWS credentials"
    )
    which.add_argument(
        "--write-backs", metavar="SOURCE", help="tell a source once more what was given up, over the API"
    )
    client.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.write_backs is not None:
        made = write_backs.replay(client.client_for(arguments), arguments.write_backs)
        print(*made.lines(), sep="\n")
        return 1 if made.refused else 0
    moved = _put_back(arguments.stack)
    print(f"{moved} put back" if moved else "There are no dead letters.")
    return 0


def _put_back(stack: str) -> int:
    """How many messages, of all queues together."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import Session

    from stagebell.adapters.dead_letters import put_back
    from stagebell.cli.keys import resource

    session = Session()
    try:
        stacks = session.create_client("cloudformation")
        sqs = session.create_client("sqs")
        pairs = [[resource(stacks, stack, f"{name}{end}") for end in ("DeadLetterQueue", "Queue")] for name in QUEUES]
        return sum(put_back(sqs, dead, live) for dead, live in pairs)
    except (BotoCoreError, ClientError) as error:
        raise NotConfigured(f"the queues of stack {stack} could not be reached: {error}") from error
