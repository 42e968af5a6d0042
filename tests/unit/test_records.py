"""Mirrors: changes in whatever order they come, doubled, late or swapped, end in the same record."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.records import Record, compare
from tests.stage import LADDER, QUOTATION, START, UNASSIGNED, WON, Stage

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = RecordKey("deal", "d1")


def change(minute: float, /, type: str = "updated", **more) -> Change:
    fields = {name: value for name, value in more.items() if not name.endswith("_")}
    told = {name[:-1]: value for name, value in more.items() if name.endswith("_")}
    id = told.pop("id", f"crm:{minute}")
    return Change(id, "crm", KEY, type, T0 + timedelta(minutes=minute), fields, **told)


def mirror(*changes: Change) -> Record:
    record = Record(KEY)
    for told in changes:
        record = compare(record, told).after
    return record


@pytest.mark.parametrize(
    ("before", "told", "event", "changed", "reason"),
    [
        ([], change(1, "created", name="A"), "created", {"name"}, "the first word of it"),
        ([], change(1, name="A"), "updated", {"name"}, "an update of a record we never heard of"),
        ([], change(1), "saved", set(), "that says nothing"),
        ([change(0, name="A")], change(1, name="A"), "saved", set(), "the same value"),
        ([change(0, name="A")], change(1, name=None), "updated", {"name"}, "emptied"),
        ([change(0)], change(1, name=None), "saved", set(), "nothing was nothing before"),
        ([change(0, name="A")], change(1, "created", name="A"), "created", set(), "created, though heard of before"),
        ([change(0, "created")], change(1, "created", name="B"), "updated", {"name"}, "created twice is an update"),
        ([change(2, name="A")], change(1, name="B"), None, set(), "everything it says is older"),
        ([change(2, name="A")], change(1, amount="5"), "updated", {"amount"}, "a field nobody has written since"),
        ([change(2, name="A")], change(1), None, set(), "a late save without a value"),
        ([change(0, name="A")], change(1, "deleted"), "deleted", {"name"}, "deleted: every value is gone"),
        ([], change(1, "deleted"), None, set(), "the deletion of a record nobody knew"),
        ([change(0, "deleted")], change(1, name="B"), "updated", {"name"}, "written after its deletion"),
        ([change(2, "deleted")], change(1, name="B"), None, set(), "written before it, heard of later"),
        ([change(0), change(2, "deleted")], change(1, "deleted"), None, set(), "an older deletion"),
        (
            [change(1, name="A")],
            change(1, name="B"),
            "updated",
            {"name"},
            "at equal times the order of arrival decides",
        ),
        ([change(1, name="A", sequence_=2)], change(1, name="B", sequence_=1), None, set(), "or the sequence"),
    ],
)
def test_a_change_is_compared_with_the_mirror(before, told, event, changed, reason):
    comparison = compare(mirror(*before), told)

    assert (comparison.event, set(comparison.changed)) == (event, changed), reason


def test_what_the_source_says_was_before_counts_where_the_mirror_never_heard_of_a_field():
    known = mirror(change(0, name="A"))

    comparison = compare(known, change(1, name="B", amount="5", previous_={"name": "Z", "amount": "4"}))

    assert comparison.known == {"name": "A", "amount": "4"}
    assert compare(known, change(1, amount="4", previous_={"amount": "4"})).event == "saved"


def test_a_deleted_record_keeps_its_last_values_to_be_read_but_conditions_see_none():
    record = mirror(change(0, "created", name="A"), change(1, "deleted"))

    assert (record.exists, record.fields, record.current) == (False, {"name": "A"}, {})


def test_who_created_a_record_and_when_is_remembered():
    record = mirror(change(0, name="A"), change(1, "created", actor_="u1"), change(2, name="B", actor_="u2"))

    assert (record.created_by, record.created_at) == ("u1", T0 + timedelta(minutes=1))


NAMES = ("name", "amount", "stage")
CHANGES = some.lists(
    some.builds(
        lambda type, fields, sequence: (type, fields, sequence),
        some.sampled_from(["created", "updated", "updated", "updated", "deleted"]),
        some.dictionaries(some.sampled_from(NAMES), some.sampled_from(["A", "B", None])),
        some.integers(0, 3),
    ),
    min_size=1,
    max_size=7,
)


@given(told=CHANGES, data=some.data())
def test_all_orders_of_the_same_changes_end_in_the_same_mirror(told, data):
    """Times are distinct; at equal times only a sequence makes the order certain (the next test)."""
    changes = [change(n, type, **fields, id_=f"c{n}") for n, (type, fields, _) in enumerate(told)]
    shuffled = data.draw(some.permutations(changes))

    in_time, mixed = mirror(*changes), mirror(*shuffled)

    assert (mixed.current, mixed.exists, mixed.deleted) == (in_time.current, in_time.exists, in_time.deleted)
    assert {name: mixed.stamps.get(name) for name in mixed.current} == {
        name: in_time.stamps.get(name) for name in in_time.current
    }


@given(told=CHANGES, data=some.data())
def test_at_equal_times_the_sequence_makes_every_order_end_in_the_same_mirror(told, data):
    changes = [change(0, "updated", **fields, id_=f"c{n}", sequence_=n) for n, (_, fields, _) in enumerate(told)]
    shuffled = data.draw(some.permutations(changes))

    assert mirror(*shuffled).current == mirror(*changes).current


def how_it_began(record: Record) -> dict[str, object]:
    """What a change may still say that comes too late for its values."""
    names = ("version", "sources", "announced", "created_at", "created_by")
    return {name: getattr(record, name) for name in names}


def test_a_record_that_hears_late_of_its_creation_knows_when_by_whom_and_from_which_source():
    known = compare(Record(KEY), change(5, "updated", stage=QUOTATION)).after

    late = compare(known, replace(change(0, "created", stage=UNASSIGNED, id_="late", actor_="ada"), source="crm2"))

    assert (late.event, late.changed, dict(late.after.current)) == (None, frozenset(), {"stage": QUOTATION})
    assert (late.after.created_at, late.after.created_by) == (late.change.occurred_at, "ada")
    assert late.after.sources == (*known.sources, "crm2")
    assert compare(late.after, change(9, "created", name="x", id_="again")).event == "updated"


def test_a_record_that_was_deleted_since_hears_of_its_creation_and_can_be_created_anew():
    gone = compare(Record(KEY), change(5, "deleted")).after

    late = compare(gone, change(0, "created", stage=UNASSIGNED, id_="late"))
    anew = compare(late.after, change(9, "created", stage=WON, id_="anew"))

    assert (late.event, late.after.exists, late.after.created_at) == (None, False, late.change.occurred_at)
    assert (anew.event, anew.after.created_at) == ("created", anew.change.occurred_at)


@given(told=CHANGES, data=some.data())
def test_a_stale_change_leaves_the_mirror_as_it_was_and_any_other_moves_its_version_by_one(told, data):
    record = Record(KEY)
    for n, (type, fields, _) in enumerate(told):
        minute = data.draw(some.integers(0, 3))
        comparison = compare(record, change(minute, type, **fields, id_=f"c{n}"))
        if comparison.event is None and type != "deleted":
            assert replace(comparison.after, **how_it_began(record)) == record
        elif comparison.event is not None:
            assert comparison.after.version == record.version + 1
        assert comparison.changed <= set(comparison.after.fields) | set(comparison.before.current)
        record = comparison.after


STORY = some.lists(
    some.tuples(
        some.sampled_from(["deal-1", "deal-2", "deal-3"]),
        some.sampled_from(["created", "updated", "updated", "updated", "updated", "deleted"]),
        some.fixed_dictionaries(
            {},
            optional={
                "stage": some.sampled_from([UNASSIGNED, QUOTATION, WON]),
                "amount": some.integers(0, 5),
                "name": some.sampled_from(["Acme", "Beta"]),
            },
        ),
        some.integers(1, 200),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=settings().max_examples)
@given(told=STORY, data=some.data())
def test_many_changes_to_several_records_in_any_order_with_duplicates_end_alike(told, data):
    in_time, mixed = Stage(LADDER), Stage(LADDER)
    changes, at = [], START
    for number, (record, type, fields, minutes) in enumerate(told):
        at += timedelta(minutes=minutes)
        changes.append(in_time.change(record, at=at, type_=type, id_=f"crm:{number}", **fields))
    doubled = changes + data.draw(some.lists(some.sampled_from(changes), max_size=max(1, len(changes) // 5)))
    shuffled = data.draw(some.permutations(doubled))

    for change_ in changes:
        in_time.offline.run_until(change_.occurred_at, inclusive=False)
        in_time.apply(change_)
        assert_one_open_run(in_time, owed=False)
    for change_ in shuffled:
        mixed.apply(change_)
        assert_one_open_run(mixed, owed=True)

    for record in ("deal-1", "deal-2", "deal-3"):
        assert mixed.record(record).current == in_time.record(record).current
    mixed.advance(days=1)
    in_time.advance(days=1)
    assert not [run for stage in (mixed, in_time) for run in stage.offline.store.runs.values() if run.open]


def assert_one_open_run(stage: Stage, *, owed: bool) -> None:
    """At most one open run per definition and record; one that was superseded late may still owe what was due before
    the new entry."""
    for key, enrolments in stage.offline.store.enrolments.items():
        open_runs = [run for run in stage.offline.store.runs.values() if run.open and run.key == key]
        newest = enrolments["unassigned"].run
        for run in open_runs:
            if run.id != newest:
                entered = stage.run(newest).triggered_at
                waiting = [step.due_at for step in run.steps if step.status == "waiting"]
                assert owed and waiting and all(due is not None and due < entered for due in waiting)


def test_a_change_of_another_source_at_the_same_instant_is_ordered_by_arrival():
    first = change(0, name="A", sequence_=9)

    record = mirror(first, replace(first, id="erp:1", source="erp", sequence=1, fields={"name": "B"}))

    assert record.current == {"name": "B"}
