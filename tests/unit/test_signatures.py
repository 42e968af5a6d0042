"""Webhook signatures: the specification's vector, the reference library, and all a sender can get wrong."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from stagebell.domain.errors import InvalidValue, SignatureRejected
from stagebell.domain.signatures import key_of, new_secret, sign, verify

# The vector of the Standard Webhooks specification and its reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

OTHER_SECRET = new_secret(bytes(range(32)))
NOW = datetime.fromtimestamp(TIMESTAMP, UTC)
FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures" / "webhooks" / "standard_webhooks"


def headers(**changed: str | None) -> dict[str, str]:
    values = {"id": ID, "timestamp": str(TIMESTAMP), "signature": SIGNATURE, **changed}
    return {f"webhook-{name}": value for name, value in values.items() if value is not None}


def rejection(given_headers: dict[str, str], *, secrets: tuple[str, ...] = (SECRET,), now: datetime = NOW) -> str:
    with pytest.raises(SignatureRejected) as caught:
        verify(given_headers, BODY, secrets, now)
    return caught.value.message


def test_the_vector_of_the_specification_is_accepted() -> None:
    assert verify(headers(), BODY, [SECRET], NOW) == ID
    assert sign(ID, TIMESTAMP, BODY, SECRET) == SIGNATURE


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the collection of foreign webhook samples is not beside the project")
@pytest.mark.parametrize("name", ["full", "spec_vector", "thin"])
def test_signed_samples_are_accepted(name: str) -> None:
    sample = json.loads((FIXTURES / f"{name}.headers.json").read_text())
    now = datetime.fromtimestamp(int(sample["webhook-timestamp"]), UTC)

    assert verify(sample, (FIXTURES / f"{name}.json").read_bytes(), [sample["_secret"]], now) == sample["webhook-id"]


@given(key=st.binary(min_size=24, max_size=64), body=st.text())
def test_signatures_are_those_of_the_reference_library(key: bytes, body: str) -> None:
    secret, now = new_secret(key), datetime.now(UTC)

    theirs = Webhook(secret).sign("msg_1", now, body)
    ours = sign("msg_1", int(now.timestamp()), body.encode(), secret)

    assert ours == theirs
    Webhook(secret).verify(
        body, headers(id="msg_1", timestamp=str(int(now.timestamp())), signature=ours), json_parse=False
    )


@pytest.mark.parametrize(
    "secrets",
    [
        pytest.param([SECRET, OTHER_SECRET], id="newest"),
        pytest.param([OTHER_SECRET, SECRET], id="older, while a rotation is under way"),
    ],
)
def test_either_active_secret_is_accepted(secrets: list[str]) -> None:
    assert verify(headers(), BODY, secrets, NOW) == ID


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(f"{sign(ID, TIMESTAMP, BODY, OTHER_SECRET)} {SIGNATURE}", id="the sender rotates: one per secret"),
        pytest.param(f"v1a,AAAA {SIGNATURE}", id="an asymmetric signature beside ours"),
        pytest.param(f"v9,{SIGNATURE[3:]} nonsense {SIGNATURE}", id="versions nobody knows yet are passed over"),
    ],
)
def test_one_fitting_signature_among_several_is_enough(signature: str) -> None:
    assert verify(headers(signature=signature), BODY, [SECRET], NOW) == ID


@pytest.mark.parametrize("seconds", [-300, 0, 300], ids=["clock ahead", "exact", "clock behind"])
def test_five_minutes_either_way_are_tolerated(seconds: int) -> None:
    assert verify(headers(), BODY, [SECRET], NOW + timedelta(seconds=seconds)) == ID


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (timedelta(seconds=301), "5 minutes old"),
        (timedelta(seconds=300, milliseconds=1), "5 minutes old"),
        (timedelta(minutes=12), "12 minutes old"),
        (timedelta(hours=5), "5 hours old"),
        (timedelta(days=900), "900 days old"),
        (timedelta(minutes=-7), "7 minutes in the future"),
    ],
)
def test_a_stale_or_future_timestamp_is_told_by_how_much(later: timedelta, told: str) -> None:
    assert told in rejection(headers(), now=NOW + later)


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_a_missing_header_is_named(name: str, value: str | None) -> None:
    assert rejection(headers(**{name: value})) == f"the header webhook-{name} is missing"


@pytest.mark.parametrize(
    "timestamp",
    [
        pytest.param("soon", id="a word"),
        pytest.param("2021-02-25T15:02:10Z", id="an ISO time"),
        pytest.param("1614265330.5", id="a fraction"),
        pytest.param("-1614265330", id="negative"),
        pytest.param("1614265330000000", id="microseconds"),
        pytest.param("१६१४२६५३३०", id="digits of another script"),
        pytest.param(" 1614265330", id="a space"),
        pytest.param("NaN", id="no number"),
    ],
)
def test_a_malformed_timestamp_is_refused(timestamp: str) -> None:
    assert "must be unix time in whole seconds" in rejection(headers(timestamp=timestamp))


def test_a_timestamp_in_milliseconds_is_not_an_authentic_one() -> None:
    assert "in the future" in rejection(headers(timestamp="161426533000"))


@pytest.mark.parametrize(
    "id",
    [
        pytest.param("msg.1", id="the separator of the signed text"),
        pytest.param("m" * 256, id="too long"),
        pytest.param("msg\n1", id="a line break"),
        pytest.param("msg\x00", id="NUL"),
        pytest.param("msg\x7f", id="DEL"),
        pytest.param("msg\ud800", id="half a surrogate pair"),
    ],
)
def test_a_malformed_id_is_refused_before_anything_is_signed(id: str) -> None:
    assert "webhook-id must be 1 to 255 characters" in rejection(headers(id=id))


def test_an_id_of_255_characters_is_accepted() -> None:
    id = "m" * 255

    assert verify(headers(id=id, signature=sign(id, TIMESTAMP, BODY, SECRET)), BODY, [SECRET], NOW) == id


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(sign(ID, TIMESTAMP, BODY, OTHER_SECRET), id="another secret"),
        pytest.param(sign(ID, TIMESTAMP, BODY + b" ", SECRET), id="another body"),
        pytest.param(sign("msg_other", TIMESTAMP, BODY, SECRET), id="another id"),
        pytest.param(sign(ID, TIMESTAMP + 1, BODY, SECRET), id="another time"),
        pytest.param(f"v1a,{SIGNATURE[3:]}", id="right value under a version we do not know"),
        pytest.param(SIGNATURE[3:], id="no version"),
        pytest.param("v1,", id="an empty value"),
        pytest.param("v1", id="no value"),
        pytest.param("v1,Ünicode\ud800", id="not ASCII"),
        pytest.param(SIGNATURE[:-4], id="cut short"),
    ],
)
def test_a_wrong_signature_is_refused_with_what_to_sign(signature: str) -> None:
    assert "sign '<id>.<timestamp>.<body>'" in rejection(headers(signature=signature))


def test_a_source_without_a_secret_accepts_nothing() -> None:
    assert "no secret is configured" in rejection(headers(), secrets=())


def test_a_body_that_is_no_text_can_be_signed() -> None:
    body = b"\xff\x00"

    signed = headers(signature=sign(ID, TIMESTAMP, body, SECRET))

    assert verify(signed, body, [SECRET], NOW) == ID


def test_a_new_secret_is_base64_with_its_prefix() -> None:
    random = bytes(range(32))

    assert new_secret(random) == "whsec_" + base64.b64encode(random).decode()
    assert key_of(new_secret(random)) == random


@pytest.mark.parametrize("length", [0, 23, 65])
def test_a_secret_holds_24_to_64_bytes(length: int) -> None:
    with pytest.raises(InvalidValue, match="24 to 64 bytes"):
        new_secret(bytes(length))


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(SECRET.removeprefix("whsec_"), id="no prefix"),
        pytest.param("whsec_not base64!", id="not base64"),
        pytest.param("whsec_MfKQ", id="too short"),
        pytest.param("whsec_ä", id="not ASCII"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        key_of(secret)

    assert secret not in caught.value.message
