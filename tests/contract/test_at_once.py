"""Many at the same time, on the tables: threads whose calls mix as they come, each call whole as in the service."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy
from stagebell.domain.executions import Task
from stagebell.services.act import Actor
from stagebell.services.apply import Applier
from stagebell.services.assign_owner import AssignOwner
from stagebell.services.people import Directories
from tests.contract.examples import at, pages
from tests.contract.test_inbox import notice
from tests.contract.worlds import World, dynamodb_world
from tests.stage import START, Stage, workflow

THREADS = 6
ATTEMPTS = 100


class Whole:
    """A client that finishes one call before it takes the next: moto itself is not made for threads."""

    def __init__(self, client: Any) -> None:
        self._client, self._lock = client, Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._held(call) if callable(call) else call

    def _held(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def held(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return call(*args, **kwargs)

        return held


def at_once(work: Sequence[Callable[[], Any]]) -> None:
    """All of it in several threads; who finds it busy comes again, as the machines do."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(_insisting, work))


def _insisting(work: Callable[[], Any]) -> Any:
    for _ in range(ATTEMPTS):
        try:
            return work()
        except RecordBusy:
            continue
    raise AssertionError(f"busy {ATTEMPTS} times")


@pytest.fixture
def shared(tables: Any) -> World:
    return dynamodb_world(Whole(tables))


def test_the_unread_are_counted_exactly_while_many_put_and_mark(shared: World) -> None:
    inbox, work = shared.inbox, list[Callable[[], Any]]()
    for number in range(24):
        work.append(lambda number=number: inbox.put(notice(number)))
        work.append(lambda number=number: inbox.put(notice(number, at=at(90))))
        work.append(lambda number=number: inbox.mark_read("ada", f"dlv_{number * 7 % 24:02}", at(99)))
    work[30:30] = work[60:60] = [lambda: inbox.mark_all_read("ada", at(100))]

    at_once(work)

    unread = [one for page in pages(lambda cursor: inbox.notices("ada", cursor, unread=True)) for one in page]
    every = [one for page in pages(lambda cursor: inbox.notices("ada", cursor)) for one in page]
    assert len(every) == 24
    assert inbox.unread("ada") == len(unread) == sum(one.read_at is None for one in every)


@pytest.mark.parametrize("by", ["round_robin", "least_open"])
def test_everybody_gets_as_many_while_many_assign(shared: World, by: str) -> None:
    step = {"name": "assign", "type": "assign_owner", "among": [{"role": "desk"}], "by": by}
    stage = Stage(workflow("assign", step, trigger={"on": "created"}))
    here, records = stage.offline, shared.records
    applier = Applier(here.catalog, records, shared.runs, here.scheduler, here.teller, here.clock)
    for user in ("ada", "bob", "eve"):
        applier.apply(stage.change(user, object="user", roles=["desk"]))
    deals = [f"d{number}" for number in range(15)]
    made = [applier.apply(stage.change(deal, type_="created", name=deal)) for deal in deals]
    actor = Actor(applier, records, shared.runs, here.clock, "test")
    action = AssignOwner(here.catalog, records, Directories(here.catalog, records))
    tasks = [Task(entry.evaluations[0]["run"], "assign", 1, START) for entry in made]

    at_once([lambda task=task: actor.act(task, action) for task in tasks])

    owners = Counter(records.load(RecordKey("deal", deal)).record.current["owner"] for deal in deals)
    assert owners == {"ada": 5, "bob": 5, "eve": 5}
    assert records.rotation("assign.assign").revision == len(deals)
