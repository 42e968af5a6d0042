"""Signing secrets in Secrets Manager: two at most, remembered for a while, safe from floods."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from stagebell.adapters.secrets_manager import SecretsManagerSecrets
from stagebell.domain.errors import ChannelMisconfigured, Conflict, DeliveryUnavailable, NotFound, QueueUnavailable
from stagebell.domain.signatures import new_secret
from stagebell.ports.secrets import Secrets
from stagebell.runtime.settings import SecretSettings, SettingWrong

PREFIX = "stagebell/sources/"
BOTH = SecretSettings({"SECRETS_PREFIX": PREFIX, "WEBHOOK_SECRETS_PREFIX": "stagebell/webhooks/"})
FIRST, SECOND, THIRD = (new_secret(bytes([number] * 32)) for number in (1, 2, 3))


class HandClock:
    """Real time moves when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 8, tzinfo=UTC)

    def now(self) -> datetime:
        raise AssertionError("business time does not age secrets")

    def real(self, moment: datetime) -> datetime:
        raise AssertionError("business time does not age secrets")

    def real_now(self) -> datetime:
        return self.moment

    def advance(self, seconds: int) -> None:
        self.moment += timedelta(seconds=seconds)


class Stage:
    """The adapter, its clock, and how often it read."""

    def __init__(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client, self.clock, self.reads = client, HandClock(), 0
        numbers = count(1)
        self.secrets: Secrets = SecretsManagerSecrets(
            client, BOTH, self.clock, lambda size: bytes([next(numbers)] * size)
        )
        read = client.get_secret_value

        def counted(**parameters: Any) -> Any:
            self.reads += 1
            return read(**parameters)

        monkeypatch.setattr(client, "get_secret_value", counted)

    def store(self, source: str, text: str) -> None:
        self.client.create_secret(Name=PREFIX + source, SecretString=text)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with mock_aws():
        client = botocore.session.get_session().create_client("secretsmanager", region_name="eu-central-1")
        yield Stage(client, monkeypatch)


def test_a_source_without_secrets_has_none(stage: Stage) -> None:
    assert stage.secrets.of_source("sales") == ()


def test_the_first_rotation_makes_the_secret(stage: Stage) -> None:
    assert stage.secrets.rotate("sales") == FIRST
    assert stage.secrets.of_source("sales") == (FIRST,)

    stored = stage.client.get_secret_value(SecretId="stagebell/sources/sales")["SecretString"]
    assert json.loads(stored) == {"secrets": [FIRST]}


def test_rotation_keeps_the_newest_old_secret_beside_the_new_one(stage: Stage) -> None:
    made = [stage.secrets.rotate("sales") for _ in range(3)]

    assert made == [FIRST, SECOND, THIRD]
    assert stage.secrets.of_source("sales") == (THIRD, SECOND)


def test_secrets_are_random(stage: Stage) -> None:
    secrets = SecretsManagerSecrets(stage.client, BOTH, stage.clock)

    assert secrets.rotate("sales") != secrets.rotate("sales")


def test_secrets_are_remembered_for_five_minutes(stage: Stage) -> None:
    stage.store("sales", json.dumps({"secrets": [FIRST]}))
    stage.secrets.of_source("sales")
    stage.client.put_secret_value(SecretId=PREFIX + "sales", SecretString=json.dumps({"secrets": [SECOND]}))

    stage.clock.advance(299)
    assert (stage.secrets.of_source("sales"), stage.reads) == ((FIRST,), 1)
    stage.clock.advance(1)
    assert (stage.secrets.of_source("sales"), stage.reads) == ((SECOND,), 2)


def test_a_flood_of_bad_signatures_reads_once_in_30_seconds(stage: Stage) -> None:
    stage.store("sales", json.dumps({"secrets": [FIRST]}))

    for _ in range(60):
        stage.secrets.of_source("sales")
        stage.secrets.of_source("sales", fresh=True)
        stage.clock.advance(1)

    assert stage.reads == 2


def test_a_rotation_elsewhere_is_seen_at_the_first_bad_signature(stage: Stage) -> None:
    stage.store("sales", json.dumps({"secrets": [FIRST]}))
    stage.secrets.of_source("sales")
    stage.client.put_secret_value(SecretId=PREFIX + "sales", SecretString=json.dumps({"secrets": [SECOND, FIRST]}))

    stage.clock.advance(30)

    assert stage.secrets.of_source("sales", fresh=True) == (SECOND, FIRST)


def test_an_unknown_source_is_asked_for_once_in_30_seconds(stage: Stage) -> None:
    for _ in range(60):
        stage.secrets.of_source("nobody")
        stage.secrets.of_source("nobody", fresh=True)
        stage.clock.advance(1)

    assert stage.reads == 2


def test_what_is_remembered_is_bounded(stage: Stage) -> None:
    for number in range(1_001):
        stage.secrets.of_source(f"source-{number}")

    assert len(stage.secrets._sources._cache) <= 1_000  # type: ignore[attr-defined]


@pytest.mark.parametrize("source", ["", "a/b", "../sales", "söurce", "a b", "x" * 257])
def test_a_name_no_secret_can_have_is_never_looked_up(stage: Stage, source: str) -> None:
    assert (stage.secrets.of_source(source), stage.reads) == ((), 0)
    with pytest.raises(NotFound):
        stage.secrets.rotate(source)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("whsec_plain", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"secret": "x"}', id="another key"),
        pytest.param('{"secrets": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}', id="text for a list"),
        pytest.param('{"secrets": ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}', id="no prefix"),
        pytest.param('{"secrets": [7]}', id="a number"),
    ],
)
def test_a_malformed_secret_is_told_without_its_text(stage: Stage, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(stage.client, "get_secret_value", lambda **_: {"SecretString": text})

    with pytest.raises(ChannelMisconfigured, match="stagebell/sources/sales does not hold") as caught:
        stage.secrets.of_source("sales")

    assert "MfKQ" not in caught.value.message
    assert caught.value.__suppress_context__


def test_secrets_that_cannot_be_read_ask_for_the_same_request_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager")

    monkeypatch.setattr(stage.client, "get_secret_value", fail)

    with pytest.raises(QueueUnavailable, match="send the same request again"):
        stage.secrets.of_source("sales")


def test_a_secret_under_deletion_cannot_be_rotated(stage: Stage) -> None:
    stage.secrets.rotate("sales")
    stage.client.delete_secret(SecretId=PREFIX + "sales")

    with pytest.raises(Conflict, match="the secret of source sales could not be changed: InvalidRequestException"):
        stage.secrets.rotate("sales")


def test_a_webhook_and_a_source_of_the_same_name_have_nothing_in_common(stage: Stage) -> None:
    stage.secrets.rotate("sales")
    stage.secrets.rotate_webhook("sales")

    assert stage.secrets.of_source("sales") == (FIRST,)
    assert stage.secrets.of_webhook("sales") == (SECOND,)
    stored = stage.client.get_secret_value(SecretId="stagebell/webhooks/sales")["SecretString"]
    assert json.loads(stored) == {"secrets": [SECOND]}


def test_the_newest_old_secret_of_a_webhook_signs_beside_the_new_one(stage: Stage) -> None:
    made = [stage.secrets.rotate_webhook("billing") for _ in range(3)]

    assert stage.secrets.of_webhook("billing") == (made[2], made[1])


def test_a_webhook_without_secrets_has_none(stage: Stage) -> None:
    assert (stage.secrets.of_webhook("billing"), stage.reads) == ((), 1)


def test_secrets_of_a_webhook_that_cannot_be_read_leave_it_unsent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager")

    monkeypatch.setattr(stage.client, "get_secret_value", fail)

    with pytest.raises(DeliveryUnavailable, match=r"secrets of webhook billing could not be read.*nothing was sent"):
        stage.secrets.of_webhook("billing")


def test_a_function_needs_to_be_told_only_of_the_secrets_that_it_reads(stage: Stage) -> None:
    told = SecretSettings({"WEBHOOK_SECRETS_PREFIX": "stagebell/webhooks/"})
    secrets = SecretsManagerSecrets(stage.client, told, stage.clock)

    assert secrets.of_webhook("billing") == ()
    with pytest.raises(SettingWrong, match="SECRETS_PREFIX"):
        secrets.of_source("sales")
