import random
from dataclasses import replace
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import Echo
from stagebell.domain.errors import InvalidInput, StagebellError
from stagebell.domain.locks import Lock
from stagebell.domain.orders import Halt, Tell, Wake
from stagebell.domain.records import Record
from tests.contract.examples import DEAL, OTHER, at, change, commit_of, ended, enrolment, pages, run
from tests.contract.worlds import PAGE_SIZE, World, apply, many_runs

AWKWARD: dict[str, Any] = {
    "name": "Zürich 🚀 \u202e\u0001\t\n\\\"'<&",
    "amount": "12345678901234567890.00000000000000000001",
    "count": -(2**63) + 1,
    "open": False,
    "tags": ["b", "a"],
    "gone": None,
}


def test_a_record_never_seen_has_version_zero(world: World) -> None:
    stored = world.records.load(DEAL)

    assert stored.record == Record(DEAL)
    assert stored.enrolments == {}


def test_a_committed_record_is_loaded_as_it_was(world: World) -> None:
    first = commit_of(Record(DEAL), change("c1", type="created", **AWKWARD))
    second = commit_of(first.after, change("c2", minute=1, name="Other"))

    results = [world.records.commit(first), world.records.commit(second)]

    assert results == ["committed", "committed"]
    assert world.records.load(DEAL).record == second.after


def test_a_deleted_record_keeps_what_is_known_of_it(world: World) -> None:
    first = commit_of(Record(DEAL), change("c1", type="created", **AWKWARD))
    deletion = commit_of(first.after, change("c2", minute=1, type="deleted"))

    world.records.commit(first)
    world.records.commit(deletion)

    assert world.records.load(DEAL).record == deletion.after
    assert not deletion.after.exists


def test_records_whose_ids_look_like_keys_of_others_stay_apart(world: World) -> None:
    keys = [RecordKey("deal", id) for id in ("7", "7#mirror", "#", "people#role#x", "ä" * 256)]

    for number, key in enumerate(keys):
        apply(world, change(f"c{number}", key, name=str(number)))

    assert [world.records.load(key).record.fields["name"] for key in keys] == ["0", "1", "2", "3", "4"]


def test_enrolments_are_loaded_with_their_record(world: World) -> None:
    one, other = (
        enrolment(run("run_1")),
        enrolment(run("run_2", definition="other"), due_at=None, open=False, starts=()),
    )

    apply(world, change(), enrolments=[one, other])

    assert world.records.load(DEAL).enrolments == {"unassigned": one, "other": other}


def test_started_runs_are_stored_with_the_change(world: World) -> None:
    started = [run("run_1"), run("run_2", definition="other")]

    apply(world, change(), started=started)

    assert [world.runs.get(r.id) for r in started] == started


def test_updated_runs_are_stored_with_the_change(world: World) -> None:
    apply(world, change("c1"), started=[run()])

    apply(world, change("c2", minute=1), updated=[ended(run())])

    assert world.runs.get("run_1") == ended(run())


def test_the_same_change_is_a_duplicate_however_the_record_has_moved(world: World) -> None:
    first = commit_of(Record(DEAL), change("c1", name="A"))
    world.records.commit(first)
    apply(world, change("c2", minute=1, name="B"))
    before = world.records.load(DEAL)

    again = world.records.commit(first)
    anew = apply(world, change("c1", name="A"), started=[run()])

    assert (again, anew) == ("duplicate", "duplicate")
    assert world.records.load(DEAL) == before
    assert world.runs.get("run_1") is None


def test_the_same_change_id_on_another_record_is_another_change(world: World) -> None:
    results = [apply(world, change("c1", RecordKey("deal", id))) for id in ("1", "2")]

    assert results == ["committed", "committed"]


def test_a_commit_on_a_record_that_moved_conflicts_and_writes_nothing(world: World) -> None:
    read = world.records.load(DEAL)
    apply(world, change("c1", name="A"))
    before = world.records.load(DEAL)

    late = commit_of(read, change("c2", name="B"), started=[run()], enrolments=[enrolment(run())])

    assert world.records.commit(late) == "conflict"
    assert world.records.load(DEAL) == before
    assert world.records.applied(DEAL, "erp:c2") is None
    assert world.runs.get("run_1") is None


