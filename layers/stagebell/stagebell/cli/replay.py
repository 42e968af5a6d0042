"""`stagebell replay --stack NAME`: put dead letters back into their queues, with your AWS credentials.

Write-backs that were given up are no dead letters of a queue: they are listed and replayed over the API."""

import argparse

from stagebell.cli.failures import NotConfigured

QUEUES = ("Changes", "WriteBacks")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", required=True, help="the name of the stack")


def run(arguments: argparse.Namespace) -> int:
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
