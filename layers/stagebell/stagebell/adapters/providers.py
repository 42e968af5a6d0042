"""What SES and SNS have in common: a message is offered once, and what a failure says about whether it went out.

Neither knows an idempotency key, so a second attempt is the machine's decision, never the client's."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ProxyConnectionError,
    SSLError,
)

from stagebell.domain.errors import (
    ChannelMisconfigured,
    DeliveryRejected,
    DeliveryThrottled,
    DeliveryUnavailable,
    DeliveryUnknown,
    StagebellError,
)

CLIENT_CONFIG: Mapping[str, Any] = MappingProxyType(
    {"retries": {"total_max_attempts": 1}, "connect_timeout": 3, "read_timeout": 10}
)
"""For `botocore.config.Config(**CLIENT_CONFIG)` of every client that sends messages."""

type Meanings = Mapping[str, type[StagebellError]]

COMMON: Meanings = MappingProxyType(
    dict.fromkeys(
        (
            "LimitExceededException",
            "RequestLimitExceeded",
            "SlowDown",
            "Throttled",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ),
        DeliveryThrottled,
    )
    | dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "OptInRequired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        ChannelMisconfigured,
    )
)
_BEFORE_SENDING = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
_AFTER_SENDING = (HTTPClientError, SSLError)  # read time-outs, closed connections: the request may have arrived


def translated(provider: str, error: BotoCoreError | ClientError, meanings: Meanings) -> StagebellError:
    """The error to raise instead; `meanings` are those of the provider's own error codes."""
    if isinstance(error, ClientError):
        return _answered(provider, error, meanings)
    if isinstance(error, _BEFORE_SENDING):
        return DeliveryUnavailable(f"{provider} could not be reached; nothing was sent")
    if isinstance(error, _AFTER_SENDING):
        return DeliveryUnknown(f"{provider}'s answer was lost; the message may or may not have gone out")
    if isinstance(error, ParamValidationError):
        return DeliveryRejected(f"{provider} cannot take this message: {error}")
    return ChannelMisconfigured(f"{provider} cannot be called: {error}")


def _answered(provider: str, error: ClientError, meanings: Meanings) -> StagebellError:
    answer = error.response.get("Error", {})
    code, message = answer.get("Code", ""), answer.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    meaning = meanings.get(code) or COMMON.get(code) or _by_status(status)
    return meaning(f"{provider} answered {code or status}: {message}"[:500])


def _by_status(status: int) -> type[StagebellError]:
    if status == 429:
        return DeliveryThrottled
    if status >= 500:
        return DeliveryUnknown  # it was handed over, and the provider does not say what became of it
    return ChannelMisconfigured if status in (401, 403) else DeliveryRejected
