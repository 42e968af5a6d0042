"""SMS through Amazon SNS (`Publish` to a phone number)."""

from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stagebell.adapters.providers import CLIENT_CONFIG, Meanings, translated
from stagebell.domain.errors import ChannelMisconfigured, DeliveryRejected, RecipientUnreachable, StagebellError
from stagebell.ports.messages import Sms

__all__ = ["CLIENT_CONFIG", "SnsTexter"]

_MEANINGS: Meanings = MappingProxyType(
    dict.fromkeys(("OptedOut", "OptedOutException"), RecipientUnreachable)
    | dict.fromkeys(
        (
            "EndpointDisabled",
            "InvalidSecurity",
            "InvalidSecurityException",
            "KMSAccessDenied",
            "KMSDisabled",
            "KMSNotFound",
            "UserError",
        ),
        ChannelMisconfigured,
    )
    | dict.fromkeys(("InvalidParameter", "NotFound", "ParameterValueInvalid"), DeliveryRejected)
)


class SnsTexter:
    """`client` is a botocore `sns` client made with CLIENT_CONFIG."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, sms: Sms) -> str:
        try:
            answer = self._client.publish(PhoneNumber=sms.phone, Message=sms.text, MessageAttributes=_attributes(sms))
        except (BotoCoreError, ClientError) as error:
            raise _translated(error) from error
        return str(answer["MessageId"])


def _attributes(sms: Sms) -> dict[str, dict[str, str]]:
    values = {"SMSType": "Transactional" if sms.transactional else "Promotional"}
    if sms.sender_id:
        values["SenderID"] = sms.sender_id
    return {f"AWS.SNS.SMS.{name}": {"DataType": "String", "StringValue": text} for name, text in values.items()}


def _translated(error: BotoCoreError | ClientError) -> StagebellError:
    failure = translated("SNS", error, _MEANINGS)
    if isinstance(failure, DeliveryRejected) and "PhoneNumber" in failure.message:
        return RecipientUnreachable("SNS does not take this phone number")
    return failure
