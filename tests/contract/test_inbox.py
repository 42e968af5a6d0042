"""The inbox: each notice once, the newest first, and an exact count of those that are unread."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stagebell.adapters import dynamodb_inbox
from stagebell.adapters.dynamodb_inbox import BATCH, DynamoInbox
from stagebell.adapters.retention import Retention
from stagebell.domain.errors import InvalidInput, RecordBusy
from stagebell.ports.inbox import Notice
from tests.contract.examples import DEAL, at, pages
from tests.contract.worlds import SetClock, World


def notice(number: int = 1, *, user: str = "ada", **told: Any) -> Notice:
    """Number 2 is a minute newer than number 1."""
    return replace(Notice(f"dlv_{number:02}", user, at(number), "Big deal waits", "Please look.", DEAL), **told)


def fill(world: World, count: int, user: str = "ada") -> None:
    for number in range(1, count + 1):
        world.inbox.put(notice(number, user=user))


def ids(found: list[list[Notice]]) -> list[list[str]]:
    return [[entry.id for entry in page] for page in found]


def test_a_notice_is_kept_with_all_it_says(world: World) -> None:
    whole = notice(url="https://crm.example.com/deals/7", run="run_1", definition="unassigned", body="报价 <b>")

    world.inbox.put(whole)

    assert world.inbox.get("ada", "dlv_01") == whole
    assert world.inbox.notices("ada").items == (whole,)


def test_a_notice_may_have_no_subject(world: World) -> None:
    bare = notice(subject="")

    world.inbox.put(bare)

    assert world.inbox.get("ada", "dlv_01") == bare


@pytest.mark.parametrize(
    ("again", "reason"),
    [
        ({}, "as it was"),
        ({"at": at(90)}, "by a retry that looked at the clock again"),
        ({"body": "Other words."}, "by a retry that found the record changed: the first words were told"),
    ],
)
def test_a_notice_that_is_put_twice_is_there_once_and_counts_once(
    world: World, again: dict[str, Any], reason: str
) -> None:
    world.inbox.put(notice())

    world.inbox.put(notice(**again))

    assert world.inbox.notices("ada").items == (notice(),), reason
    assert world.inbox.notices("ada", unread=True).items == (notice(),)
    assert world.inbox.unread("ada") == 1


def test_a_notice_that_was_read_is_not_unread_again_when_it_is_put_again(world: World) -> None:
    world.inbox.put(notice())
    world.inbox.mark_read("ada", "dlv_01", at(5))

    world.inbox.put(notice())

    assert world.inbox.unread("ada") == 0
    assert world.inbox.get("ada", "dlv_01") == notice(read_at=at(5))


def test_notices_come_newest_first_in_pages(world: World) -> None:
    for number in (4, 1, 7, 2, 6, 3, 5):
        world.inbox.put(notice(number))

    found = pages(lambda cursor: world.inbox.notices("ada", cursor))

    assert ids(found) == [["dlv_07", "dlv_06", "dlv_05"], ["dlv_04", "dlv_03", "dlv_02"], ["dlv_01"]]


def test_notices_of_one_moment_are_all_there(world: World) -> None:
    for number in range(1, 6):
        world.inbox.put(notice(number, at=at(1)))

    found = pages(lambda cursor: world.inbox.notices("ada", cursor))

    assert [len(page) for page in found] == [3, 2]
    assert len({entry.id for page in found for entry in page}) == 5


def test_unread_notices_can_be_listed_by_themselves(world: World) -> None:
    fill(world, 7)
    for number in (2, 6, 7):
        world.inbox.mark_read("ada", f"dlv_{number:02}", at(30))

    found = pages(lambda cursor: world.inbox.notices("ada", cursor, unread=True))

    assert ids(found) == [["dlv_05", "dlv_04", "dlv_03"], ["dlv_01"]]
    assert world.inbox.unread("ada") == 4


def test_a_cursor_fits_its_own_listing_alone(world: World) -> None:
    fill(world, 4)
    fill(world, 4, user="bob")
    cursor = world.inbox.notices("ada").cursor

    for user, unread in (("bob", False), ("ada", True)):
        with pytest.raises(InvalidInput):
            world.inbox.notices(user, cursor, unread=unread)


def test_marking_twice_keeps_the_first_time_and_counts_once(world: World) -> None:
    fill(world, 2)

    first = world.inbox.mark_read("ada", "dlv_01", at(5))
    second = world.inbox.mark_read("ada", "dlv_01", at(9))

    assert first == second == notice(1, read_at=at(5))
    assert world.inbox.notices("ada").items == (notice(2), notice(1, read_at=at(5)))
    assert world.inbox.unread("ada") == 1


def test_what_is_not_there_is_not_marked(world: World) -> None:
    world.inbox.put(notice(user="bob"))

    assert world.inbox.mark_read("ada", "dlv_01", at(5)) is None
    assert world.inbox.get("ada", "dlv_01") is None
    assert (world.inbox.unread("ada"), world.inbox.unread("bob")) == (0, 1)


@pytest.mark.parametrize(
    ("count", "reason"),
    [(0, "nothing to do"), (3, "one batch"), (BATCH, "a full one"), (2 * BATCH + 1, "several, and a last one")],
)
def test_all_notices_are_marked_at_once(world: World, count: int, reason: str) -> None:
    fill(world, count)
    world.inbox.put(notice(1, user="bob"))

    marked = world.inbox.mark_all_read("ada", at(200))

    assert marked == count, reason
    assert (world.inbox.unread("ada"), world.inbox.unread("bob")) == (0, 1)
    assert world.inbox.notices("ada", unread=True).items == ()
    every = [entry for page in pages(lambda cursor: world.inbox.notices("ada", cursor)) for entry in page]
    assert [entry.read_at for entry in every] == [at(200)] * count


def test_marking_all_counts_those_that_were_unread_and_keeps_the_time_of_the_others(world: World) -> None:
    fill(world, 3)
    world.inbox.mark_read("ada", "dlv_02", at(5))

    assert world.inbox.mark_all_read("ada", at(9)) == 2
    assert world.inbox.mark_all_read("ada", at(10)) == 0
    assert [entry.read_at for entry in world.inbox.notices("ada").items] == [at(9), at(5), at(9)]


def test_users_are_told_apart_by_the_case_of_their_ids(world: World) -> None:
    world.inbox.put(notice(user="0015gA"))

    assert (world.inbox.unread("0015gA"), world.inbox.unread("0015ga")) == (1, 0)


def test_the_id_of_a_user_may_be_longer_than_a_key(world: World) -> None:
    user = "ü" * 1_000
    world.inbox.put(notice(user=user))

    assert world.inbox.notices(user).items == (notice(user=user),)
    assert world.inbox.mark_read(user, "dlv_01", at(5)) == notice(user=user, read_at=at(5))


# --- what only the table can show ---------------------------------------------------------------------------------


class Interfering:
    """A client on which something happens just before each transaction."""

    def __init__(self, client: Any, *happenings: Any) -> None:
        self._client, self._happenings = client, list(happenings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **arguments: Any) -> Any:
        if self._happenings and (happening := self._happenings.pop(0)):
            happening()
        return self._client.transact_write_items(**arguments)


def inbox_on(client: Any) -> DynamoInbox:
    return DynamoInbox(client, "PeopleTable", Retention(SetClock(), days=400))


def conflict(client: Any) -> Any:
    def happen() -> None:
        codes = [{"Code": "None"}] * 3 + [{"Code": "TransactionConflict"}]
        told = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": codes}
        raise client.exceptions.TransactionCanceledException(told, "TransactWriteItems")

    return happen


def test_two_who_mark_the_same_notice_at_once_count_it_once(tables: Any) -> None:
    other = inbox_on(tables)
    other.put(notice())
    ours = inbox_on(Interfering(tables, lambda: other.mark_read("ada", "dlv_01", at(5))))

    assert ours.mark_read("ada", "dlv_01", at(6)) == notice(read_at=at(5))
    assert other.unread("ada") == 0


def test_marking_all_while_somebody_marks_one_and_another_arrives_keeps_the_count_exact(tables: Any) -> None:
    other = inbox_on(tables)
    for number in (1, 2, 3):
        other.put(notice(number))

    def meanwhile() -> None:
        other.mark_read("ada", "dlv_02", at(5))
        other.put(notice(4))

    marked = inbox_on(Interfering(tables, meanwhile)).mark_all_read("ada", at(6))

    assert marked == 2
    assert other.unread("ada") == 1
    assert [(entry.id, entry.read_at) for entry in other.notices("ada").items] == [
        ("dlv_04", None),
        ("dlv_03", at(6)),
        ("dlv_02", at(5)),
        ("dlv_01", at(6)),
    ]


def test_notices_that_come_at_the_same_moment_are_all_put(tables: Any) -> None:
    inbox = inbox_on(Interfering(tables, *[conflict(tables)] * (dynamodb_inbox.ATTEMPTS - 1)))

    inbox.put(notice())

    assert inbox.unread("ada") == 1


def test_when_others_are_always_faster_trying_again_later_is_asked_for(tables: Any) -> None:
    inbox = inbox_on(Interfering(tables, *[conflict(tables)] * dynamodb_inbox.ATTEMPTS))

    with pytest.raises(RecordBusy):
        inbox.put(notice())

    assert inbox.unread("ada") == 0


def test_unread_notices_stay_and_those_that_were_read_expire(tables: Any) -> None:
    clock = SetClock()
    inbox = DynamoInbox(tables, "PeopleTable", Retention(clock, days=30))
    inbox.put(notice(1))
    inbox.put(notice(2))

    inbox.mark_read("ada", "dlv_01", at(5))

    stored = {item["sk"]["S"]: item for item in tables.scan(TableName="PeopleTable")["Items"]}
    last = str(int((clock.moment + timedelta(days=30)).timestamp()))
    expiring = {sk: item["expires_at"]["N"] for sk, item in stored.items() if "expires_at" in item}
    assert expiring == {"id#dlv_01": last, "all#2026-11-20T08:01:00.000000Z#dlv_01": last}
    assert len(stored) == 3 + 2 + 1, "the second notice, the first one, and the count"
