"""The action assign_owner: to a person, in turn, or to whom the fewest open records belong; fair under any order."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import RecordBusy
from stagebell.domain.executions import Task
from stagebell.domain.rotations import LAG, Rotation, given, least_loaded, loads, next_in_turn
from stagebell.services.people import Directories
from tests.stage import DEAL, START, WON, Stage
from tests.unit.interleaving import Moments, forked_actor

DESK = [{"role": "desk"}]


def assigning(**params: Any) -> dict[str, Any]:
    return {"name": "assign", "type": "assign_owner", **params}


def workflow(*actions: dict[str, Any], name: str = "assign", **more: Any) -> dict[str, Any]:
    trigger = {"on": "created"}
    return {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": [*actions], **more}


IN_TURN = workflow(assigning(among=DESK, by="round_robin"))
LEAST = workflow(assigning(among=DESK, by="least_open"))
CLOSING = {**DEAL, "closed_if": {"field": "stage", "op": "eq", "value": WON}}


def desk(*documents: dict[str, Any], users: tuple[str, ...] = ("ada", "bob", "eve")) -> Stage:
    stage = Stage(*documents)
    for user in users:
        stage.user(user, name=user.title(), email=f"{user}@example.com", roles=["desk"], manager="boss")
    stage.user("boss", name="Boss")
    stage.user("gone", name="Gone", active=False, roles=["gone"])
    return stage


def created(stage: Stage, count: int, prefix: str = "d") -> list[str]:
    """New deals, one after the other; whom each was given to."""
    for number in range(count):
        stage.post(f"{prefix}{number}", type_="created", name=f"{prefix}{number}")
        stage.advance(minutes=0)
    return [owner(stage, f"{prefix}{number}") for number in range(count)]


def owner(stage: Stage, record: str = "d0") -> str:
    return str(stage.record(record).current.get("owner", ""))


def step(stage: Stage, record: str = "d0") -> tuple[str, str]:
    state = stage.runs(record)[0].steps[0]
    return state.status, state.reason


# --- to a person ---


@pytest.mark.parametrize(
    ("to", "expected", "why"),
    [
        ({"user": "bob"}, "bob", "a given one"),
        ({"role": "desk"}, "ada", "the first of a group"),
        ({"manager_of": "owner"}, "boss", "whose manager"),
        ({"field": "account.owner"}, "eve", "over references"),
    ],
)
def test_a_record_is_given_to_a_person(to, expected, why):
    stage = desk(workflow(assigning(to=to)))
    stage.post("a1", object="account", owner="eve")

    stage.post("d0", type_="created", owner="ada" if "manager_of" in to else None, account="a1")
    stage.advance(minutes=0)

    assert (owner(stage), step(stage)) == (expected, ("acted", "")), why
    assert stage.offline.store.rotations == {}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"to": {"user": "gone"}}, "inactive_user"),
        ({"to": {"user": "nobody"}}, "no_such_user"),
        ({"to": {"field": "owner"}}, "not_set"),
        ({"to": {"address": "desk@example.com"}}, "no_such_user"),
        ({"among": [{"role": "gone"}], "by": "round_robin"}, "empty_group"),
        ({"among": [{"user": "gone"}, {"role": "none"}], "by": "least_open"}, "inactive_user"),
    ],
)
def test_where_there_is_nobody_the_record_stays_as_it_is_and_the_step_says_why(params, reason):
    stage = desk(workflow(assigning(**params)))

    assert created(stage, 1) == [""]
    assert step(stage) == ("skipped", reason)


@pytest.mark.parametrize("owner_before", [None, "ada"])
@pytest.mark.parametrize("by", ["round_robin", "least_open"])
def test_the_step_says_who_of_a_group_could_not_be_given_it(by, owner_before):
    stage = desk(workflow(assigning(among=[{"user": "gone"}, {"role": "none"}, {"user": "ada"}], by=by)))

    stage.post("d0", type_="created", owner=owner_before)
    stage.advance(minutes=0)

    assert owner(stage) == "ada"
    assert stage.runs("d0")[0].steps[0].why == {
        "missing": [
            {"recipient": "user gone", "user": "gone", "reason": "inactive_user"},
            {"recipient": "role none", "reason": "empty_group"},
        ]
    }


def test_who_has_it_already_keeps_it():
    stage = desk(workflow(assigning(to={"user": "bob"})))

    stage.post("d0", type_="created", owner="bob")
    stage.advance(minutes=0)

    assert step(stage) == ("acted", "unchanged")


def test_another_field_than_the_owner_may_be_named():
    fields = {**DEAL["fields"], "helper": {"type": "reference", "object": "user"}}
    stage = desk({**DEAL, "fields": fields}, workflow(assigning(to={"user": "bob"}, field="helper")))

    created(stage, 1)

    assert dict(stage.record("d0").current) == {"name": "d0", "helper": "bob"}


def test_an_object_without_an_owner_has_nobody_to_assign():
    plain = {key: value for key, value in DEAL.items() if key != "owner_field"}
    stage = desk(plain, workflow(assigning(to={"user": "bob"})))

    created(stage, 1)

    assert step(stage) == ("failed", "invalid_input")
    assert "owner_field" in stage.runs("d0")[0].steps[0].why["error"]


# --- in turn ---


def test_everybody_has_a_turn_in_the_order_of_their_ids():
    assert created(desk(IN_TURN), 7) == ["ada", "bob", "eve", "ada", "bob", "eve", "ada"]


def test_whoever_joins_or_leaves_the_group_takes_turns_from_then_on():
    stage = desk(IN_TURN)
    first = created(stage, 1, "a")
    stage.user("bob", active=False)
    stage.user("amy", name="Amy", roles=["desk"])

    assert first + created(stage, 4, "b") == ["ada", "amy", "eve", "ada", "amy"]


def test_somebody_named_twice_has_one_turn():
    twice = workflow(assigning(among=[{"user": "bob"}, {"role": "desk"}, {"user": "bob"}], by="round_robin"))

    assert Counter(created(desk(twice), 6)) == {"ada": 2, "bob": 2, "eve": 2}


def test_definitions_that_name_the_same_rotation_take_turns_together():
    documents = [
        workflow(
            assigning(among=DESK, by="round_robin", rotation="sales"), name=name, only_if={**NAMED, "value": letter}
        )
        for name, letter in (("one", "a"), ("other", "b"))
    ]
    stage = desk(*documents)

    assert created(stage, 1, "a") + created(stage, 1, "b") + created(stage, 1, "ax") == ["ada", "bob", "eve"]


NAMED = {"field": "name", "op": "starts_with"}


def test_who_has_the_record_already_keeps_it_and_that_is_no_turn():
    stage = desk(IN_TURN)
    stage.post("x", type_="created", owner="ada")
    stage.advance(minutes=0)

    assert step(stage, "x") == ("acted", "unchanged")
    assert created(stage, 2) == ["ada", "bob"]


def test_a_turn_that_a_lock_forbids_is_not_taken():
    stage = desk(workflow({"name": "lock", "type": "lock_record"}, assigning(among=DESK, by="round_robin")))

    created(stage, 1)

    assert stage.runs("d0")[0].steps[1].reason == "record_locked"
    assert stage.offline.store.rotations == {}


# --- to whom the fewest belong ---


def test_the_fewest_open_records_decide():
    stage = desk(LEAST)
    for number, user in enumerate(["ada", "ada", "ada", "bob"]):
        stage.post(f"old{number}", owner=user)

    assert created(stage, 5) == ["eve", "bob", "eve", "bob", "eve"], "until everybody has three"
    assert created(stage, 3, "e") == ["ada", "bob", "eve"]


def test_a_closed_record_does_not_count():
    stage = desk(CLOSING, LEAST, users=("ada", "bob"))
    for number in range(3):
        stage.post(f"won{number}", owner="ada", stage=WON)
    stage.post("open", owner="bob")

    assert created(stage, 1) == ["ada"]


def test_what_was_given_a_moment_ago_counts_although_the_index_does_not_show_it_yet():
    stage = desk(LEAST)
    counted, records = Counter({"ada": 0, "bob": 2, "eve": 9}), stage.offline.records
    lagging = _Lagging(records, counted)
    stage.offline.actions = {
        **stage.offline.actions, "assign_owner": replace(stage.offline.actions["assign_owner"], records=lagging)
    }  # fmt: skip

    assert created(stage, 5) == ["ada", "ada", "bob", "ada", "bob"]


class _Lagging:
    """Records whose index shows nothing new."""

    def __init__(self, records: Any, counted: Counter[str]) -> None:
        self._records, self._counted = records, counted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def count_owned(self, object_name: str, user: str, limit: int) -> int:
        return self._counted[user]


def test_what_was_given_long_ago_is_what_the_index_says():
    key = RecordKey("deal", "1")
    rotation = given(Rotation("r"), "ada", key, START, load=5)

    assert loads(rotation, {"ada": 1, "bob": 2}, START + LAG) == {"ada": 5, "bob": 2}
    assert loads(rotation, {"ada": 1, "bob": 2}, START + LAG + timedelta(seconds=1)) == {"ada": 1, "bob": 2}


@pytest.mark.parametrize(
    ("last", "loads", "chosen", "why"),
    [
        ("", {"ada": 1, "bob": 0, "eve": 1}, "bob", "the fewest"),
        ("ada", {"ada": 0, "bob": 0, "eve": 0}, "bob", "among equals whose turn it is"),
        ("eve", {"ada": 0, "bob": 0, "eve": 0}, "ada", "from the beginning again"),
        ("zoe", {"ada": 2, "bob": 2}, "ada", "the last one has left the group"),
    ],
)
def test_the_least_loaded_is_chosen(last, loads, chosen, why):
    assert least_loaded(Rotation("r", last=last), loads) == chosen, why


def test_a_group_of_one_has_every_turn():
    assert next_in_turn(Rotation("r", last="ada"), ["ada"]) == "ada"


# --- two at the same time ---


@dataclass(frozen=True)
class Office:
    """New deals, each of which waits to be assigned."""

    stage: Stage
    waiting: list[Task]

    @classmethod
    def of(cls, document: dict[str, Any], count: int) -> "Office":
        stage = desk(document)
        for number in range(count):
            stage.post(f"d{number}", type_="created", name=f"d{number}")
        runs = [stage.runs(f"d{number}")[0].id for number in range(count)]
        return cls(stage, [Task(run, "assign", 1, START) for run in runs])

    @property
    def owners(self) -> Counter[str]:
        return Counter(str(record.current["owner"]) for record in self.stage.offline.store.records.values()
                       if record.key.object == "deal")  # fmt: skip

    def assign(self, at: int, depth: int) -> int:
        """Assign a deal; in the middle of it, at a moment, another one, and so on. The moments there were."""
        task, here = self.waiting.pop(), self.stage.offline
        moments = Moments(at, lambda: self.assign(at, depth - 1) if depth > 1 and self.waiting else None)
        actor, records = forked_actor(here, moments)
        action = replace(here.actions["assign_owner"], records=records, directories=Directories(here.catalog, records))
        try:
            actor.act(task, action)
        except RecordBusy:
            self.waiting.append(task)  # as the machine does
        return moments.count


@pytest.mark.parametrize("document", [IN_TURN, LEAST], ids=["in turn", "least open"])
def test_two_at_the_same_time_are_given_to_two(document):
    calls = Office.of(document, 1).assign(at=0, depth=1)
    assert calls > 10

    for moment in range(1, calls + 1):
        office = Office.of(document, 2)
        office.assign(moment, depth=2)
        assert office.owners == {"ada": 1, "bob": 1}, f"at moment {moment} of {calls}"
        assert office.stage.offline.records.rotation("assign.assign").revision == 2


@pytest.mark.parametrize("depth", [2, 4, 6])
@pytest.mark.parametrize("document", [IN_TURN, LEAST], ids=["in turn", "least open"])
def test_everybody_has_as_many_turns_whatever_the_order_in_which_many_assign(document, depth):
    for moment in range(1, 25):
        office = Office.of(document, 12)

        while office.waiting:
            office.assign(moment, depth)

        assert office.owners == {"ada": 4, "bob": 4, "eve": 4}, f"at moment {moment}"
