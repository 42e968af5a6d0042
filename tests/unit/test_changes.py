"""Reading changes: what a source may say, and every problem of what it may not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stagebell.domain.changes import CLOCK_SKEW, RecordKey, read_changes
from stagebell.domain.errors import InvalidInput
from stagebell.domain.objects import read_object, with_built_ins
from tests.stage import ACCOUNT, DEAL

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STRICT = {**DEAL, "name": "strict", "fields": {**DEAL["fields"], "name": {"type": "text", "required": True}}}
SCHEMA = with_built_ins({d["name"]: read_object(d) for d in (DEAL, ACCOUNT, STRICT)})
GOOD = {
    "object": "deal",
    "id": "d1",
    "type": "updated",
    "occurred_at": "2026-03-02T09:00:00Z",
    "fields": {"name": "Acme"},
}


def read(body: Any):
    return read_changes(body, source="crm", delivery="msg_1", schema=SCHEMA, now=NOW)


def problems_of(body: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        read(body)
    return [(problem.path, problem.rule) for problem in refused.value.problems]


def test_a_change_says_what_happened_to_which_record_and_when():
    body = GOOD | {
        "fields": {"name": "Acme", "amount": Decimal("12.50"), "tags": ["cold", "hot"], "owner": 7},
        "previous": {"amount": 10},
        "sequence": 3,
        "actor": "u9",
        "change_id": "c-1",
        "mode": "quiet",
        "occurred_at": "2026-03-02T10:00:00+01:00",
    }

    (change,) = read(body)

    assert (change.id, change.source, change.key, change.type) == ("crm:c-1", "crm", RecordKey("deal", "d1"), "updated")
    assert change.occurred_at == NOW
    assert change.fields == {"name": "Acme", "amount": "12.5", "tags": ["hot", "cold"], "owner": "7"}
    assert (change.previous, change.sequence, change.actor, change.mode) == ({"amount": "10"}, 3, "u9", "quiet")


def test_a_change_without_an_id_is_named_by_its_delivery_and_its_place():
    assert [c.id for c in read(GOOD)] == ["crm:msg_1"]
    assert [c.id for c in read([GOOD, GOOD | {"change_id": "c-1"}])] == ["crm:msg_1:0", "crm:c-1"]


def test_ids_may_be_numbers():
    (change,) = read(GOOD | {"id": 42, "actor": 7})

    assert (change.key.id, change.actor) == ("42", "7")


@pytest.mark.parametrize(
    ("more", "words", "reason"),
    [
        ({"fields": {"nmae": 1}}, "did you mean name?", "a slip of the pen"),
        ({"object": None}, "say which object", "nothing is not a name that nobody knows"),
        ({"occurred_at": "2026-03-02T09:06:00Z"}, "2026-03-02T09:00:00Z", "whose clock is wrong shows with both times"),
    ],
)
def test_a_problem_says_what_to_do(more, words, reason):
    with pytest.raises(InvalidInput) as found:
        read(GOOD | more)

    assert words in found.value.problems[0].message, reason


def test_a_problem_of_the_whole_has_no_place():
    with pytest.raises(InvalidInput, match=r"^a request holds 1 to 100 changes"):
        read([])


@pytest.mark.parametrize("missing", ["fields", "previous", "sequence", "actor", "change_id", "mode"])
def test_what_may_be_missing_may_be_null_as_well(missing):
    body = {key: value for key, value in GOOD.items() if key != missing}
    if missing == "mode":
        (change,) = read(body)
        assert change.mode == "run"
    else:
        assert read(body | {missing: None}) == read(body)


@pytest.mark.parametrize(
    ("more", "problem", "reason"),
    [
        ({"object": "dael"}, ("object", "known_object"), "an object nobody has declared"),
        ({"object": None}, ("object", "known_object"), "no object"),
        ({"object": ["deal"]}, ("object", "known_object"), "a list is no name"),
        ({"id": None}, ("id", "text"), "no id"),
        ({"id": ""}, ("id", "text"), "an empty id"),
        ({"id": True}, ("id", "text"), "a boolean is no id"),
        ({"id": Decimal("1.5")}, ("id", "text"), "a fraction is no id"),
        ({"id": "a\x00b"}, ("id", "text"), "NUL"),
        ({"id": "a\nb"}, ("id", "text"), "a line feed"),
        ({"id": "\ud800"}, ("id", "text"), "half a surrogate pair"),
        ({"id": "x" * 257}, ("id", "text"), "too long"),
        ({"type": "changed"}, ("type", "choice"), "no such type"),
        ({"type": None}, ("type", "choice"), "no type"),
        ({"type": ["updated"]}, ("type", "choice"), "a list is no type"),
        ({"mode": "loud"}, ("mode", "choice"), "no such mode"),
        ({"mode": {}}, ("mode", "choice"), "an object is no mode"),
        ({"occurred_at": None}, ("occurred_at", "instant"), "no time"),
        ({"occurred_at": "2026-03-02T09:00:00"}, ("occurred_at", "instant"), "a naive time"),
        ({"occurred_at": "2026-03-02"}, ("occurred_at", "instant"), "a day"),
        ({"occurred_at": 1_772_000_000}, ("occurred_at", "instant"), "unix time"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, ("occurred_at", "instant"), "before the year 1 in UTC"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, ("occurred_at", "not_before_1900"), "a date nobody means"),
        ({"occurred_at": "2026-03-02T09:05:01Z"}, ("occurred_at", "not_in_the_future"), "over five minutes ahead"),
        ({"occurred_at": "9999-12-31T23:59:59Z"}, ("occurred_at", "not_in_the_future"), "the far future"),
        ({"sequence": -1}, ("sequence", "integer"), "negative"),
        ({"sequence": 2**63}, ("sequence", "integer"), "64 bits"),
        ({"sequence": True}, ("sequence", "integer"), "a boolean is no number"),
        ({"sequence": "7"}, ("sequence", "integer"), "text is no number"),
        ({"sequence": Decimal("1E+999999999")}, ("sequence", "integer"), "a number without an end"),
        ({"change_id": 5}, ("change_id", "text"), "a change's id is text"),
        ({"change_id": ""}, ("change_id", "text"), "and not empty"),
        ({"actor": "\x7f"}, ("actor", "text"), "a control character"),
        ({"fields": []}, ("fields", "type"), "a list"),
        ({"fields": "name"}, ("fields", "type"), "text"),
        ({"fields": {"nmae": 1}}, ("fields.nmae", "known_field"), "an unknown field"),
        ({"fields": {"\ud800": 1}}, ("fields.\\ud800", "known_field"), "a name that is no text"),
        ({"fields": {"amount": True}}, ("fields.amount", "currency"), "a value of another type"),
        ({"previous": {"urgent": "no"}}, ("previous.urgent", "boolean"), "in the values before as well"),
        ({"Fields": {}}, ("Fields", "unknown_key"), "a key with another case"),
        ({"x" * 100: 1}, ("x" * 60, "unknown_key"), "a long key is cut"),
    ],
)
def test_a_problem_is_named_by_its_path_and_rule(more, problem, reason):
    assert problem in problems_of(GOOD | more), reason
    assert (f"[1].{problem[0]}", problem[1]) in problems_of([GOOD, GOOD | more]), reason


def test_a_little_ahead_is_a_clock_and_not_a_mistake():
    (change,) = read(GOOD | {"occurred_at": "2026-03-02T09:05:00Z"})

    assert change.occurred_at == NOW + CLOCK_SKEW == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("body", "problem", "reason"),
    [
        ([], ("", "changes_per_request"), "nothing at all"),
        ([GOOD] * 101, ("", "changes_per_request"), "more than a hundred"),
        ("change", ("", "type"), "text"),
        (None, ("", "type"), "nothing"),
        ([GOOD, 5], ("[1]", "type"), "a number among the changes"),
        ([[GOOD]], ("[0]", "type"), "a list in the list"),
    ],
)
def test_a_body_is_one_change_or_up_to_a_hundred(body, problem, reason):
    assert problems_of(body) == [problem], reason


def test_a_hundred_changes_are_taken():
    assert len(read([GOOD] * 100)) == 100


def test_every_problem_of_every_change_is_told_at_once():
    broken = {"object": "deal", "type": "made", "occurred_at": "now", "fields": {"amount": "many", "urgent": 1}, "x": 1}

    assert sorted(problems_of([broken, GOOD, GOOD | {"object": "?"}])) == [
        ("[0].fields.amount", "currency"),
        ("[0].fields.urgent", "boolean"),
        ("[0].id", "text"),
        ("[0].occurred_at", "instant"),
        ("[0].type", "choice"),
        ("[0].x", "unknown_key"),
        ("[2].object", "known_object"),
    ]


@pytest.mark.parametrize(
    ("more", "told", "reason"),
    [
        ({"type": "created", "fields": {}}, [("fields.name", "required")], "a created record needs it"),
        ({"type": "created", "fields": {"name": ""}}, [("fields.name", "required")], "empty text is nothing"),
        (
            {"type": "created", "fields": {"name": 5}},
            [("fields.name", "text")],
            "one problem, not two, for one mistake",
        ),
        ({"type": "updated", "fields": {}}, [], "an update says only what changed"),
        ({"type": "deleted"}, [], "a deletion needs no values"),
    ],
)
def test_required_fields_are_asked_for_at_creation(more, told, reason):
    body = GOOD | {"object": "strict"} | more
    assert (problems_of(body) if told else read(body) and []) == told, reason


@pytest.mark.parametrize("text", ["deal#d1", "deal#a#b", "deal#", "user#ümlaut 1"])
def test_a_record_key_reads_back_from_its_text(text):
    assert str(RecordKey.parse(text)) == text
