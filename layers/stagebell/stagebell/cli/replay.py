"""`stagebell replay --stack NAME`: put dead letters back into the changes queue, with your AWS credentials."""

import argparse

from stagebell.cli.failures import NotConfigured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", required=True, help="the name of the stack")


def run(arguments: argparse.Namespace) -> int:
    moved = _put_back(arguments.stack)
    print(f"{moved} put back" if moved else "There are no dead letters.")
    return 0


def _put_back(stack: str) -> int:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import Session

    from stagebell.adapters.dead_letters import put_back
    from stagebell.cli.keys import resource

    session = Session()
    try:
        stacks = session.create_client("cloudformation")
        queues = [resource(stacks, stack, name) for name in ("ChangesDeadLetterQueue", "ChangesQueue")]
        return put_back(session.create_client("sqs"), *queues)
    except (BotoCoreError, ClientError) as error:
        raise NotConfigured(f"the queues of stack {stack} could not be reached: {error}") from error
