"""Feedback: what SES tells of an e-mail after it took it.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from stagebell.domain.errors import InvalidInput, InvalidValue, Problem
from stagebell.domain.fields import describe, parse_instant

type Kind = Literal["delivered", "bounced", "complained", "rejected", "delayed", "sent", "rendering_failed"]

DELIVERY_TAG = "stagebell-delivery"
DETAIL_LIMIT = 500
_TOPIC_VALIDATED = "Successfully validated SNS topic"  # the plain text SES sends to a new topic


@dataclass(frozen=True, slots=True)
class Feedback:
    """One event about one e-mail: the delivery whose key is `delivery`, or where that is empty, with that `message_id`.

    `id` is the same each time the event comes. `permanent` marks a hard bounce. `suppress`: none of `addresses` may
    be written to again."""

    id: str
    delivery: str
    message_id: str
    kind: Kind
    at: datetime
    addresses: tuple[str, ...] = ()
    permanent: bool = False
    suppress: bool = False
    detail: str = ""


def read_feedback(event: Mapping[str, Any]) -> list[Feedback]:
    """What an event says: as EventBridge or SNS hand it to a function, or as SES writes it.

    Event types that do not concern a delivery give nothing; InvalidInput names what an event lacks."""
    found = (_read(document) for document in _documents(_Node(event)))
    return [feedback for feedback in found if feedback is not None]


class _Node:
    """An object of the event and the path to it; what is missing or of the wrong type is InvalidInput."""

    def __init__(self, value: object, path: str = "") -> None:
        self.path = path
        if not isinstance(value, Mapping):
            raise self.problem("type", f"expected an object, got {describe(value)}")
        self._value = value

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    def child(self, key: str) -> "_Node":
        return _Node(self._value.get(key), self._at(key))

    def children(self, key: str) -> list["_Node"]:
        return [_Node(value, f"{self._at(key)}[{position}]") for position, value in enumerate(self._list(key))]

    def text(self, key: str) -> str:
        value = self._value.get(key)
        if not isinstance(value, str) or not value:
            raise self.problem("text", f"expected text, got {describe(value)}", key)
        return value

    def word(self, key: str) -> str:
        """Text that may be missing."""
        return self.text(key) if self._value.get(key) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(value for value in self._list(key) if isinstance(value, str))

    def instant(self, key: str) -> datetime:
        try:
            return parse_instant(self._value.get(key))
        except InvalidValue as error:
            raise self.problem("datetime", error.message, key) from error

    def problem(self, rule: str, message: str, key: str = "") -> InvalidInput:
        return InvalidInput([Problem(self._at(key) if key else self.path, rule, message)])

    def _list(self, key: str) -> list[Any]:
        value = self._value.get(key) or []
        if not isinstance(value, list):
            raise self.problem("type", f"expected a list, got {describe(value)}", key)
        return value

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def _documents(event: _Node) -> Iterator[_Node]:
    if "Records" in event:
        for record in event.children("Records"):
            yield from _from_topic(record.child("Sns"))
    else:
        yield event.child("detail") if "detail" in event else event


def _from_topic(notification: _Node) -> Iterator[_Node]:
    message = notification.text("Message")
    if message.startswith(_TOPIC_VALIDATED):
        return
    try:
        document = json.loads(message)
    except ValueError as error:
        raise notification.problem("json", "expected the JSON of an SES event", "Message") from error
    yield _Node(document, f"{notification.path}.Message")


class _Said(NamedTuple):
    """What only one type of event says."""

    addresses: tuple[str, ...]
    detail: str = ""
    permanent: bool = False
    suppress: bool = False


def _read(document: _Node) -> Feedback | None:
    event_type = document.text("notificationType" if "notificationType" in document else "eventType")
    if event_type not in _TYPES:
        return None
    kind, key, read = _TYPES[event_type]
    mail, body = document.child("mail"), document.child(key)
    said = read(body)
    message_id = mail.text("messageId")
    at = (body if "timestamp" in body else mail).instant("timestamp")
    return Feedback(
        id=f"{message_id}:{kind}:{body.word('feedbackId') or at.isoformat()}",
        delivery=_delivery(mail),
        message_id=message_id,
        kind=kind,
        at=at,
        addresses=said.addresses or (() if said.suppress else mail.texts("destination")),
        permanent=said.permanent,
        suppress=said.suppress,
        detail=said.detail[:DETAIL_LIMIT],
    )


def _delivery(mail: _Node) -> str:
    """The key that travelled as a tag; notifications of an identity carry no tags."""
    return next(iter(mail.child("tags").texts(DELIVERY_TAG)), "") if "tags" in mail else ""


def _bounce(body: _Node) -> _Said:
    permanent = body.text("bounceType") == "Permanent"
    kind = " ".join(word for word in (body.word("bounceType"), body.word("bounceSubType")) if word)
    recipients = body.children("bouncedRecipients")
    return _Said(_addresses(recipients), _joined(kind, _diagnostics(recipients)), permanent, suppress=permanent)


def _complaint(body: _Node) -> _Said:
    kind = body.word("complaintFeedbackType") or body.word("complaintSubType")
    addresses = _addresses(body.children("complainedRecipients"))
    return _Said(addresses, kind, suppress=kind != "not-spam")


def _delay(body: _Node) -> _Said:
    recipients = body.children("delayedRecipients")
    return _Said(_addresses(recipients), _joined(body.word("delayType"), _diagnostics(recipients)))


def _delivered(body: _Node) -> _Said:
    return _Said(body.texts("recipients"), body.word("smtpResponse"))


def _sent(body: _Node) -> _Said:
    return _Said(())


def _saying(key: str) -> Callable[[_Node], _Said]:
    return lambda body: _Said((), body.word(key))


def _addresses(recipients: list[_Node]) -> tuple[str, ...]:
    return tuple(recipient.text("emailAddress") for recipient in recipients)


def _diagnostics(recipients: list[_Node]) -> str:
    return "; ".join(dict.fromkeys(r.word("diagnosticCode") for r in recipients if "diagnosticCode" in r))


def _joined(kind: str, text: str) -> str:
    return f"{kind}: {text}" if kind and text else kind or text


_TYPES: Mapping[str, tuple[Kind, str, Callable[[_Node], _Said]]] = MappingProxyType(
    {
        "Bounce": ("bounced", "bounce", _bounce),
        "Complaint": ("complained", "complaint", _complaint),
        "Delivery": ("delivered", "delivery", _delivered),
        "DeliveryDelay": ("delayed", "deliveryDelay", _delay),
        "Reject": ("rejected", "reject", _saying("reason")),
        "Rendering Failure": ("rendering_failed", "failure", _saying("errorMessage")),
        "Send": ("sent", "send", _sent),
    }
)
