"""Workflows on deleted records: they see what the record was, whatever has become of it since."""

from datetime import timedelta

import pytest

from stagebell.domain.changes import RecordKey
from tests.stage import LADDER, QUOTATION, UNASSIGNED, WON, Stage, mail, sets, workflow

LAST_WORDS = mail("tell", {"after": "0 minutes"}, subject="{{ deal.name }} is gone", to=[{"field": "contact"}])
GONE = workflow(
    "gone",
    {key: value for key, value in LAST_WORDS.items() if key != "at"}
    | {"only_if": {"field": "stage", "op": "eq", "value": QUOTATION}},
    trigger={"on": "deleted"},
    only_if={"field": "amount", "op": "gte", "value": 1},
)
OLD = {"name": "Old", "stage": QUOTATION, "amount": 1, "contact": "old@example.com"}
NEW = {"name": "New", "stage": WON, "amount": 2, "contact": "new@example.com"}


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ([], "nothing more was heard"),
        ([{"type_": "created", **NEW}], "created anew before the machine wakes"),
        ([{"type_": "created", **NEW}, {"type_": "deleted"}], "and deleted again"),
    ],
)
def test_what_was_deleted_is_told_of_with_its_own_values(since, why):
    stage = Stage(GONE)
    stage.post(type_="created", **OLD)
    stage.post(type_="deleted")
    for minutes, change in enumerate(since, 1):
        stage.offline.clock.advance(stage.now.replace(minute=minutes))
        stage.post(**change)

    stage.advance(minutes=10)

    told = [delivery for delivery in stage.deliveries if delivery.recipient == "old@example.com"]
    assert [delivery.state for delivery in told] == ["sent"], why


def test_a_record_that_is_created_anew_starts_from_nothing():
    stage = Stage(LADDER, workflow("new", sets(count={"add": 1}), trigger={"on": "created"}))
    stage.post(type_="created", stage=UNASSIGNED)
    stage.advance(minutes=1)
    stage.post(type_="deleted")
    stage.advance(minutes=1)
    stage.post(type_="created", stage=UNASSIGNED)
    stage.advance(hours=7)

    assert sorted((run.definition, run.status) for run in stage.runs()) == [
        ("new", "completed"),
        ("new", "completed"),
        ("unassigned", "cancelled"),
        ("unassigned", "completed"),
    ]
    assert stage.record().fields == {"stage": UNASSIGNED, "count": 1}


def test_what_was_begun_for_a_record_is_not_done_to_another_one_that_has_its_id_since():
    stage = Stage(workflow("count", sets(count=1)), workflow("later", sets(urgent=True) | {"at": {"after": "1 hour"}}))
    stage.post(type_="created", name="Old")
    stage.post(amount=1)
    stage.offline.clock.advance(stage.now + timedelta(seconds=1))
    stage.post(type_="deleted")
    stage.post(type_="created", name="New")

    stage.advance(hours=2)

    assert [(run.status, run.reason) for run in stage.runs()] == [("cancelled", "record_deleted")] * 2
    assert stage.record().fields == {"name": "New"}


def test_a_start_by_hand_is_for_the_record_there_is_though_the_clock_of_its_source_was_ahead():
    stage = Stage(workflow("mark", sets(count=1), trigger={"on": "manual"}))
    ahead = stage.now + timedelta(minutes=2)
    for type_, fields in (("created", {"name": "Old"}), ("deleted", {}), ("created", {"name": "New"})):
        stage.offline.applier.apply(stage.change(type_=type_, at=ahead, **fields))

    stage.offline.applier.start("workflow", "mark", RecordKey("deal", "deal-7"), "manual:1", "ada")
    stage.advance(minutes=5)

    assert [run.status for run in stage.runs()] == ["completed"]
    assert stage.record().fields == {"name": "New", "count": 1}