def test_a_stale_change_is_remembered_and_leaves_the_record(world: World) -> None:
    apply(world, change("c1", minute=5, name="A"))
    before = world.records.load(DEAL)

    result = apply(world, change("c2", minute=1, name="B"))

    applied = world.records.applied(DEAL, "erp:c2")
    assert result == "committed"
    assert world.records.load(DEAL) == before
    assert applied is not None
    assert (applied.event, applied.outdated) == ("stale", ("name",))


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"started": [run("run_1")]}, "a run of that id exists"),
        ({"updated": [run("run_1", revision=1)]}, "the run is stored with this revision already"),
        ({"updated": [run("run_1", revision=3)]}, "the run has a lower revision than the one read"),
        ({"updated": [run("run_9", revision=2)]}, "there is no such run"),
        ({"known": {}, "enrolments": [enrolment(run("run_2"))]}, "another change enrolled the record meanwhile"),
        (
            {"known": {"unassigned": enrolment(run("run_0"))}, "enrolments": [enrolment(run("run_2"))]},
            "another change replaced the run that was read",
        ),
        (
            {"known": {"other": enrolment(run("run_0"))}, "enrolments": [enrolment(run("run_2", definition="other"))]},
            "the enrolment that was read is gone",
        ),
    ],
)
def test_a_commit_conflicts_when(world: World, parts: dict[str, Any], why: str) -> None:
    apply(world, change("c1"), started=[run("run_1")], enrolments=[enrolment(run("run_1"))])
    before = world.records.load(DEAL)

    result = apply(world, change("c2", minute=1, name="B"), **parts)

    assert result == "conflict", why
    assert world.records.load(DEAL) == before
    assert world.runs.get("run_1") == run("run_1")


def test_an_enrolment_that_is_as_it_was_read_is_replaced(world: World) -> None:
    apply(world, change("c1"), enrolments=[enrolment(run("run_1"))], known={})
    known = world.records.load(DEAL).enrolments

    result = apply(world, change("c2", minute=1), enrolments=[enrolment(run("run_2"))], known=known)

    assert result == "committed"
    assert world.records.load(DEAL).enrolments == {"unassigned": enrolment(run("run_2"))}


def test_the_history_tells_all_of_a_change(world: World) -> None:
    why = {"definition": "unassigned", "outcome": "started", "why": {"condition": "all", "parts": [{"saw": ["ü", 1]}]}}
    wake = Wake("run_1", 1, "first-mail", "send_email", at(5))
    commit = commit_of(
        Record(DEAL),
        replace(change("c1", type="created", **AWKWARD), causes=("run_0",), mode="quiet", previous={"name": "x"}),
        evaluations=(why,),
        dispatch=(Halt("run_0", 2, "superseded"), wake),
    )

    world.records.commit(commit)

    assert world.records.applied(DEAL, "erp:c1") == commit.applied
    assert world.records.applied(DEAL, "erp:c2") is None


def test_the_history_of_a_record_is_read_newest_first_in_pages(world: World) -> None:
    for number in range(2 * PAGE_SIZE):
        apply(world, change(f"c{number}", minute=number))
    apply(world, change("other", RecordKey("deal", "8")))

    found = pages(lambda cursor: world.records.history(DEAL, cursor))

    assert [[a.change.id for a in page] for page in found] == [
        ["erp:c5", "erp:c4", "erp:c3"],
        ["erp:c2", "erp:c1", "erp:c0"],
    ]


def test_a_record_without_history_has_an_empty_page(world: World) -> None:
    page = world.records.history(DEAL)

    assert (page.items, page.cursor) == ((), None)


def _cursor(world: World) -> str:
    for number in range(PAGE_SIZE + 1):
        apply(world, change(f"c{number}", minute=number))
    cursor = world.records.history(DEAL).cursor
    assert cursor is not None
    return cursor


def test_a_cursor_fits_no_other_query(world: World) -> None:
    cursor = _cursor(world)

    with pytest.raises(InvalidInput) as caught:
        world.records.history(RecordKey("deal", "8"), cursor)

    assert [problem.path for problem in caught.value.problems] == ["cursor"]


