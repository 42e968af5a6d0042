"""The customer's functions: AWS Lambda `Invoke`, waiting for the answer, once."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from stagebell.adapters.invocations import ANSWER_LIMIT, answer_of, payload_text
from stagebell.adapters.providers import CLIENT_CONFIG, Meanings, translated
from stagebell.domain.errors import (
    ChannelMisconfigured,
    DeliveryRejected,
    DeliveryUnavailable,
    DeliveryUnknown,
    StagebellError,
)

__all__ = ["CLIENT_CONFIG", "LambdaFunctions"]

_MEANINGS: Meanings = MappingProxyType(
    dict.fromkeys(
        (
            "CodeArtifactUserDeletedException",
            "EC2AccessDeniedException",
            "EFSMountFailureException",
            "InvalidRuntimeException",
            "InvalidSecurityGroupIDException",
            "InvalidSubnetIDException",
            "InvalidZipFileException",
            "KMSAccessDeniedException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSNotFoundException",
            "NoPublishedVersionException",
            "ResourceNotFoundException",
        ),
        ChannelMisconfigured,
    )
    | dict.fromkeys(
        (  # it could not be started just now
            "EC2ThrottledException",
            "EC2UnexpectedException",
            "EFSMountConnectivityException",
            "EFSMountTimeoutException",
            "ENILimitReachedException",
            "ENINotReadyException",
            "ResourceConflictException",
            "ResourceNotReadyException",
            "SnapStartNotReadyException",
            "SnapStartTimeoutException",
            "SubnetIPAddressLimitReachedException",
        ),
        DeliveryUnavailable,
    )
)
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "ResourceNotFoundException")


class LambdaFunctions:
    """`client` gives the botocore `lambda` client that waits so many seconds, made with CLIENT_CONFIG beside it."""

    def __init__(self, client: Callable[[float], Any]) -> None:
        self._client = client

    def invoke(self, arn: str, payload: Mapping[str, Any], timeout: float) -> Any:
        body = payload_text(payload)
        request = partial(self._client(timeout).invoke, FunctionName=arn, InvocationType="RequestResponse")
        try:
            answer = request(Payload=body)
            text = answer["Payload"].read(ANSWER_LIMIT + 1)
        except ReadTimeoutError as error:
            raise DeliveryUnknown(f"the function did not answer in {timeout:g} s; it may have run") from error
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, arn) from error
        if answer.get("FunctionError"):
            raise DeliveryRejected(_raised(text))
        return answer_of(text)


def _raised(text: bytes) -> str:
    """What Lambda says of a function that raised, or ran out of its own time."""
    try:
        told = json.loads(text)
        kind, message = str(told.get("errorType") or "an error"), str(told.get("errorMessage") or "without a message")
    except (ValueError, AttributeError, RecursionError):
        kind, message = "an error", "without a message"
    return f"the function raised {kind[:100]}: {message[:350]}"


def _translated(error: BotoCoreError | ClientError, arn: str) -> StagebellError:
    failure = translated("Lambda", error, _MEANINGS)
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
    if code in _NOT_ALLOWED:
        return ChannelMisconfigured(
            f"function {arn} may not be invoked, or is not there ({code}): check the ARN in its definition, and add "
            "it to the stack's parameter CustomerFunctions, which grants lambda:InvokeFunction on it"
        )
    return failure
