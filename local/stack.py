"""The deployed stack as its outputs name it."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.place import STACK, Place


@dataclass(frozen=True)
class Stack:
    place: Place
    outputs: dict[str, str]

    @property
    def api_url(self) -> str:
        """The emulator serves an API under its id; AWS gives it a host of its own."""
        return f"{self.place.endpoint}/_aws/execute-api/{self.outputs['ApiId']}"

    @property
    def emails_url(self) -> str:
        return f"{self.place.endpoint}/_ministack/ses/messages"

    @property
    def sms_url(self) -> str:
        return f"{self.place.endpoint}/_ministack/sns/sms-messages"

    def client(self, service: str) -> Any:
        return client(self.place, service)


def find_stack(place: Place) -> Stack | None:
    try:
        found = client(place, "cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    except ClientError:
        return None
    if not found["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in found["StackStatus"]:
        return None
    return Stack(place, {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]})


def client(place: Place, service: str) -> Any:
    environment = place.aws_environment()
    session = boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    return session.client(service, endpoint_url=place.endpoint)
