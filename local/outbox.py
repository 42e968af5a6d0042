"""What the emulator itself noted as sent, by the provider's message id."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from local.stack import Stack


@dataclass(frozen=True)
class Message:
    id: str
    recipients: tuple[str, ...]
    words: str
    """The subject of an e-mail, the text of an SMS."""


def sent(stack: Stack) -> dict[str, Message]:
    return {message.id: message for message in (*emails(stack), *texts(stack))}


def emails(stack: Stack) -> list[Message]:
    return [_email(noted) for noted in _all(stack.emails_url, "messages")]


def texts(stack: Stack) -> list[Message]:
    numbers = _read(stack.sms_url)["sms_messages"]
    return [Message(noted["MessageId"], (number,), noted["Message"]) for number in numbers for noted in numbers[number]]


def _all(url: str, name: str) -> list[dict[str, Any]]:
    """The emulator lists by account."""
    return [noted for account in _read(url)[name].values() for noted in account]


def _email(noted: dict[str, Any]) -> Message:
    return Message(noted["MessageId"], tuple(noted.get("To") or ()), noted.get("Subject") or "")


def _read(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
