"""Filings: how records are found by whom they belong to, and by what they are about."""

from typing import Any

import pytest

from stagebell.domain import follow_ups
from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import InvalidInput
from stagebell.ports.records import Filing
from tests.contract.examples import DEAL, change, pages
from tests.contract.worlds import World, apply


def file(world: World, id: str, filing: Filing, object: str = "deal", minute: float = 0, **fields: Any) -> RecordKey:
    """One more change of a record, which leaves it filed so."""
    key = RecordKey(object, id)
    version = world.records.load(key).record.version
    kind = "updated" if version else "created"
    assert apply(world, change(f"c{version}", key, minute, kind, **fields), filing=filing) == "committed"
    return key


def owned(world: World, user: str = "ada", object: str = "deal") -> list[list[str]]:
    return [[r.key.id for r in page] for page in pages(lambda cursor: world.records.owned(object, user, cursor))]


def test_the_open_records_of_a_user_are_listed_in_their_order_in_pages(world: World) -> None:
    for id, order in (("1", "d"), ("2", "b"), ("3", "c"), ("4", "a"), ("5", "~#5")):
        file(world, id, Filing("deal#ada", order), name=id)
    file(world, "6", Filing("deal#bob", "a"))
    file(world, "7", Filing("task#ada", "a"), object="task")

    assert owned(world) == [["4", "2", "3"], ["1", "5"]]
    assert world.records.owned("deal", "ada").items[0] == world.records.load(RecordKey("deal", "4")).record
    assert owned(world, "nobody") == [[]]


def test_what_a_user_has_can_be_listed_the_latest_first_and_what_is_closed_by_itself(world: World) -> None:
    for number in range(5):
        shelf = follow_ups.shelf("task", "ada", closed=number == 3)
        file(world, str(number), Filing(shelf, f"{number}"), object="task")

    latest = pages(lambda cursor: world.records.owned("task", "ada", cursor, latest_first=True))
    closed = world.records.owned("task", "ada", closed=True)

    assert [[record.key.id for record in page] for page in latest] == [["4", "2", "1"], ["0"]]
    assert [record.key.id for record in closed.items] == ["3"]
    assert world.records.count_owned("task", "ada", 10) == 4
    cursor = world.records.owned("task", "ada").cursor
    with pytest.raises(InvalidInput):
        world.records.owned("task", "ada", cursor, latest_first=True)


def test_a_user_whose_id_looks_like_a_key_owns_no_more_than_their_own(world: World) -> None:
    file(world, "1", Filing("deal#ada#bob", "a"))

    assert (owned(world), owned(world, "ada#bob")) == ([[]], [["1"]])


@pytest.mark.parametrize(
    ("filing", "expected", "why"),
    [
        (Filing("deal#bob", "a"), ([[]], [["1"]]), "it belongs to somebody else by now"),
        (Filing("deal#ada", "z"), ([["1"]], [[]]), "its order has changed"),
        (Filing(), ([[]], [[]]), "it is closed, or nobody's"),
    ],
)
def test_a_record_is_filed_as_its_last_change_left_it(world: World, filing: Filing, expected: Any, why: str) -> None:
    file(world, "1", Filing("deal#ada", "a"))

    file(world, "1", filing, minute=1, name="x")

    assert (owned(world), owned(world, "bob")) == expected, why


def test_a_stale_change_leaves_the_filing_as_it_was(world: World) -> None:
    file(world, "1", Filing("deal#ada", "a"), minute=5, name="new")

    apply(world, change("late", RecordKey("deal", "1"), 1, name="old"), filing=Filing("deal#bob", "a"))

    assert (owned(world), owned(world, "bob")) == ([["1"]], [[]])


@pytest.mark.parametrize(("limit", "expected"), [(1_000, 5), (5, 5), (4, 4), (1, 1)])
def test_records_of_a_user_are_counted_up_to_a_limit(world: World, limit: int, expected: int) -> None:
    for number in range(5):
        file(world, str(number), Filing("deal#ada", str(number)))

    assert world.records.count_owned("deal", "ada", limit) == expected
    assert world.records.count_owned("deal", "bob", limit) == 0


def test_the_follow_ups_of_a_record_are_listed_newest_first_in_pages(world: World) -> None:
    for number, kind in enumerate(["task", "calendar_event", "sales_record", "task"]):
        file(world, f"f{number}", Filing(about=DEAL), object=kind, minute=number, state="open")
    file(world, "f0", Filing(about=DEAL), object="task", minute=9, state="done")
    file(world, "other", Filing(about=RecordKey("deal", "8")), object="task")

    found = pages(lambda cursor: world.records.follow_ups(DEAL, cursor))

    assert [[record.key.id for record in page] for page in found] == [["f3", "f2", "f1"], ["f0"]]
    assert found[1][0].current["state"] == "done"


def test_follow_ups_of_one_moment_stand_in_the_order_of_their_ids(world: World) -> None:
    for id, kind in (("b", "calendar_event"), ("a", "task"), ("c", "sales_record")):
        file(world, id, Filing(about=DEAL), object=kind)

    assert [record.key.id for record in world.records.follow_ups(DEAL).items] == ["c", "b", "a"]


def test_the_longest_ids_have_room_in_every_index(world: World) -> None:
    """256 characters of four bytes each are 1,024 bytes: as much as the sort key of an index may have."""
    id, user, about = "😀" * 256, "😎" * 256, RecordKey("deal", "🤯" * 256)
    task, due = RecordKey("task", id), {"due_at": "2026-11-20T12:00:00.000000Z"}

    file(world, id, Filing(f"task#{user}", follow_ups.order(task, due), about), "task")
    file(world, id, Filing(f"deal#{user}", follow_ups.order(RecordKey("deal", id), {})))

    assert (owned(world, user, "task"), owned(world, user)) == ([[id]], [[id]])
    assert [record.key for record in world.records.follow_ups(about).items] == [task]


def test_a_follow_up_is_no_change_of_the_record_that_it_is_about(world: World) -> None:
    apply(world, change("c1"))
    file(world, "f1", Filing("task#ada", "a", DEAL), object="task")

    assert [applied.change.id for applied in world.records.history(DEAL).items] == ["erp:c1"]
    assert owned(world, object="task") == [["f1"]]


def test_the_history_of_an_object_that_is_called_follow_up_is_its_own(world: World) -> None:
    apply(world, change("c1", RecordKey("follow_up", str(DEAL)), type="created"))
    file(world, "f1", Filing("task#ada", "a", DEAL), object="task")

    assert [entry.change.id for entry in world.records.history(RecordKey("follow_up", str(DEAL))).items] == ["erp:c1"]
    assert [record.key.id for record in world.records.follow_ups(DEAL).items] == ["f1"]
