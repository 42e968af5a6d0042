"""The customer's functions: AWS Lambda `Invoke`, waiting for the answer, once."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from stagebell.adapters.providers import CLIENT_CONFIG, Meanings, translated
from stagebell.domain.errors import (
    ChannelMisconfigured,
    DeliveryRejected,
    DeliveryUnavailable,
    DeliveryUnknown,
    StagebellError,
)

__all__ = ["ANSWER_LIMIT", "CLIENT_CONFIG", "PAYLOAD_LIMIT", "LambdaFunctions", "answer_of"]

PAYLOAD_LIMIT = 1024 * 1024
ANSWER_LIMIT = 256 * 1024

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
        body = json.dumps(payload, ensure_ascii=False).encode()
        if len(body) > PAYLOAD_LIMIT:
            raise DeliveryRejected(f"what the function would be told is {len(body):,} bytes; {PAYLOAD_LIMIT:,} at most")
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


def answer_of(text: bytes) -> Any:
    """What a function answered; numbers with a point as Decimal. Raises DeliveryRejected where it is no JSON."""
    if len(text) > ANSWER_LIMIT:
        raise DeliveryRejected(f"the function answered more than {ANSWER_LIMIT:,} bytes")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number) if text else None
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise DeliveryRejected("the function's answer is no JSON that can be read") from error


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


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
            f"function {arn} may not be invoked, or is not there ({code}): check the ARN in its definition, and grant "
            "this stack lambda:InvokeFunction on it"
        )
    return failure