@pytest.mark.parametrize("text", ["", "x", "ä", "e30", "W10", "bnVsbA", "WzEsMl0", "=", "A" * 5_000, "W1tbW1tbW1tbWw"])
def test_broken_text_is_no_cursor(world: World, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.records.history(DEAL, text)

    assert [problem.path for problem in caught.value.problems] == ["cursor"]


def test_a_cursor_is_text_that_fits_an_address(world: World) -> None:
    assert _cursor(world).replace("-", "").replace("_", "").isalnum()


def test_many_records_are_read_at_once(world: World) -> None:
    keys = [RecordKey("deal", str(number)) for number in range(7)]
    for key in keys:
        apply(world, change("c1", key, name=key.id))
    absent = [RecordKey("deal", f"absent-{number}") for number in range(230)]

    found = world.records.many([*absent, *keys, *keys])

    assert found == {key: world.records.load(key).record for key in keys}
    assert world.records.many([]) == {}


def test_a_record_of_300_kib_is_stored_and_explained(world: World) -> None:
    fields: dict[str, Any] = {f"field_{number}": chr(0x4E00 + number) * 20_000 for number in range(5)}
    first = commit_of(Record(DEAL), change("c1", type="created", **fields))
    second = commit_of(
        first.after, change("c2", minute=1, **{name: value[::-1] + "!" for name, value in fields.items()})
    )

    results = [world.records.commit(first), world.records.commit(second)]

    assert results == ["committed", "committed"]
    assert world.records.load(DEAL).record == second.after
    assert world.records.applied(DEAL, "erp:c2") == second.applied


def test_a_change_id_may_be_longer_than_a_key(world: World) -> None:
    results = [apply(world, change("ä" * 700 + last)) for last in "abb"]

    assert results == ["committed", "committed", "duplicate"]
    assert world.records.applied(DEAL, "erp:" + "ä" * 700 + "a") is not None
    assert len(world.records.history(DEAL).items) == 2


def test_a_deletion_ends_a_hundred_runs(world: World) -> None:
    endings = [ended(r) for r in many_runs(world, 100)]
    parts: dict[str, Any] = {"updated": endings, "enrolments": [enrolment(r, due_at=None) for r in endings]}
    deletion = change("gone", minute=300, type="deleted")

    results = [apply(world, deletion, **parts), apply(world, deletion, **parts)]

    assert results == ["committed", "duplicate"]
    assert [world.runs.get(r.id) for r in endings] == endings
    assert not any(e.open for e in world.records.load(DEAL).enrolments.values())


def test_a_duplicate_ends_none_of_a_hundred_runs(world: World) -> None:
    apply(world, change("gone", minute=-1))
    runs = many_runs(world, 60)
    endings = [ended(r) for r in runs]

    result = apply(world, change("gone", minute=300), updated=endings, enrolments=[enrolment(r) for r in endings])

    assert result == "duplicate"
    assert [world.runs.get(r.id) for r in runs] == runs


def test_a_change_of_a_record_that_has_moved_ends_none_of_a_hundred_runs(world: World) -> None:
    runs = many_runs(world, 60)
    read = world.records.load(DEAL)
    apply(world, change("meanwhile", minute=200))
    endings = [ended(r) for r in runs]
    parts: dict[str, Any] = {"updated": endings, "enrolments": [enrolment(r) for r in endings]}

    result = world.records.commit(commit_of(read, change("gone", minute=300), **parts))

    assert result == "conflict"
    assert [world.runs.get(r.id) for r in runs] == runs


def test_what_must_stand_together_is_limited_to_a_hundred_items(world: World) -> None:
    runs = [run(f"run_{number}", definition=f"scenario-{number}") for number in range(50)]

    with pytest.raises(StagebellError, match="102 items"):
        apply(world, change(), started=runs, enrolments=[enrolment(r) for r in runs])

    assert world.records.load(DEAL).record.version == 0


ADA, BOB = RecordKey("user", "ada"), RecordKey("user", "bob")


def test_people_are_found_by_role_and_department(world: World) -> None:
    apply(world, change("c1", BOB, roles=["manager", "Ärztin"], department="d1"))
    apply(world, change("c2", ADA, roles=["manager"], department="d2", active=True))

    assert world.records.people("role", "manager") == ["ada", "bob"]
    assert world.records.people("role", "Ärztin") == ["bob"]
    assert world.records.people("department", "d2") == ["ada"]
    assert world.records.people("department", "manager") == []


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (change("c2", ADA, 1, roles=["other"]), "the role was taken away"),
        (change("c2", ADA, 1, roles=None), "all roles were"),
        (change("c2", ADA, 1, active=False), "the user is not active"),
        (change("c2", ADA, 1, "deleted"), "the user is deleted"),
    ],
)
def test_a_user_leaves_a_group_when(world: World, later: Any, why: str) -> None:
    apply(world, change("c1", ADA, roles=["manager"]))

    apply(world, later)

    assert world.records.people("role", "manager") == [], why


def test_a_user_who_is_active_again_is_back_in_the_groups(world: World) -> None:
    for minute, active in enumerate((True, False, True)):
        apply(world, change(f"c{minute}", ADA, minute, roles=["manager"], active=active))

    assert world.records.people("role", "manager") == ["ada"]


