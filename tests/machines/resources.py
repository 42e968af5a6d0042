"""The AWS resources of a deployment, on moto, and the environment that its functions see."""

import json
from pathlib import Path

from moto.core import DEFAULT_ACCOUNT_ID

from stagebell.domain import signatures
from stagebell.runtime import wiring
from tests.contract.tables import create_tables, table_definitions

MACHINES = Path(__file__).parents[2] / "functions" / "machines"
REGION = "eu-central-1"
STACK = "stagebell"
SENDER = "stagebell@example.com"
SECRET = signatures.new_secret(b"k" * 32)
WEBHOOK_SECRET = signatures.new_secret(b"w" * 32)  # of webhooks that name the secret `partner`


def machine_arn(machine: str = "scenario") -> str:
    return f"arn:aws:states:{REGION}:{DEFAULT_ACCOUNT_ID}:stateMachine:{STACK}-{machine}"


def machine_definition(machine: str) -> str:
    """The machine as it is deployed, with what the template puts into it."""
    close_run_arn = f"arn:aws:lambda:{REGION}:{DEFAULT_ACCOUNT_ID}:function:{STACK}-close-run"
    text = (MACHINES / f"{machine}.asl.json").read_text()
    return text.replace("${ScenarioMachineArn}", machine_arn()).replace("${CloseRunFunctionArn}", close_run_arn)


def queue_url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{DEFAULT_ACCOUNT_ID}/{STACK}-{name}.fifo"


def environment(zone: str = "UTC") -> dict[str, str]:
    """The environment of all functions together."""
    tables = {f"{name.removesuffix('Table').upper()}_TABLE": name for name in table_definitions()}
    return tables | {
        "AWS_DEFAULT_REGION": REGION,
        "CHANGES_QUEUE_URL": queue_url("changes"),
        "WRITE_BACKS_QUEUE_URL": queue_url("write-backs"),
        "SCENARIO_MACHINE_ARN": machine_arn("scenario"),
        "WORKFLOW_MACHINE_ARN": machine_arn("workflow"),
        "FUNCTION_PREFIX": STACK,
        "SECRETS_PREFIX": f"{STACK}/sources/",
        "WEBHOOK_SECRETS_PREFIX": f"{STACK}/webhooks/",
        "WEBHOOK_ADDRESSES": "public",
        "SENDER_ADDRESS": SENDER,
        "CONFIGURATION_SET": "",
        "TIME_ZONE": zone,
        "PHONE_REGION": "DE",
        "HISTORY_DAYS": "400",
    }


def make_resources() -> None:
    create_tables(wiring.client("dynamodb"))
    for name, secret in (("sources/crm", SECRET), ("webhooks/partner", WEBHOOK_SECRET)):
        text = json.dumps({"secrets": [secret]})
        wiring.client("secretsmanager").create_secret(Name=f"{STACK}/{name}", SecretString=text)
    wiring.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    role = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/machine"
    for name, type in (("scenario", "STANDARD"), ("workflow", "EXPRESS")):
        wiring.client("stepfunctions").create_state_machine(
            name=f"{STACK}-{name}", definition=machine_definition(name), roleArn=role, type=type
        )
    for name in ("changes", "write-backs"):
        attributes = {"FifoQueue": "true", "VisibilityTimeout": "0"}
        wiring.client("sqs").create_queue(QueueName=f"{STACK}-{name}.fifo", Attributes=attributes)
