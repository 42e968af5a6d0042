"""Run in a process of its own, with the packages of a function in Lambda alone: what a cold start imports and makes.

Without an argument the floor: botocore with one client."""

import time

BEGUN = time.process_time()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "CHANGES_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/changes.fifo",
    "WRITE_BACKS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/write-backs.fifo",
    "SCENARIO_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:scenario",
    "WORKFLOW_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:workflow",
    "FUNCTION_PREFIX": "stagebell",
    "SECRETS_PREFIX": "stagebell/sources/",
    "WEBHOOK_SECRETS_PREFIX": "stagebell/webhooks/",
    "SENDER_ADDRESS": "stagebell@example.com",
    "HISTORY_DAYS": "400",
    "POWERTOOLS_SERVICE_NAME": "stagebell",
    **{f"{table}_TABLE": table for table in ("DEFINITIONS", "RECORDS", "RUNS", "DELIVERIES", "PEOPLE", "ACCESS")},
}


def floor() -> None:
    from botocore.session import Session

    Session().create_client("dynamodb")


def function(name: str, services: list[str]) -> None:
    """Import a function and make what its first invocation needs; services are named as `wiring.actor`."""
    import_module(f"functions.{name}.app")
    import_module("stagebell.runtime.observability").logger()
    for service in services:
        module, _, maker = service.partition(".")
        getattr(import_module(f"stagebell.runtime.{module}"), maker)()


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    if len(sys.argv) > 1:
        function(sys.argv[1], sys.argv[2:])
    else:
        floor()
    print(json.dumps({"cpu": time.process_time() - BEGUN, "peak": 0}))
