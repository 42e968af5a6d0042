"""The outbox: what sources are still to be told, stored with the change and listed in order; and the ledger of it."""

import json
from dataclasses import replace
from datetime import timedelta

from stagebell.adapters.memory.outbox import MemoryTeller
from stagebell.adapters.memory.poster import MemoryPoster
from stagebell.adapters.memory.secrets import MemorySecrets
from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import Echo
from stagebell.domain.orders import Tell
from stagebell.ports.calls import Posted
from stagebell.ports.definitions import Definition
from stagebell.ports.outbox import Letter
from stagebell.services.shelves import Shelves
from stagebell.services.webhooks import Webhooks
from stagebell.services.write_back import WriteBack, key_of
from tests.contract.examples import DEAL, at, change, commit_of, delivery, pages
from tests.contract.worlds import PAGE_SIZE, World

OTHER = RecordKey("deal", "70")  # its key begins as the other's does


def told(world: World, number: int, key: RecordKey = DEAL, sources: tuple[str, ...] = ("crm",)) -> Letter:
    """Commit a change that sources are to be told of; the first one's letter."""
    stored = world.records.load(key)
    version = stored.record.version + 1
    tells = [Tell(key, source, version) for source in sources]
    made = replace(change(f"c{number}", key, minute=number, amount=str(number)), source="stagebell")
    commit = commit_of(stored, made, outbox=tells)
    assert world.records.commit(commit) == "committed"
    return Letter(key, sources[0], version, f"erp:c{number}")


def test_letters_wait_in_the_order_of_the_record_s_versions(world: World) -> None:
    letters = [told(world, number) for number in range(1, 12)]

    assert list(world.outbox.waiting(DEAL, "crm", 100)) == letters
    assert list(world.outbox.waiting(DEAL, "crm", 2)) == letters[:2]


def test_a_record_is_loaded_with_what_its_sources_were_told_late(world: World) -> None:
    told(world, 1)
    first = Echo("crm", "c1", at(30), {"name": "ä", "gone": None, "count": 3}, ("run_1",))
    second, other = Echo("crm", "c2", at(31), {}), Echo("erp", "c1", at(32), {"name": "ä"})

    for echo in (first, second, other):
        world.outbox.told_late(DEAL, echo)

    assert sorted(world.records.load(DEAL).record.echoes, key=lambda echo: echo.at) == [first, second, other]
    assert world.records.load(OTHER).record.echoes == ()


def test_what_was_told_late_counts_from_then_and_not_longer_than_anything_else(world: World) -> None:
    early, late, later = (Echo("crm", "c1", at(minute), {"name": "A"}) for minute in (1, 30, 50))
    read = world.records.load(DEAL)
    commit = commit_of(read, change("c1", name="A"))
    assert world.records.commit(replace(commit, after=replace(commit.after, echoes=(early,)))) == "committed"

    world.outbox.told_late(DEAL, late)
    then = world.records.load(DEAL).record.echoes
    world.outbox.told_late(DEAL, later)

    assert then == (late,)
    assert world.records.load(DEAL).record.echoes == (later,)


def test_records_and_sources_are_apart(world: World) -> None:
    told(world, 1, sources=("crm", "crm-2"))
    letter = told(world, 2, OTHER)

    assert [found.version for found in world.outbox.waiting(DEAL, "crm", 10)] == [1]
    assert [found.source for found in world.outbox.waiting(DEAL, "crm-2", 10)] == ["crm-2"]
    assert list(world.outbox.waiting(OTHER, "crm", 10)) == [letter]
    assert list(world.outbox.waiting(OTHER, "erp", 10)) == []


def test_what_is_done_with_is_out_and_taking_it_out_twice_is_harmless(world: World) -> None:
    first, second = told(world, 1), told(world, 2)

    world.outbox.done(first)
    world.outbox.done(first)

    assert list(world.outbox.waiting(DEAL, "crm", 10)) == [second]


