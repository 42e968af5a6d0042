"""What the deployed webhook refuses, and that nothing of it is kept."""

import json
from collections.abc import Callable

import pytest

from local.webhooks import Answer, Source, post
from stagebell.cli.failures import ApiRefused
from tests.local.whole import Whole

STALE = 3600  # seconds; five minutes are allowed


def with_bad_signature(source: Source, body: bytes) -> Answer:
    return source.send(body, webhook_signature="v1,bm90IGEgc2lnbmF0dXJlIG9mIHRoaXMgYm9keSBhdCBhbGw=")


def without_signature(source: Source, body: bytes) -> Answer:
    return source.send(body, webhook_signature="")


def with_stale_timestamp(source: Source, body: bytes) -> Answer:
    return post(source.url, body, source.signature(body, age=STALE))


def signed(source: Source, body: bytes) -> Answer:
    return source.send(body)


def one(whole: Whole, **more: object) -> bytes:
    return json.dumps({**whole.incident(id="INC-REFUSED"), **more}).encode()


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        pytest.param(with_bad_signature, 401, id="signed with another secret"),
        pytest.param(without_signature, 401, id="not signed"),
        pytest.param(with_stale_timestamp, 401, id="signed an hour ago"),
    ],
)
def test_a_webhook_that_is_not_authentic_is_refused(
    whole: Whole, send: Callable[[Source, bytes], Answer], expected: int
) -> None:
    answer = send(whole.source, one(whole))

    assert answer.status == expected
    assert answer.body["code"] == "signature_rejected"
    nothing_is_kept(whole)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(lambda whole: one(whole)[:-1], 400, id="malformed JSON"),
        pytest.param(lambda whole: one(whole, object="nothing"), 422, id="an unknown object"),
        pytest.param(lambda whole: many(whole, 101), 422, id="101 changes"),
        pytest.param(lambda whole: one(whole, pad="x" * 257 * 1024), 413, id="257 KiB"),
        pytest.param(lambda whole: one(whole, occurred_at="2016-05-16T09:00:00"), 422, id="a time without a zone"),
        pytest.param(lambda whole: one(whole, occurred_at="2999-01-01T00:00:00Z"), 422, id="a far future"),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused(whole: Whole, body: Callable[[Whole], bytes], expected: int) -> None:
    answer = whole.source.send(body(whole))

    assert answer.status == expected
    assert answer.body["code"]
    nothing_is_kept(whole)


def test_one_bad_change_refuses_the_whole_request_and_names_its_place(whole: Whole) -> None:
    good, bad = whole.incident(id="INC-REFUSED"), whole.incident(id="INC-REFUSED-2", reassignment_count="many")

    answer = whole.source.send(json.dumps([good, bad]).encode())

    assert answer.status == 422
    assert [problem["path"] for problem in answer.body["problems"]] == ["[1].fields.reassignment_count"]
    nothing_is_kept(whole)


def test_an_unknown_source_is_not_found(whole: Whole) -> None:
    stranger = Source(whole.stack.api_url, "stranger", whole.source.secret)

    assert stranger.send(one(whole)).status == 404


def many(whole: Whole, count: int) -> bytes:
    return json.dumps([whole.incident(id="INC-REFUSED") for _ in range(count)]).encode()


def nothing_is_kept(whole: Whole) -> None:
    whole.settle()
    with pytest.raises(ApiRefused, match="no change"):
        whole.api.get("/v1/records/incident/INC-REFUSED")
