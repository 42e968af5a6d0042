"""E-mail through Amazon SES v2 (`SendEmail`)."""

import re
from collections.abc import Mapping, Sequence
from email.utils import formataddr, parseaddr
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.adapters.providers import CLIENT_CONFIG, Meanings, translated
from stagebell.domain.errors import ChannelMisconfigured, DeliveryRejected, RecipientUnreachable
from stagebell.domain.feedback import DELIVERY_TAG
from stagebell.ports.messages import Attachment, Email

__all__ = ["CLIENT_CONFIG", "SesMailer", "mailbox"]
_MEANINGS: Meanings = MappingProxyType(
    dict.fromkeys(
        (
            "AccountSuspendedException",
            "MailFromDomainNotVerifiedException",
            "NotFoundException",  # of the configuration set
            "SendingPausedException",
        ),
        ChannelMisconfigured,
    )
    | dict.fromkeys(("BadRequestException", "MessageRejected"), DeliveryRejected)
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REMAPPED = re.compile("[ß\u1e9eς\u200c\u200d]")  # IDNA 2003 turns these into other letters: another domain


class SesMailer:
    """`client` is a botocore `sesv2` client made with CLIENT_CONFIG."""

    def __init__(self, client: Any, configuration_set: str = "") -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, email: Email) -> str:
        request = self._request(email)
        try:
            answer = self._client.send_email(**request)
        except (BotoCoreError, ClientError) as error:
            raise translated("SES", error, _MEANINGS) from error
        return str(answer["MessageId"])

    def _request(self, email: Email) -> Mapping[str, Any]:
        request = {
            "FromEmailAddress": mailbox(email.sender),
            "Destination": _present(
                ToAddresses=[mailbox(email.to)], CcAddresses=_mailboxes(email.cc), BccAddresses=_mailboxes(email.bcc)
            ),
            "Content": {"Simple": _content(email)},
            "EmailTags": [{"Name": DELIVERY_TAG, "Value": email.key}],
        }
        optional = _present(ReplyToAddresses=_mailboxes(email.reply_to), ConfigurationSetName=self._configuration_set)
        return request | optional


def _content(email: Email) -> dict[str, Any]:
    text = _utf8(email.text) if email.text or not email.html else None
    html = _utf8(email.html) if email.html else None
    headers = [{"Name": name, "Value": value} for name, value in email.headers.items()]
    attachments = [_attachment(attachment) for attachment in email.attachments]
    subject = " ".join(email.subject.splitlines())
    optional = _present(Headers=headers, Attachments=attachments)
    return {"Subject": _utf8(subject), "Body": _present(Text=text, Html=html)} | optional


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "FileName": attachment.name,
        "ContentType": attachment.content_type,
        "ContentDisposition": "ATTACHMENT",
        "ContentTransferEncoding": "BASE64",
        "RawContent": attachment.content,
    }


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _present(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _mailboxes(addresses: Sequence[str]) -> list[str]:
    return [mailbox(address) for address in addresses]


def mailbox(text: str) -> str:
    """One address as SES takes it: the domain in punycode, a display name as an encoded word (RFC 2047).

    Raises RecipientUnreachable for what SES cannot deliver to; the message does not repeat the address."""
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    as_written = text.rstrip().endswith((address, f"<{address}>"))  # nothing guessed, nothing dropped
    if not (local and domain and as_written) or _CONTROL.search(text):
        raise RecipientUnreachable("an e-mail address is not of the form name@domain")
    if not local.isascii():
        raise RecipientUnreachable("SES cannot deliver to an address with letters outside ASCII before its @")
    return formataddr((name, f"{local}@{_punycode(domain)}"))


def _punycode(domain: str) -> str:
    if domain.isascii():
        return domain
    if _REMAPPED.search(domain):
        raise RecipientUnreachable("the domain of an e-mail address must be written in punycode (xn--…)")
    try:
        return domain.encode("idna").decode()
    except UnicodeError as error:
        raise RecipientUnreachable("the domain of an e-mail address is not a valid international domain") from error