def test_what_is_put_back_takes_its_old_place(world: World) -> None:
    first, second = told(world, 1), told(world, 2)
    world.outbox.done(first)

    world.outbox.put_back(first)
    world.outbox.put_back(first)

    assert list(world.outbox.waiting(DEAL, "crm", 10)) == [first, second]


def test_a_change_that_is_not_committed_leaves_no_letter(world: World) -> None:
    read = world.records.load(DEAL)
    told(world, 1)
    late = commit_of(read, change("c2", minute=2, amount="2"), outbox=[Tell(DEAL, "crm", 1)])

    assert world.records.commit(late) == "conflict"

    assert [letter.change for letter in world.outbox.waiting(DEAL, "crm", 10)] == ["erp:c1"]


def test_the_letters_of_a_record_are_no_part_of_its_mirror(world: World) -> None:
    told(world, 1)

    stored = world.records.load(DEAL)

    assert (stored.record.version, dict(stored.enrolments)) == (1, {})
    assert len(world.records.history(DEAL).items) == 1


def test_a_write_back_keeps_what_it_tells_of_and_when_it_is_tried_again(world: World) -> None:
    waiting = delivery(
        run="", step="", definition="", channel="write_back", recipient="crm", change="api:1", due_at=at(5), copies=()
    )

    assert world.deliveries.reserve(waiting, None) is None

    found = world.deliveries.get(waiting.key)
    assert found is not None
    assert (found.change, found.due_at, found.recipient, found.run) == ("api:1", at(5), "crm", "")


def test_write_backs_in_a_state_are_listed_among_many_others(world: World) -> None:
    for number in range(4 * PAGE_SIZE):
        channel = "write_back" if number % 3 == 0 else "email"
        world.deliveries.update(delivery(f"d{number:02}", minute=number, state="failed", channel=channel))
    world.deliveries.update(delivery("other", state="sent", channel="write_back"))

    found = pages(lambda cursor: world.deliveries.in_state("failed", cursor=cursor, channel="write_back"))

    assert [d.key for page in found for d in page] == ["d09", "d06", "d03", "d00"]
    assert all(len(page) <= PAGE_SIZE for page in found)


def test_a_source_is_told_what_was_stored(world: World) -> None:
    """The whole way: change and letter stored together, read back, posted, noted, taken out."""
    poster = MemoryPoster()
    document = {"kind": "source", "name": "crm", "write_back": "https://crm.example.com/"}
    definition = Definition("source", "crm", 1, document, at(0))
    world.definitions.save(definition, 0)
    head = world.definitions.head("source", "crm")
    assert head is not None
    world.definitions.point(replace(head, active=1, shelf="source"), head, definition)
    secrets = MemorySecrets()
    secrets.rotate("crm")
    stored = world.records, world.outbox, world.deliveries, world.suppressions, secrets
    webhooks = Webhooks(poster, world.clock)
    write_back = WriteBack(Shelves(world.definitions), *stored, webhooks, MemoryTeller(), world.clock, lambda: 0.0)
    letter = told(world, 1)
    told(world, 2)

    poster.answer = lambda _: Posted(503)
    due = write_back.carry_out(Tell(DEAL, "crm", 1))
    world.clock.advance(timedelta(seconds=6))
    poster.answer = lambda _: Posted(200)
    done = [write_back.carry_out(Tell(DEAL, "crm", 1)) for _ in range(2)]

    assert (due is not None, done) == (True, [None, None])
    bodies = [json.loads(post.body)["data"] for post in poster.posted]
    assert [(data["version"], data["fields"]) for data in bodies] == [(1, {"amount": "1"})] * 2 + [(2, {"amount": "2"})]
    assert list(world.outbox.waiting(DEAL, "crm", 10)) == []
    delivery = world.deliveries.get(key_of(letter))
    assert delivery is not None
    assert (delivery.state, delivery.attempts, delivery.due_at) == ("sent", 2, None)
