"""E-mail through SES: the exact request, and what each failure means for the delivery."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.stub import Stubber

from stagebell.adapters.ses import CLIENT_CONFIG, SesMailer, mailbox
from stagebell.domain import errors
from stagebell.ports.messages import Attachment, Email

EMAIL = Email(
    key="dlv_3f8a1c",
    sender="crm@example.com",
    to="ada@example.net",
    subject="Deal won",
    text="Well done",
    html="<p>Well done</p>",
    cc=("boss@example.net",),
    bcc=("archive@example.net",),
    reply_to=("sales@example.com",),
    headers={"List-Unsubscribe": "<mailto:crm@example.com>"},
)
PLAIN = Email(key="dlv_1", sender="crm@example.com", to="ada@example.net", subject="Hello", text="Text")


@pytest.fixture
def client() -> Any:
    session = botocore.session.get_session()
    return session.create_client("sesv2", region_name="eu-central-1", config=Config(**CLIENT_CONFIG))


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub


def request(**changed: Any) -> dict[str, Any]:
    plain = {
        "FromEmailAddress": "crm@example.com",
        "Destination": {"ToAddresses": ["ada@example.net"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "Hello", "Charset": "UTF-8"},
                "Body": {"Text": {"Data": "Text", "Charset": "UTF-8"}},
            }
        },
        "EmailTags": [{"Name": "stagebell-delivery", "Value": "dlv_1"}],
    }
    return plain | changed


def test_an_email_carries_its_tag_headers_and_configuration_set(client: Any, stub: Stubber) -> None:
    expected = {
        "FromEmailAddress": "crm@example.com",
        "Destination": {
            "ToAddresses": ["ada@example.net"],
            "CcAddresses": ["boss@example.net"],
            "BccAddresses": ["archive@example.net"],
        },
        "ReplyToAddresses": ["sales@example.com"],
        "Content": {
            "Simple": {
                "Subject": {"Data": "Deal won", "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": "Well done", "Charset": "UTF-8"},
                    "Html": {"Data": "<p>Well done</p>", "Charset": "UTF-8"},
                },
                "Headers": [{"Name": "List-Unsubscribe", "Value": "<mailto:crm@example.com>"}],
            }
        },
        "EmailTags": [{"Name": "stagebell-delivery", "Value": "dlv_3f8a1c"}],
        "ConfigurationSetName": "stagebell",
    }
    stub.add_response("send_email", {"MessageId": "0102-1"}, expected)

    assert SesMailer(client, "stagebell").send(EMAIL) == "0102-1"


def test_an_attachment_travels_with_its_name_and_type(client: Any, stub: Stubber) -> None:
    invitation = Attachment("invite.ics", "text/calendar; charset=utf-8; method=REQUEST", b"BEGIN:VCALENDAR")
    simple = request()["Content"]["Simple"] | {
        "Attachments": [
            {
                "FileName": "invite.ics",
                "ContentType": "text/calendar; charset=utf-8; method=REQUEST",
                "ContentDisposition": "ATTACHMENT",
                "ContentTransferEncoding": "BASE64",
                "RawContent": b"BEGIN:VCALENDAR",
            }
        ]
    }
    stub.add_response("send_email", {"MessageId": "0102-2"}, request(Content={"Simple": simple}))

    assert SesMailer(client).send(replace(PLAIN, attachments=(invitation,))) == "0102-2"


def test_what_an_email_does_not_have_is_left_out(client: Any, stub: Stubber) -> None:
    stub.add_response("send_email", {"MessageId": "0102-2"}, request())

    assert SesMailer(client).send(PLAIN) == "0102-2"


def test_an_email_may_be_html_only(client: Any, stub: Stubber) -> None:
    simple = {
        "Subject": {"Data": "Hello", "Charset": "UTF-8"},
        "Body": {"Html": {"Data": "<p>Hi</p>", "Charset": "UTF-8"}},
    }
    stub.add_response("send_email", {"MessageId": "0102-3"}, request(Content={"Simple": simple}))

    assert SesMailer(client).send(replace(PLAIN, text="", html="<p>Hi</p>")) == "0102-3"


def test_a_subject_is_one_line(client: Any, stub: Stubber) -> None:
    content = request()["Content"]
    content["Simple"]["Subject"]["Data"] = "Hello Bcc: eve@example.org"
    stub.add_response("send_email", {"MessageId": "0102-4"}, request(Content=content))

    assert SesMailer(client).send(replace(PLAIN, subject="Hello\r\nBcc: eve@example.org")) == "0102-4"


@pytest.mark.parametrize(
    ("code", "message", "status", "meaning"),
    [
        ("TooManyRequestsException", "Maximum sending rate exceeded.", 429, errors.DeliveryThrottled),
        ("ThrottlingException", "Maximum sending rate exceeded", 400, errors.DeliveryThrottled),
        ("ThrottlingException", "Daily message quota exceeded", 400, errors.DeliveryThrottled),
        ("Throttling", "Rate exceeded", 400, errors.DeliveryThrottled),
        ("LimitExceededException", "Too many", 400, errors.DeliveryThrottled),
        ("", "Slow down", 429, errors.DeliveryThrottled),
        ("MessageRejected", "Email address is not verified", 400, errors.DeliveryRejected),
        ("BadRequestException", "Illegal header", 400, errors.DeliveryRejected),
        ("SomethingNew", "No", 400, errors.DeliveryRejected),
        ("SendingPausedException", "Paused", 400, errors.ChannelMisconfigured),
        ("AccountSuspendedException", "Suspended", 400, errors.ChannelMisconfigured),
        ("MailFromDomainNotVerifiedException", "Not verified", 400, errors.ChannelMisconfigured),
        ("NotFoundException", "Configuration set <x> does not exist.", 404, errors.ChannelMisconfigured),
        ("AccessDeniedException", "not authorized to perform: ses:SendEmail", 403, errors.ChannelMisconfigured),
        ("ExpiredTokenException", "expired", 403, errors.ChannelMisconfigured),
        ("SomethingNewForbidden", "No", 403, errors.ChannelMisconfigured),
        ("InternalServiceErrorException", "Oops", 500, errors.DeliveryUnknown),
        ("InternalFailure", "Oops", 500, errors.DeliveryUnknown),
        ("ServiceUnavailable", "Gone", 503, errors.DeliveryUnknown),
        ("", "Bad gateway", 502, errors.DeliveryUnknown),
    ],
)
def test_each_answer_of_ses_has_its_meaning(
    client: Any, stub: Stubber, code: str, message: str, status: int, meaning: type[errors.StagebellError]
) -> None:
    stub.add_client_error("send_email", code, message, status)

    with pytest.raises(meaning) as caught:
        SesMailer(client).send(PLAIN)

    assert type(caught.value) is meaning
    assert caught.value.message == f"SES answered {code or status}: {message}"


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="https://ses", error="dns"), errors.DeliveryUnavailable),
        (exceptions.ConnectTimeoutError(endpoint_url="https://ses", error="slow"), errors.DeliveryUnavailable),
        (exceptions.ProxyConnectionError(proxy_url="http://proxy", error="refused"), errors.DeliveryUnavailable),
        (exceptions.ReadTimeoutError(endpoint_url="https://ses", error="slow"), errors.DeliveryUnknown),
        (exceptions.ConnectionClosedError(endpoint_url="https://ses", error="closed"), errors.DeliveryUnknown),
        (exceptions.SSLError(endpoint_url="https://ses", error="broken"), errors.DeliveryUnknown),
        (exceptions.HTTPClientError(error="anything"), errors.DeliveryUnknown),
        (exceptions.NoCredentialsError(), errors.ChannelMisconfigured),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_a_lost_call_is_unknown_unless_it_never_began(
    client: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, meaning: type[errors.StagebellError]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(client, "send_email", fail)

    with pytest.raises(meaning) as caught:
        SesMailer(client).send(PLAIN)

    assert caught.value.__cause__ is error


def test_what_the_client_itself_refuses_was_not_sent(client: Any) -> None:
    with pytest.raises(errors.DeliveryRejected):
        SesMailer(client).send(replace(PLAIN, headers={"X": 1}))  # type: ignore[dict-item]


def test_the_client_never_sends_twice_by_itself(client: Any) -> None:
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (3, 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ada@example.net", "ada@example.net", id="plain"),
        pytest.param("o'hara+crm@example.net", "o'hara+crm@example.net", id="signs"),
        pytest.param("ada@münchen.example", "ada@xn--mnchen-3ya.example", id="an international domain"),
        pytest.param("ada@例子.example", "ada@xn--fsqu00a.example", id="a Chinese domain"),
        pytest.param("Stage Bell <crm@example.com>", "Stage Bell <crm@example.com>", id="a display name"),
        pytest.param("Jörg <crm@example.com>", "=?utf-8?b?SsO2cmc=?= <crm@example.com>", id="an encoded name"),
        pytest.param('"Doe, J." <crm@example.com>', '"Doe, J." <crm@example.com>', id="a quoted name"),
    ],
)
def test_an_address_is_written_as_ses_takes_it(text: str, expected: str) -> None:
    assert mailbox(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("ada", id="no domain"),
        pytest.param("@example.net", id="no name"),
        pytest.param("ada@", id="an empty domain"),
        pytest.param("ada@example.net, eve@example.org", id="two addresses"),
        pytest.param("ada@example.net\r\nBcc: eve@example.org", id="a header smuggled in"),
        pytest.param("Team: ada@example.net;", id="a group"),
        pytest.param("ada(comment)@example.net", id="a comment"),
        pytest.param("jörg@example.net", id="a name outside ASCII"),
        pytest.param("ada@straße.example", id="a letter that the old encoding would turn into another domain"),
        pytest.param("ada@" + "ü" * 64 + ".example", id="a label too long"),
        pytest.param("ada@ü..example", id="an empty label"),
    ],
)
def test_an_address_ses_cannot_deliver_to_is_never_offered(text: str) -> None:
    with pytest.raises(errors.RecipientUnreachable) as caught:
        mailbox(text)

    assert not text or text not in caught.value.message
