"""Messages: what they are made with, and who sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from stagebell.domain.invitations import Invitation


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with an e-mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Email:
    """One message as it goes to SES. `key` travels as a tag, so that feedback finds the delivery."""

    key: str
    sender: str
    to: str
    subject: str
    text: str
    html: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message; `phone` is E.164."""

    key: str
    phone: str
    text: str
    sender_id: str = ""
    transactional: bool = True


class CalendarFiles(Protocol):
    def __call__(self, invitation: Invitation) -> bytes:
        """An invitation as calendars read it (iCalendar, UTF-8)."""


class Mailer(Protocol):
    def send(self, email: Email) -> str:
        """The provider's message id. Raises DeliveryThrottled, DeliveryUnavailable (nothing sent), DeliveryRejected,
        ChannelMisconfigured, or DeliveryUnknown (the answer was lost)."""


class Texter(Protocol):
    def send(self, sms: Sms) -> str:
        """As Mailer.send."""


class Renderer(Protocol):
    def render(
        self, source: str, variables: Mapping[str, object], *, html: bool, locale: str, zone: ZoneInfo, limit: int = ...
    ) -> str: ...


class Phones(Protocol):
    def __call__(self, text: str, default_region: str | None) -> str | None:
        """E.164, or None where the text is no valid phone number."""
