"""`stagebell keys`: list, make and revoke API keys.

The first key of a stack cannot be made over the API, which asks for one: `create --stack` writes it into the stack's
own table, with the AWS credentials of whoever deployed it.
"""

import argparse
from datetime import UTC, datetime
from typing import Any

from stagebell.cli import client
from stagebell.cli.client import path_of
from stagebell.cli.failures import NotConfigured
from stagebell.services.access import ROLES, create


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="show all keys, never their secrets")
    making = verbs.add_parser("create", help="make a key; it is shown once")
    making.add_argument("label", help="whose key it will be")
    making.add_argument("--role", choices=ROLES, required=True, help="what it may do")
    making.add_argument("--stack", help="make the first key of this stack, with your AWS credentials")
    revoking = verbs.add_parser("revoke", help="end a key")
    revoking.add_argument("id", help="the key's id, as list shows it")
    for verb, run_verb in ((listing, _list), (making, _create), (revoking, _revoke)):
        client.add_arguments(verb)
        verb.set_defaults(run_verb=run_verb)


def run(arguments: argparse.Namespace) -> int:
    arguments.run_verb(arguments)
    return 0


def _list(arguments: argparse.Namespace) -> None:
    api, cursor = client.client_for(arguments), ""
    while True:
        page = api.get(f"{path_of('keys')}{cursor}")
        for key in page["items"]:
            ended = f"  revoked {key['revoked_at']}" if key["revoked_at"] else ""
            print(f"{key['id']}  {key['role']:<10}  {key['label']}{ended}")
        if not page["cursor"]:
            return
        cursor = f"?cursor={client.quoted(page['cursor'])}"


def _create(arguments: argparse.Namespace) -> None:
    if arguments.stack:
        print(_first_key(arguments.stack, arguments.label, arguments.role))
        return
    made = client.client_for(arguments).post(path_of("keys"), {"label": arguments.label, "role": arguments.role})
    print(made["key"])


def _revoke(arguments: argparse.Namespace) -> None:
    client.client_for(arguments).delete(path_of("keys", arguments.id))
    print(f"{arguments.id} is revoked")


def _first_key(stack: str, label: str, role: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import Session

    from stagebell.adapters.dynamodb_access import DynamoApiKeys

    session = Session()
    try:
        table = resource(session.create_client("cloudformation"), stack, "AccessTable")
        keys = DynamoApiKeys(session.create_client("dynamodb"), table)
        return create(keys, label, role, datetime.now(UTC)).text
    except (BotoCoreError, ClientError) as error:
        raise NotConfigured(f"stack {stack} could not be written to: {error}") from error


def resource(cloudformation: Any, stack: str, name: str) -> str:
    """What a resource of a stack is called in AWS: a table's name, a queue's URL."""
    found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=name)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])