def test_only_users_are_in_groups(world: World) -> None:
    apply(world, change("c1", DEAL, roles=["manager"], department="d1"))

    assert world.records.people("role", "manager") == []
    assert world.records.people("department", "d1") == []


def test_a_role_too_long_for_a_key_is_left_out_of_the_groups(world: World) -> None:
    result = apply(world, change("c1", ADA, roles=["x" * 5_000, "manager"]))

    assert result == "committed"
    assert world.records.people("role", "manager") == ["ada"]


def test_a_history_entry_too_large_for_an_item_leaves_out_what_the_record_was(world: World) -> None:
    noise = random.Random(7)
    fields: dict[str, Any] = {
        f"field_{n}": "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(16_000)) for n in range(5)
    }
    first = commit_of(Record(DEAL), change("c1", type="created", **fields))
    second = commit_of(first.after, change("c2", minute=1, **{name: value[::-1] for name, value in fields.items()}))

    results = [world.records.commit(first), world.records.commit(second)]

    applied = world.records.applied(DEAL, "erp:c2")
    assert results == ["committed", "committed"]
    assert world.records.load(DEAL).record == second.after
    assert applied is not None
    assert applied.change == second.applied.change
    assert applied.after in ({}, second.applied.after)
    assert applied.before in ({}, second.applied.before)


# --- what is to be told ---


def letters(world: World, key: RecordKey = DEAL, source: str = "crm", limit: int = 10) -> list[tuple[int, str]]:
    return [(letter.version, letter.change) for letter in world.outbox.waiting(key, source, limit)]


def test_what_is_to_be_told_is_stored_with_the_change_and_waits_in_order(world: World) -> None:
    for number in range(1, 13):
        apply(world, change(f"c{number}", minute=number), outbox=[Tell(DEAL, "crm", number), Tell(DEAL, "erp", number)])
    apply(world, change("x", OTHER), outbox=[Tell(OTHER, "crm", 1)])

    assert letters(world) == [(number, f"erp:c{number}") for number in range(1, 11)]
    assert letters(world, limit=2, source="erp") == [(1, "erp:c1"), (2, "erp:c2")]
    assert letters(world, OTHER) == [(1, "erp:x")]
    assert letters(world, source="cr") == letters(world, source="crm2") == []


def test_a_change_that_is_not_stored_tells_nobody(world: World) -> None:
    read = world.records.load(DEAL)
    apply(world, change("c1"))

    assert world.records.commit(commit_of(read, change("c2"), outbox=[Tell(DEAL, "crm", 1)])) == "conflict"
    assert letters(world) == []


def test_a_letter_is_taken_out_once_and_may_be_put_back_in_its_place(world: World) -> None:
    for number in (1, 2, 3):
        apply(world, change(f"c{number}", minute=number), outbox=[Tell(DEAL, "crm", number)])
    first, second, _ = world.outbox.waiting(DEAL, "crm", 10)

    for letter in (first, second, first):
        world.outbox.done(letter)
    world.outbox.put_back(second)

    assert letters(world) == [(2, "erp:c2"), (3, "erp:c3")]


def test_letters_are_no_part_of_the_record(world: World) -> None:
    apply(world, change("c1", name="A"), enrolments=[enrolment(run())], outbox=[Tell(DEAL, "crm", 1)])

    stored = world.records.load(DEAL)

    assert (stored.record.version, list(stored.enrolments)) == (1, ["unassigned"])
    assert len(world.records.history(DEAL).items) == 1


# --- locks and echoes ---


def test_a_record_is_loaded_with_its_lock_its_sources_and_what_they_were_told(world: World) -> None:
    first = commit_of(Record(DEAL), change("c1", type="created", **AWKWARD))
    lock = replace(change("c2", minute=1, type="locked"), fields={}, why="Prüfung", actor="run_1")
    locked = commit_of(first.after, lock)
    told = {"name": "ä", "gone": None, "count": 3}
    echo = Echo("erp", "run_1:step", at(1), told, ("run_1",), {"amount": "2", "tags": None})
    after = replace(locked.after, echoes=(echo, replace(echo, causes=())))

    world.records.commit(first)
    world.records.commit(replace(locked, after=after))

    assert world.records.load(DEAL).record == after
    assert after.lock == Lock("run_1", at(1), "Prüfung")
    assert world.records.applied(DEAL, "erp:c2") == locked.applied
