"""Functions of the customer's on Lambda: the exact request, and what each answer and failure means."""

import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import Stubber

from stagebell.adapters.invocations import ANSWER_LIMIT, PAYLOAD_LIMIT
from stagebell.adapters.lambda_functions import CLIENT_CONFIG, LambdaFunctions
from stagebell.adapters.memory.functions import MemoryFunctions
from stagebell.domain import errors
from stagebell.ports.calls import Functions
from stagebell.runtime import wiring

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:credit-check:live"
PAYLOAD = {"version": 1, "name": "Müller"}


@pytest.fixture(scope="module")
def client() -> Any:
    config = Config(**{**CLIENT_CONFIG, "read_timeout": 7})
    return botocore.session.get_session().create_client("lambda", region_name="eu-central-1", config=config)


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub


@pytest.fixture
def functions(client: Any) -> Functions:
    return LambdaFunctions(lambda seconds: client)


def answered(text: str, **more: Any) -> dict[str, Any]:
    raw = text.encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(raw), len(raw)), **more}


def test_a_function_is_invoked_once_and_its_answer_waited_for(stub: Stubber, functions: Functions) -> None:
    body = '{"version": 1, "name": "Müller"}'.encode()
    expected = {"FunctionName": ARN, "InvocationType": "RequestResponse", "Payload": body}
    stub.add_response("invoke", answered('{"set": {"share": 0.1, "count": 3}}'), expected)

    answer = functions.invoke(ARN, PAYLOAD, 7)

    assert answer == {"set": {"share": Decimal("0.1"), "count": 3}}
    assert isinstance(answer["set"]["share"], Decimal)


@pytest.mark.parametrize("text", ["null", ""])
def test_a_function_that_answers_nothing_answers_none(stub: Stubber, functions: Functions, text: str) -> None:
    stub.add_response("invoke", answered(text))

    assert functions.invoke(ARN, PAYLOAD, 7) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON"),
        ("<html>", "no JSON at all"),
        ('{"a": NaN}', "no number of JSON"),
        ('{"a": 1e999999999999999999999}', "a number nobody can hold"),
        ('{"a": ' + "9" * 5_000 + "}", "a whole number nobody can hold"),
        ("[" * 100_000, "nested without end"),
        ('"' + "x" * ANSWER_LIMIT + '"', "too large"),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(stub: Stubber, functions: Functions, text: str, reason: str) -> None:
    stub.add_response("invoke", answered(text))

    with pytest.raises(errors.DeliveryRejected):
        functions.invoke(ARN, PAYLOAD, 7)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (
            '{"errorType": "KeyError", "errorMessage": "\'amount\'", "stackTrace": ["secret"]}',
            "raised KeyError: 'amount'",
        ),
        ('{"errorMessage": "Task timed out after 3.00 seconds"}', "raised an error: Task timed out after 3.00 seconds"),
        ('{"errorType": "Runtime.ExitError"}', "raised Runtime.ExitError: without a message"),
        ("null", "raised an error: without a message"),
        ("not json", "raised an error: without a message"),
    ],
)
def test_a_function_that_raised_is_refused_with_what_it_said(
    stub: Stubber, functions: Functions, payload: str, said: str
) -> None:
    stub.add_response("invoke", answered(payload, FunctionError="Unhandled"))

    with pytest.raises(errors.DeliveryRejected) as caught:
        functions.invoke(ARN, PAYLOAD, 7)

    assert said in caught.value.message
    assert "secret" not in caught.value.message


