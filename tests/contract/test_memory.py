"""What only the in-memory adapters have: the scheduler's time, bounded memory, the queue and the secrets."""

from dataclasses import replace

from stagebell.adapters.memory.deliveries import MemoryDeliveries
from stagebell.adapters.memory.queue import MemoryQueue
from stagebell.adapters.memory.records import MemoryRecords
from stagebell.adapters.memory.runs import MemoryRuns
from stagebell.adapters.memory.scheduler import MemoryScheduler
from stagebell.adapters.memory.secrets import MemorySecrets
from stagebell.adapters.memory.store import MemoryStore
from stagebell.domain.orders import Halt, Wake
from stagebell.ports.deliveries import Guard
from stagebell.ports.queues import Command
from tests.contract.examples import DEAL, at, change, commit_of, delivery, ended, enrolment, run


def wake(run: str, minute: float, execution: int = 1) -> Wake:
    return Wake(run, execution, "first-mail", "send_email", at(minute))


def test_wakes_are_due_in_the_order_of_their_times_and_then_of_their_start() -> None:
    scheduler = MemoryScheduler()
    for name, minute in (("c", 2), ("b", 1), ("a", 2), ("d", 9)):
        scheduler.start(wake(name, minute))

    due = [w.run for w in scheduler.due(at(5))]

    assert due == ["b", "c", "a"]
    assert len(scheduler) == 1
    assert list(scheduler.due()) == [wake("d", 9)]


def test_a_wake_at_the_very_instant_waits_where_a_change_counts_first() -> None:
    scheduler = MemoryScheduler()
    scheduler.start(wake("a", 5))

    assert list(scheduler.due(at(5), inclusive=False)) == []
    assert [w.run for w in scheduler.due(at(5))] == ["a"]


def test_an_execution_starts_once_ever() -> None:
    scheduler = MemoryScheduler()
    for minute in (1, 2):
        scheduler.start(wake("a", minute))
    first = list(scheduler.due())
    scheduler.start(wake("a", 3))
    scheduler.start(wake("a", 4, execution=2))

    second = list(scheduler.due())

    assert (first, second) == ([wake("a", 1)], [wake("a", 4, execution=2)])


def test_a_stopped_execution_is_not_due_and_stopping_twice_is_harmless() -> None:
    scheduler = MemoryScheduler()
    scheduler.start(wake("a", 1))
    scheduler.start(wake("a", 2, execution=2))

    for _ in range(2):
        scheduler.stop(Halt("a", 1, "superseded"))
    scheduler.stop(Halt("never", 1, "superseded"))

    assert list(scheduler.due()) == [wake("a", 2, execution=2)]
    assert len(scheduler) == 0


def test_an_execution_may_sleep_again_and_what_it_adds_is_due_in_turn() -> None:
    scheduler = MemoryScheduler()
    scheduler.start(wake("a", 1))
    scheduler.start(wake("b", 3))
    seen = []

    for due in scheduler.due(at(5)):
        seen.append((due.run, due.at))
        if due == wake("a", 1):
            scheduler.sleep(wake("a", 2))

    assert seen == [("a", at(1)), ("a", at(2)), ("b", at(3))]


def test_stopped_wakes_do_not_fill_the_memory() -> None:
    scheduler = MemoryScheduler()
    for number in range(5_000):
        scheduler.start(wake(f"run-{number}", 60))
        scheduler.stop(Halt(f"run-{number}", 1, "cancelled"))

    assert len(scheduler) == 0
    assert len(scheduler._heap) <= 1_001


def test_without_history_a_duplicate_is_still_known() -> None:
    records = MemoryRecords(MemoryStore(), keep_history=False)
    first = commit_of(records.load(DEAL), change("c1"), dispatch=(wake("a", 1),))

    results = [records.commit(first), records.commit(first)]

    applied = records.applied(DEAL, "erp:c1")
    assert results == ["committed", "duplicate"]
    assert applied is not None
    assert (applied.change, applied.dispatch) == (first.applied.change, ())
    assert records.history(DEAL).items == ()


def test_ended_runs_are_forgotten_where_nobody_keeps_them() -> None:
    store = MemoryStore()
    records, runs = MemoryRecords(store), MemoryRuns(store, keep_ended=False)
    started = [run("run_1"), run("run_2", definition="b"), replace(run("run_3", definition="c"), status="completed")]
    records.commit(commit_of(records.load(DEAL), change("c1"), started=started, enrolments=[enrolment(run())]))

    runs.save(ended(run("run_1")), enrolment(ended(run("run_1"))))
    records.commit(commit_of(records.load(DEAL), change("c2"), updated=[ended(run("run_2", definition="b"))]))

    assert [runs.get(f"run_{number}") for number in (1, 2, 3)] == [None, None, None]
    assert not records.load(DEAL).enrolments["unassigned"].open


def test_known_deliveries_are_forgotten_where_nobody_keeps_them() -> None:
    store = MemoryStore()
    records, deliveries = MemoryRecords(store), MemoryDeliveries(store, keep_known=False)
    records.commit(commit_of(records.load(DEAL), change("c1"), started=[run()]))
    deliveries.reserve(delivery(), Guard("run_1", DEAL, 1))
    reserved = deliveries.get("dlv_1")

    deliveries.update(delivery(state="sent"))

    assert reserved is not None
    assert deliveries.get("dlv_1") is None


def test_the_queue_gives_back_what_was_sent_in_order() -> None:
    queue = MemoryQueue()
    queue.send([change("c1"), change("c2")])
    queue.command(Command("cancel", "unassigned", "x"))
    taken = []

    for one in queue.take():
        taken.append(one.id)
        if one.id == "erp:c1":
            queue.send([change("c3")])

    assert taken == ["erp:c1", "erp:c2", "erp:c3"]
    assert list(queue.take_commands()) == [Command("cancel", "unassigned", "x")]


def test_a_rotated_secret_stands_beside_the_one_before() -> None:
    secrets = MemorySecrets({"erp": ["old"]})

    first = secrets.rotate("erp")
    second = secrets.rotate("erp")

    assert secrets.of_source("erp", fresh=True) == (second, first)
    assert secrets.of_source("crm") == ()
    assert second.startswith("whsec_")
