"""The webhook, with real requests: what is taken is queued, what is refused says why, and then nothing is queued."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from functions.receive_change.app import lambda_handler
from stagebell.adapters.memory.queue import MemoryQueue
from stagebell.adapters.memory.secrets import MemorySecrets
from stagebell.domain.errors import QueueUnavailable
from stagebell.domain.fields import FIELD_TYPES
from stagebell.domain.signatures import new_secret, sign
from stagebell.runtime import wiring
from stagebell.services.receive import BODY_LIMIT, Receiver
from stagebell.services.shelves import Shelves
from tests.stage import DEAL, Stage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLD, NEW, OTHER = (new_secret(bytes([number]) * 32) for number in (1, 2, 3))
CONTEXT = SimpleNamespace(
    function_name="stagebell-receive-change",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:stagebell-receive-change",
    aws_request_id="7c1f4c3e-0000-4000-8000-000000000000",
)
STRICT = {
    "kind": "object",
    "name": "strict",
    "fields": {
        "text": {"type": "text", "required": True},
        "integer": {"type": "integer"},
        "decimal": {"type": "decimal"},
        "currency": {"type": "currency", "currency": "EUR"},
        "boolean": {"type": "boolean"},
        "select": {"type": "select", "options": ["a", "b"]},
        "multi_select": {"type": "multi_select", "options": ["a", "b"]},
        "date": {"type": "date"},
        "datetime": {"type": "datetime"},
        "reference": {"type": "reference", "object": "user"},
        "email": {"type": "email"},
        "phone": {"type": "phone"},
        "url": {"type": "url"},
    },
}
GOOD = {
    "object": "deal",
    "id": "d1",
    "type": "updated",
    "occurred_at": "2026-03-02T09:00:00Z",
    "fields": {"name": "Acme"},
}


class Clock:
    def now(self) -> datetime:
        return NOW

    def real_now(self) -> datetime:
        return NOW

    def real(self, moment: datetime) -> datetime:
        return moment


class BrokenQueue(MemoryQueue):
    def send(self, changes: Any) -> None:
        raise QueueUnavailable("the queue did not take the changes: send the same request again")


@dataclass
class Crm:
    """A source that posts to the deployed handler."""

    queue: MemoryQueue = field(default_factory=MemoryQueue)
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets({"crm": [NEW, OLD]}))

    def __post_init__(self) -> None:
        stage = Stage(STRICT, {"kind": "source", "name": "crm", "format": "stagebell"})
        self.stage = stage
        self.receiver = Receiver(Shelves(stage.offline.definitions), self.secrets, self.queue, Clock())

    def post(self, body: Any, *, raw: bool = False, **changed: Any) -> "Answer":
        """`headers` and `event` replace what a well-behaved sender would send; `secret`, `id` and `at` go into it."""
        content = body if raw else json.dumps(body, default=_number).encode()
        id, at = changed.get("id", "msg_1"), changed.get("at", NOW)
        timestamp = int(at.timestamp())
        headers = {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(id, timestamp, content, changed.get("secret", NEW)),
        }
        event = {
            "version": "2.0",
            "routeKey": "POST /v1/sources/{source}/changes",
            "rawPath": "/v1/sources/crm/changes",
            "pathParameters": {"source": changed.get("source", "crm")},
            "headers": {**headers, **changed.get("headers", {})},
            "requestContext": {"http": {"method": "POST", "path": "/v1/sources/crm/changes"}},
            **_body(content, changed.get("base64", False)),
        }
        for name in changed.get("without", ()):
            del event["headers"][name]
        answer = lambda_handler({**event, **changed.get("event", {})}, CONTEXT)
        return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"]), len(self.queue.changes))


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def _body(content: bytes, encoded: bool) -> Mapping[str, Any]:
    try:
        text = None if encoded else content.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None:
        return {"body": text, "isBase64Encoded": False}
    return {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    queued: int

    @property
    def problems(self) -> list[tuple[str, str]]:
        return [(problem["path"], problem["rule"]) for problem in self.body["problems"]]


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    made = Crm()
    monkeypatch.setattr(wiring, "receiver", lambda: made.receiver)
    yield made


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.body["code"], answer.body["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["type"] == f"urn:stagebell:problem:{code}"
    assert answer.body["detail"]
    assert answer.queued == 0, "nothing is queued of what is refused"


# --- taken ----------------------------------------------------------------------------------------------------------


def test_one_change_is_taken_and_its_id_told(crm):
    answer = crm.post(GOOD)

    assert (answer.status, answer.body, answer.queued) == (202, {"changes": ["crm:msg_1"]}, 1)
    assert crm.queue.changes[0].fields == {"name": "Acme"}


def test_a_list_is_taken_in_its_order_with_ids_of_its_own(crm):
    answer = crm.post([GOOD, GOOD | {"change_id": "c-9", "id": 7}])

    assert answer.body == {"changes": ["crm:msg_1:0", "crm:c-9"]}
    assert [change.key.id for change in crm.queue.changes] == ["d1", "7"]


def test_the_same_delivery_again_gets_the_same_ids_so_that_it_is_applied_once(crm):
    assert crm.post(GOOD).body == crm.post(GOOD, at=NOW + timedelta(minutes=1)).body


@pytest.mark.parametrize("secret", [NEW, OLD], ids=["the new secret", "the old secret"])
def test_both_active_secrets_are_accepted_while_they_are_rotated(crm, secret):
    assert crm.post(GOOD, secret=secret).status == 202


def test_one_of_several_signatures_is_enough(crm):
    content = json.dumps(GOOD).encode()
    timestamp = int(NOW.timestamp())
    several = " ".join(sign("msg_1", timestamp, content, secret) for secret in (OTHER, OLD))

    assert crm.post(content, raw=True, headers={"webhook-signature": f"v1a,xyz {several}"}).status == 202


def test_a_body_in_base64_is_signed_over_its_bytes(crm):
    assert crm.post(GOOD, base64=True).status == 202


def test_header_names_may_come_in_any_case(crm):
    answer = crm.post(GOOD)
    assert answer.status == 202
    content, timestamp = json.dumps(GOOD).encode(), int(NOW.timestamp())
    shouting = {
        "Webhook-Id": "m",
        "WEBHOOK-TIMESTAMP": str(timestamp),
        "Webhook-Signature": sign("m", timestamp, content, NEW),
    }

    assert crm.post(content, raw=True, event={"headers": shouting}).status == 202


def test_text_of_every_script_is_taken_as_it_is(crm):
    name = "Zoë 王 😀 \u2028 \\u0000"

    assert crm.post(GOOD | {"fields": {"name": name}}).status == 202
    assert crm.queue.changes[0].fields["name"] == name


def test_numbers_keep_every_digit(crm):
    numbers = b'{"amount":0.1,"share":12345678901234567890.123456789}'
    body = json.dumps(GOOD | {"fields": None}).encode().replace(b"null", numbers)

    assert crm.post(body, raw=True).status == 202
    assert crm.queue.changes[0].fields == {"amount": "0.1", "share": "12345678901234567890.123456789"}


def test_a_hundred_changes_are_taken_and_a_body_of_just_the_limit(crm):
    assert crm.post([GOOD] * 100).queued == 100
    content = json.dumps(GOOD).encode()

    assert crm.post(content + b" " * (BODY_LIMIT - len(content)), raw=True).status == 202


def test_a_new_object_is_known_as_soon_as_it_is_used(crm):
    crm.post(GOOD)
    crm.stage.activate({**DEAL, "name": "offer", "alias": ""})
    crm.receiver._looked_at = NOW - timedelta(seconds=2)

    assert crm.post(GOOD | {"object": "offer"}).status == 202


# --- who sends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "told", "reason"),
    [
        ({"secret": OTHER}, "fits the body", "another secret"),
        ({"headers": {"webhook-signature": "v1,bm9uc2Vuc2U="}}, "fits the body", "nonsense"),
        ({"headers": {"webhook-signature": "ünsinn"}}, "fits the body", "no signature at all"),
        ({"headers": {"webhook-id": "msg_2"}}, "fits the body", "the id is signed too"),
        ({"headers": {"webhook-id": "a.b"}}, "webhook-id", "a dot would let parts be shifted"),
        ({"headers": {"webhook-id": "x" * 256}}, "webhook-id", "too long"),
        ({"headers": {"webhook-timestamp": "soon"}}, "unix time", "no time"),
        ({"headers": {"webhook-timestamp": "9" * 40}}, "unix time", "beyond all time"),
        ({"headers": {"webhook-timestamp": "1"}}, "old", "1970"),
        ({"at": NOW - timedelta(seconds=301)}, "minutes old", "a replay"),
        ({"at": NOW + timedelta(seconds=301)}, "in the future", "a clock that is ahead"),
        ({"without": ["webhook-id"]}, "webhook-id is missing", "no id"),
        ({"without": ["webhook-timestamp"]}, "webhook-timestamp is missing", "no time"),
        ({"without": ["webhook-signature"]}, "webhook-signature is missing", "no signature"),
        ({"event": {"headers": None}}, "webhook-id is missing", "no headers at all"),
        ({"event": {"body": json.dumps(GOOD) + " "}}, "fits the body", "a space too many"),
        ({"event": {"body": None}}, "fits the body", "no body"),
        ({"event": {"body": "not base64!", "isBase64Encoded": True}}, "fits the body", "broken base64"),
    ],
)
def test_a_request_that_is_not_signed_by_the_source_is_refused(crm, changed, told, reason):
    answer = crm.post(GOOD, **changed)

    refused(answer, 401, "signature_rejected")
    assert told in answer.body["detail"], reason


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_are_allowed_both_ways(crm, seconds):
    assert crm.post(GOOD, at=NOW + timedelta(seconds=seconds)).status == 202


@pytest.mark.parametrize("source", ["erp", "", "../crm", "x" * 500, "crm\x00", "\ud800"])
def test_a_source_that_is_not_active_is_not_found(crm, source):
    refused(crm.post(GOOD, source=source), 404, "not_found")


def test_a_source_without_a_secret_accepts_nothing(crm, monkeypatch):
    monkeypatch.setattr(crm.secrets, "_sources", {})

    refused(crm.post(GOOD), 401, "signature_rejected")


# --- what is no JSON ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told", "reason"),
    [
        (b"", "not JSON", "nothing"),
        (b"{", "line 1, column 2", "cut off"),
        (b"{'object': 'deal'}", "not JSON", "quotes of another language"),
        (b'{"a": 1,}', "not JSON", "a comma too many"),
        (b'{"a": 1} {"b": 2}', "not JSON", "two documents"),
        (b'{"a": "\xff"}', "not UTF-8 (byte 7)", "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8", "half a surrogate pair in UTF-8"),
        (b'{"a": "\x00"}', "not JSON", "NUL as it is"),
        (b'{"a": NaN}', "NaN is not a JSON number", "not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number", "without an end"),
        (b'{"id": 1, "id": 2}', "the key 'id' twice", "one key twice"),
        (b'[{"fields": {"a": 1, "a": 2}}]', "twice", "further down too"),
        (b"[" * 100_000, "too deeply", "a hundred thousand levels"),
        (b"[" * 40 + b"]" * 40, "deeper than 32", "forty levels"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "too many digits", "ten thousand digits"),
        (b'{"a": 1e999999999999999999999}', "too many digits", "an exponent beyond all numbers"),
    ],
)
def test_a_body_that_is_no_json_is_malformed(crm, body, told, reason):
    answer = crm.post(body, raw=True)

    refused(answer, 400, "malformed_body")
    assert told in answer.body["detail"], reason


def test_a_byte_order_mark_is_signed_with_the_body_and_is_no_part_of_the_change(crm):
    answer = crm.post(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), raw=True)

    assert answer.status == 202


def test_a_body_over_256_kib_is_too_large_whoever_sends_it(crm):
    large = b" " * (257 * 1024)

    refused(crm.post(large, raw=True), 413, "body_too_large")
    refused(crm.post(large, raw=True, secret=OTHER), 413, "body_too_large")


# --- what is no change ----------------------------------------------------------------------------------------------


def with_field(name: str, value: bytes) -> bytes:
    head = b'{"object":"strict","id":"s1","type":"updated","occurred_at":"2026-03-02T09:00:00Z","fields":{"'
    return head + name.encode() + b'":' + value + b"}}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", b"5"),
        ("text", b'"a\\u0000b"'),
        ("text", b'"\\ud800"'),
        ("text", b'"\\udc00\\ud800"'),
        ("integer", b"5.5"),
        ("integer", b'"5"'),
        ("integer", b"true"),
        ("integer", b"9223372036854775808"),
        ("integer", b"1e999999"),
        ("integer", b"1e9999999999"),
        ("integer", b"9" * 4_000),
        ("decimal", b'"a lot"'),
        ("decimal", b"1e999999"),
        ("decimal", b"1e-999999"),
        ("decimal", b"9" * 4_000),
        ("currency", b"[5]"),
        ("boolean", b'"true"'),
        ("boolean", b"1"),
        ("select", b'"c"'),
        ("multi_select", b'"a"'),
        ("multi_select", b'["a",["b"]]'),
        ("date", b'"2026-02-30"'),
        ("datetime", b'"2026-03-02T09:00:00"'),
        ("reference", b"true"),
        ("email", b'"nobody"'),
        ("phone", b'"call me"'),
        ("url", b'"ftp://example.com"'),
    ],
)
def test_a_value_of_the_wrong_type_is_named(crm, name, value):
    answer = crm.post(with_field(name, value), raw=True)

    refused(answer, 422, "invalid_input")
    assert answer.problems == [(f"fields.{name}", name)]


def test_every_field_type_has_a_wrong_value_above():
    assert set(FIELD_TYPES) == set(STRICT["fields"])


@pytest.mark.parametrize(
    ("more", "problem", "reason"),
    [
        ({"object": "dael"}, ("object", "known_object"), "an unknown object"),
        ({"object": "\ud800"}, ("object", "known_object"), "one that is no text"),
        ({"id": None}, ("id", "text"), "no id"),
        ({"id": "d\x00"}, ("id", "text"), "NUL in the id"),
        ({"id": "\ud83d"}, ("id", "text"), "half a surrogate pair in the id"),
        ({"change_id": "\udc00"}, ("change_id", "text"), "and in the change's"),
        ({"fields": {"nmae": "x"}}, ("fields.nmae", "known_field"), "an unknown field"),
        ({"fields": {"na\x00me": "x"}}, ("fields.na\\x00me", "known_field"), "NUL in a name"),
        ({"fields": {"\ud800": "x"}}, ("fields.\\ud800", "known_field"), "half a pair in a name"),
        ({"\ud800": 1}, ("\\ud800", "unknown_key"), "and in a key"),
        ({"occurred_at": "2026-03-02T09:00:00"}, ("occurred_at", "instant"), "a naive time"),
        ({"occurred_at": "2026-03-02T09:05:01Z"}, ("occurred_at", "not_in_the_future"), "the future"),
        ({"occurred_at": "9999-12-31T23:59:59-12:00"}, ("occurred_at", "instant"), "beyond the last year"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, ("occurred_at", "not_before_1900"), "the year 1"),
        ({"type": "upserted"}, ("type", "choice"), "an unknown type"),
        ({"mode": "fast"}, ("mode", "choice"), "an unknown mode"),
        ({"sequence": 10**3_000}, ("sequence", "integer"), "three thousand digits"),
    ],
)
def test_what_is_no_change_is_named(crm, more, problem, reason):
    answer = crm.post(GOOD | more)

    refused(answer, 422, "invalid_input")
    assert answer.problems == [problem], reason


def test_a_created_record_needs_what_its_object_requires(crm):
    answer = crm.post(GOOD | {"object": "strict", "type": "created", "fields": {}})

    assert answer.problems == [("fields.text", "required")]


@pytest.mark.parametrize("count", [0, 101])
def test_a_request_holds_one_to_a_hundred_changes(crm, count):
    answer = crm.post([GOOD] * count)

    refused(answer, 422, "invalid_input")
    assert answer.problems == [("", "changes_per_request")]


@pytest.mark.parametrize("body", [5, "text", None, True, [5], [[]]])
def test_what_is_no_object_is_no_change(crm, body):
    refused(crm.post(body), 422, "invalid_input")


def test_all_problems_of_all_changes_are_told_at_once_and_the_good_ones_wait(crm):
    broken = {"object": "deal", "type": "made", "fields": {"amount": "many", "tags": ["warm"], "x": 1}, "previous": 5}

    answer = crm.post([GOOD, broken, GOOD, GOOD | {"id": ""}])

    refused(answer, 422, "invalid_input")
    assert sorted(answer.problems) == [
        ("[1].fields.amount", "currency"),
        ("[1].fields.tags", "multi_select"),
        ("[1].fields.x", "known_field"),
        ("[1].id", "text"),
        ("[1].occurred_at", "instant"),
        ("[1].previous", "type"),
        ("[1].type", "choice"),
        ("[3].id", "text"),
    ]
    assert "7 more" in answer.body["detail"]


# --- what is not the sender's fault ----------------------------------------------------------------------------------


def test_a_queue_that_takes_nothing_asks_the_sender_to_come_again(crm):
    crm.receiver.queue = BrokenQueue()

    answer = crm.post(GOOD)

    refused(answer, 503, "queue_unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_a_refusal_does_not_repeat_what_was_sent_at_length(crm):
    answer = crm.post(GOOD | {"fields": {"amount": "secret " * 1_000}})

    assert len(json.dumps(answer.body)) < 1_000


def test_nothing_of_a_body_or_a_secret_is_logged(crm, caplog):
    crm.post(GOOD | {"fields": {"name": "Ada Lovelace", "amount": "many"}})
    crm.post(GOOD | {"fields": {"name": "Ada Lovelace"}})

    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "changes_refused" in logged and "changes_accepted" in logged
    assert "Lovelace" not in logged and "whsec" not in logged and "webhook-signature" not in logged