def test_what_a_function_says_of_its_error_is_bounded(stub: Stubber, functions: Functions) -> None:
    told = json.dumps({"errorType": "E" * 1_000, "errorMessage": "m" * 10_000})
    stub.add_response("invoke", answered(told, FunctionError="Unhandled"))

    with pytest.raises(errors.DeliveryRejected) as caught:
        functions.invoke(ARN, PAYLOAD, 7)

    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    ("code", "status", "meaning", "reason"),
    [
        ("TooManyRequestsException", 429, errors.DeliveryThrottled, "its concurrency is used up"),
        ("EC2ThrottledException", 502, errors.DeliveryUnavailable, "it was not started"),
        ("ENILimitReachedException", 502, errors.DeliveryUnavailable, "it was not started"),
        ("ResourceConflictException", 409, errors.DeliveryUnavailable, "it is being updated"),
        ("SnapStartNotReadyException", 409, errors.DeliveryUnavailable, "it is being made ready"),
        ("ResourceNotFoundException", 404, errors.ChannelMisconfigured, "no such function"),
        ("AccessDeniedException", 403, errors.ChannelMisconfigured, "not granted"),
        ("KMSAccessDeniedException", 502, errors.ChannelMisconfigured, "its environment cannot be read"),
        ("InvalidRuntimeException", 502, errors.ChannelMisconfigured, "its runtime is gone"),
        ("RequestTooLargeException", 413, errors.DeliveryRejected, "too much to tell"),
        ("InvalidRequestContentException", 400, errors.DeliveryRejected, "not taken"),
        ("ServiceException", 500, errors.DeliveryUnknown, "nobody says whether it ran"),
    ],
)
def test_each_failure_of_lambda_has_its_meaning(
    stub: Stubber, functions: Functions, code: str, status: int, meaning: type[errors.StagebellError], reason: str
) -> None:
    stub.add_client_error("invoke", code, "because", status)

    with pytest.raises(errors.StagebellError) as caught:
        functions.invoke(ARN, PAYLOAD, 7)

    assert type(caught.value) is meaning, reason


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_function_that_may_not_be_invoked_is_told_with_what_to_grant(
    stub: Stubber, functions: Functions, code: str
) -> None:
    stub.add_client_error("invoke", code, "User is not authorized", 403)

    with pytest.raises(errors.ChannelMisconfigured, match="CustomerFunctions") as caught:
        functions.invoke(ARN, PAYLOAD, 7)

    assert ARN in caught.value.message and code in caught.value.message


@pytest.mark.parametrize(
    ("error", "meaning", "said"),
    [
        (exceptions.ReadTimeoutError(endpoint_url="https://lambda"), errors.DeliveryUnknown, "did not answer in 7 s"),
        (exceptions.ConnectionClosedError(endpoint_url="https://lambda"), errors.DeliveryUnknown, "may"),
        (
            exceptions.EndpointConnectionError(endpoint_url="https://lambda", error="dns"),
            errors.DeliveryUnavailable,
            "could not be reached",
        ),
        (exceptions.NoCredentialsError(), errors.ChannelMisconfigured, "cannot be called"),
    ],
    ids=["no answer in time", "hung up", "never connected", "no credentials"],
)
def test_a_call_without_an_answer_may_have_run_unless_it_never_began(
    client: Any,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    meaning: type[errors.StagebellError],
    said: str,
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(client, "invoke", fail)

    with pytest.raises(meaning, match=said):
        functions.invoke(ARN, PAYLOAD, 7)


class Unused:
    invoke = None


@pytest.mark.parametrize(
    "functions", [LambdaFunctions(lambda _: Unused()), MemoryFunctions({ARN: print})], ids=["Lambda", "memory"]
)
def test_more_than_a_function_can_be_told_is_refused_before_anything_is_sent(functions: Functions) -> None:
    with pytest.raises(errors.DeliveryRejected, match="bytes"):
        functions.invoke(ARN, {"text": "x" * PAYLOAD_LIMIT}, 7)


def test_the_function_in_memory_sees_and_answers_json_as_the_real_one_does() -> None:
    seen: list[Any] = []

    def handler(event: dict[str, Any], context: None) -> Any:
        seen.append(event)
        return {"share": 0.1, "pair": (1, 2)}

    functions = MemoryFunctions({ARN: handler})

    assert functions.invoke(ARN, {"pair": (1, 2)}, 7) == {"share": Decimal("0.1"), "pair": [1, 2]}
    assert seen == [{"pair": [1, 2]}]
    with pytest.raises(errors.ChannelMisconfigured):
        functions.invoke("arn:other", {}, 7)


def test_a_client_waits_as_long_as_the_definition_says_and_never_sends_twice_by_itself() -> None:
    short, long = wiring._waiting_client(3), wiring._waiting_client(60)

    assert (short.meta.config.read_timeout, long.meta.config.read_timeout) == (3, 60)
    assert short.meta.config.retries["total_max_attempts"] == 1
    assert wiring._waiting_client(3) is short
