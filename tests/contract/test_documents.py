"""Whatever is written to the queue or a table comes back as it was."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stagebell.adapters import documents, record_documents, run_documents
from stagebell.adapters.dynamodb_items import item, packed, values_of
from stagebell.domain.changes import MODES, TYPES, Change, RecordKey
from stagebell.domain.deliveries import RANK, Delivery
from stagebell.domain.errors import InvalidInput
from stagebell.domain.orders import Halt, Wake
from stagebell.domain.records import Record, Stamp
from stagebell.domain.runs import Enrolment, Run, StepState
from stagebell.ports.records import Applied

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
WORD = TEXT.filter(bool)
NUMBER = st.integers(-(2**63) + 1, 2**63 - 1)
COUNT = st.integers(0, 2**31)
MOMENT = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
VALUE = st.none() | TEXT | NUMBER | st.booleans() | st.lists(TEXT, max_size=3)
FIELDS = st.dictionaries(TEXT, VALUE, max_size=4)
WORDS = st.lists(WORD, max_size=3).map(tuple)
KEY = st.builds(RecordKey, st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), WORD)
STAMP = st.builds(Stamp, MOMENT, WORD, st.none() | COUNT)
WHY = st.fixed_dictionaries({"condition": WORD, "result": st.booleans(), "saw": VALUE})
ORDER = st.builds(Wake, WORD, COUNT, WORD, WORD, MOMENT) | st.builds(Halt, WORD, COUNT, TEXT)

CHANGE = st.builds(
    Change,
    id=WORD,
    source=WORD,
    key=KEY,
    type=st.sampled_from(TYPES),
    occurred_at=MOMENT,
    fields=FIELDS,
    previous=FIELDS,
    sequence=st.none() | COUNT,
    actor=st.none() | WORD,
    mode=st.sampled_from(MODES),
    causes=WORDS,
)
RECORD = st.builds(
    Record,
    key=KEY,
    version=st.integers(1, 2**31),
    fields=FIELDS,
    stamps=st.dictionaries(TEXT, STAMP, max_size=4),
    touched=st.none() | STAMP,
    deleted=st.none() | STAMP,
    exists=st.booleans(),
    announced=st.booleans(),
    created_at=st.none() | MOMENT,
    created_by=st.none() | WORD,
)
STEP = st.builds(
    StepState,
    name=WORD,
    kind=WORD,
    status=st.sampled_from(["waiting", "acted", "skipped", "failed", "cancelled"]),
    due_at=st.none() | MOMENT,
    settled_at=st.none() | MOMENT,
    reason=TEXT,
    why=st.none() | WHY,
    deliveries=WORDS,
)
RUN = st.builds(
    Run,
    id=WORD,
    definition=WORD,
    version=COUNT,
    key=KEY,
    change=WORD,
    triggered_at=MOMENT,
    started_at=MOMENT,
    steps=st.lists(STEP, max_size=3).map(tuple),
    status=st.sampled_from(["running", "paused", "completed", "failed", "cancelled", "superseded"]),
    reason=TEXT,
    ended_at=st.none() | MOMENT,
    left_at=st.none() | MOMENT,
    quiet=st.booleans(),
    causes=WORDS,
    execution=COUNT,
    revision=COUNT,
)
ENROLMENT = st.builds(
    Enrolment, WORD, COUNT, WORD, st.booleans(), st.none() | MOMENT, st.lists(MOMENT, max_size=3).map(tuple)
)
APPLIED = st.builds(
    Applied,
    change=CHANGE,
    applied_at=MOMENT,
    event=st.sampled_from(["created", "updated", "saved", "deleted", "stale"]),
    before=FIELDS,
    after=FIELDS,
    outdated=WORDS,
    evaluations=st.lists(WHY, max_size=2).map(tuple),
    dispatch=st.lists(ORDER, max_size=3).map(tuple),
)
DELIVERY = st.builds(
    Delivery,
    key=WORD,
    run=WORD,
    step=WORD,
    definition=WORD,
    record=KEY,
    channel=st.sampled_from(["email", "sms"]),
    recipient=TEXT,
    planned_at=MOMENT,
    state=st.sampled_from(list(RANK)),
    person=TEXT,
    copies=WORDS,
    reason=TEXT,
    detail=TEXT,
    message_id=TEXT,
    attempts=COUNT,
    parts=COUNT,
    settled_at=st.none() | MOMENT,
    complained_at=st.none() | MOMENT,
)
quick = settings(max_examples=60)


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document))


def through_item(document: Any, *json_names: str) -> Any:
    return values_of(item(document), json_names)


@quick
@given(CHANGE)
def test_a_change_comes_back(change: Change) -> None:
    assert documents.change_from(through_json(documents.change_document(change))) == change


@quick
@given(RECORD)
def test_a_record_comes_back(record: Record) -> None:
    document = record_documents.record_document(record)

    assert record_documents.record_from(record.key, through_json(document)) == record
    assert (
        record_documents.record_from(record.key, through_item(document, "fields", "stamps", "touched", "deleted"))
        == record
    )


@quick
@given(ENROLMENT)
def test_an_enrolment_comes_back(enrolment: Enrolment) -> None:
    document = record_documents.enrolment_document(enrolment)

    assert record_documents.enrolment_from(through_json(document)) == enrolment
    assert record_documents.enrolment_from(through_item(document, "starts")) == enrolment


@quick
@given(RUN)
def test_a_run_comes_back(run: Run) -> None:
    document = run_documents.run_document(run)

    assert run_documents.run_from(through_json(document)) == run
    assert run_documents.run_from(through_item(document, "steps", "causes")) == run


@quick
@given(APPLIED)
def test_a_history_entry_comes_back(applied: Applied) -> None:
    assert record_documents.applied_from(through_json(record_documents.applied_document(applied))) == applied


@quick
@given(DELIVERY)
def test_a_delivery_comes_back(delivery: Delivery) -> None:
    document = run_documents.delivery_document(delivery)

    assert run_documents.delivery_from(through_json(document)) == delivery
    assert run_documents.delivery_from(through_item(document, "copies")) == delivery


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "no version"),
        ({"version": 2}, "a version from the future"),
        ({"version": 1}, "nothing but a version"),
        ([], "no object"),
        ({"version": 1, "id": "c", "source": "s", "object": "o", "record": "1", "type": "t", "occurred_at": 5}, "time"),
    ],
)
def test_what_is_no_change_is_refused(document: Any, why: str) -> None:
    with pytest.raises(InvalidInput):
        documents.change_from(document)


def test_a_change_written_by_version_1_is_read_for_ever() -> None:
    written = {
        "version": 1,
        "id": "erp:c1",
        "source": "erp",
        "object": "deal",
        "record": "7",
        "type": "updated",
        "occurred_at": "2026-11-20T08:00:00.000000Z",
        "fields": {"stage": "Won"},
        "mode": "run",
    }

    change = documents.change_from(written)

    assert change == Change(
        "erp:c1", "erp", RecordKey("deal", "7"), "updated", datetime(2026, 11, 20, 8, tzinfo=UTC), {"stage": "Won"}
    )
    assert documents.change_document(change) == written


def test_a_small_item_is_stored_as_readable_text() -> None:
    assert packed({"a": {"x": 1}, "b": ""}, big=("a",)) == {"a": '{"x":1}', "b": ""}


def test_a_large_item_is_compressed_and_read_back() -> None:
    values = {"a": ["ü" * 400_000], "n": 1}

    stored = item(packed(values, big=("a",)))

    assert isinstance(stored["a"]["B"], bytes)
    assert values_of(stored, ("a",)) == values
