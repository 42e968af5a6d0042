"""SMS through SNS: the exact request, and what each failure means for the delivery."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.stub import Stubber

from stagebell.adapters.sns import CLIENT_CONFIG, SnsTexter
from stagebell.domain import errors
from stagebell.ports.messages import Sms

SMS = Sms(key="dlv_1", phone="+4930901820", text="Deal won")


@pytest.fixture
def client() -> Any:
    session = botocore.session.get_session()
    return session.create_client("sns", region_name="eu-central-1", config=Config(**CLIENT_CONFIG))


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub


def attribute(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


@pytest.mark.parametrize(
    ("sms", "attributes"),
    [
        pytest.param(SMS, {"AWS.SNS.SMS.SMSType": attribute("Transactional")}, id="transactional, no sender id"),
        pytest.param(
            Sms(SMS.key, SMS.phone, SMS.text, sender_id="Stagebell", transactional=False),
            {"AWS.SNS.SMS.SMSType": attribute("Promotional"), "AWS.SNS.SMS.SenderID": attribute("Stagebell")},
            id="promotional, with sender id",
        ),
    ],
)
def test_an_sms_says_its_kind_and_sender(
    client: Any, stub: Stubber, sms: Sms, attributes: dict[str, dict[str, str]]
) -> None:
    expected = {"PhoneNumber": "+4930901820", "Message": "Deal won", "MessageAttributes": attributes}
    stub.add_response("publish", {"MessageId": "sms-1"}, expected)

    assert SnsTexter(client).send(sms) == "sms-1"


@pytest.mark.parametrize(
    ("code", "message", "status", "meaning"),
    [
        ("Throttling", "Rate exceeded", 400, errors.DeliveryThrottled),
        ("Throttled", "Rate exceeded", 429, errors.DeliveryThrottled),
        ("OptedOut", "The number has opted out", 400, errors.RecipientUnreachable),
        (
            "InvalidParameter",
            "Invalid parameter: PhoneNumber Reason: +1 is not valid",
            400,
            errors.RecipientUnreachable,
        ),
        ("InvalidParameter", "Invalid parameter: Message too long", 400, errors.DeliveryRejected),
        ("ParameterValueInvalid", "SenderID", 400, errors.DeliveryRejected),
        ("AuthorizationError", "not authorized to perform: SNS:Publish", 403, errors.ChannelMisconfigured),
        ("KMSAccessDenied", "no key", 400, errors.ChannelMisconfigured),
        ("InternalError", "Oops", 500, errors.DeliveryUnknown),
    ],
)
def test_each_answer_of_sns_has_its_meaning(
    client: Any, stub: Stubber, code: str, message: str, status: int, meaning: type[errors.StagebellError]
) -> None:
    stub.add_client_error("publish", code, message, status)

    with pytest.raises(meaning) as caught:
        SnsTexter(client).send(SMS)

    assert type(caught.value) is meaning
    assert "+1" not in caught.value.message


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="https://sns", error="dns"), errors.DeliveryUnavailable),
        (exceptions.ReadTimeoutError(endpoint_url="https://sns", error="slow"), errors.DeliveryUnknown),
    ],
    ids=["never connected", "answer lost"],
)
def test_a_lost_call_is_unknown_unless_it_never_began(
    client: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, meaning: type[errors.StagebellError]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(client, "publish", fail)

    with pytest.raises(meaning):
        SnsTexter(client).send(SMS)


def test_the_client_never_sends_twice_by_itself(client: Any) -> None:
    assert client.meta.config.retries["total_max_attempts"] == 1
