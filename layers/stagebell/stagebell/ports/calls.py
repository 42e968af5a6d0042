"""Calls of systems that are not ours: webhooks and functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Posted:
    """What an endpoint answered; `retry_after` in seconds where it asked to wait."""

    status: int
    retry_after: int | None = None


class Poster(Protocol):
    """Posts to addresses that operators name, and to none inside the network Stagebell runs in."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """One try, without redirects. Raises DeliveryRejected (the address may not be posted to), DeliveryUnavailable
        (nothing arrived), DeliveryUnknown (it may have arrived)."""


class Functions(Protocol):
    """Functions of the customer's that actions may invoke."""

    def invoke(self, arn: str, payload: Mapping[str, Any], timeout: float) -> Any:
        """The parsed answer. Raises DeliveryThrottled, DeliveryUnavailable (it did not run), DeliveryRejected (it
        raised, or may not be invoked), DeliveryUnknown (no answer in `timeout` seconds: it may have run)."""
