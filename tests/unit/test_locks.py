"""Locks: lock_record and unlock_record, and what a locked record takes from whom."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.errors import RecordLocked
from tests.crashes.crashing import Died, Fuse, Mortal
from tests.stage import UNASSIGNED, WON, Stage, mail, scenario

LOCK = {"name": "lock", "type": "lock_record", "why": "{{ Project.Name }} is\nin review"}
UNLOCK = {"name": "unlock", "type": "unlock_record", "why": "{{ deal.name }} is through"}
WRITE = {"name": "write", "type": "update_field", "set": {"urgent": True}}
NOTE = {"name": "note", "type": "update_field", "set": {"mobile": "+49 30 1"}}
CRM = {"kind": "source", "name": "crm", "format": "stagebell"}
ERP = {"kind": "source", "name": "erp", "format": "stagebell", "authoritative": True}


def workflow(*actions: dict[str, Any], name: str = "lock", **more: Any) -> dict[str, Any]:
    trigger = {"on": "updated", "fields": ["amount"]}
    return {"kind": "workflow", "name": name, "object": "deal", "trigger": trigger, "actions": [*actions], **more}


def played(*actions: dict[str, Any], documents: tuple[dict[str, Any], ...] = ()) -> Stage:
    """A deal whose amount has changed, which starts the actions."""
    stage = Stage(CRM, ERP, workflow(*actions), *documents)
    stage.post(type_="created", name="Acme", stage=UNASSIGNED)
    stage.post(amount=5)
    stage.advance(minutes=0)
    return stage


def steps(stage: Stage) -> list[tuple[str, str]]:
    run = next(run for run in stage.runs() if run.definition == "lock")
    return [(step.status, step.reason) for step in run.steps]


def edit(stage: Stage, **fields: Any) -> Change:
    """An edit through the API."""
    return stage.change(source_="api", id_=f"api:{len(fields)}", **fields)


def test_a_record_is_locked_with_who_did_it_and_why():
    stage = played(LOCK)

    lock, run = stage.record().lock, stage.runs()[0]
    assert lock is not None
    assert (lock.by, lock.at, lock.why) == (run.id, stage.now, "Acme is in review")
    assert (steps(stage), run.steps[0].record) == ([("acted", "")], run.key)
    history = stage.offline.records.history(run.key).items
    assert "locked" in [applied.event for applied in history]


def test_a_lock_without_a_reason_is_a_lock():
    stage = played({"name": "lock", "type": "lock_record"})

    lock = stage.record().lock
    assert lock is not None and lock.why == ""


@pytest.mark.parametrize(
    ("actions", "expected", "locked", "why"),
    [
        ((LOCK, {**LOCK, "name": "again"}), ("acted", "already_locked"), True, "the first lock stays"),
        ((LOCK, UNLOCK), ("acted", ""), False, "a locked record can be unlocked"),
        ((LOCK, UNLOCK, {**UNLOCK, "name": "again"}), ("acted", "not_locked"), False, "there is nothing to unlock"),
    ],
)
def test_locking_and_unlocking_what_is_so_already_changes_nothing(actions, expected, locked, why):
    stage = played(*actions)

    assert (steps(stage)[-1], stage.record().lock is not None) == (expected, locked), why
    marks = [a.event for a in stage.offline.records.history(RecordKey("deal", "deal-7")).items]
    assert (marks.count("locked"), marks.count("unlocked")) == (1, 0 if locked else 1)


def test_a_lock_and_its_end_start_nothing():
    stay = {"name": "stay", "type": "set_stage", "field": "stage", "to": UNASSIGNED}
    listening = [workflow(stay, name=on, trigger={"on": on}) for on in ("saved", "deleted", "manual")]

    stage = played(LOCK, UNLOCK, documents=tuple(listening))

    assert sorted(run.definition for run in stage.runs()) == ["lock", "saved", "saved"], "by the two changes of the CRM"


@pytest.mark.parametrize(
    "action",
    [
        WRITE,
        {"name": "write", "type": "set_stage", "field": "stage", "to": WON},
        {"name": "write", "type": "assign_owner", "to": {"user": "ada"}},
    ],
    ids=lambda action: action["type"],
)
def test_an_action_on_a_locked_record_fails_and_the_next_one_goes_on(action):
    stage = Stage(CRM, workflow(LOCK, action, UNLOCK, NOTE))
    stage.user("ada", name="Ada")
    stage.post(type_="created", name="Acme", stage=UNASSIGNED)
    before = dict(stage.record().current)

    stage.post(amount=5)
    stage.advance(minutes=0)

    assert steps(stage) == [("acted", ""), ("failed", "record_locked"), ("acted", ""), ("acted", "")]
    assert stage.record().current == before | {"amount": "5", "mobile": "+49 30 1"}


def test_an_action_that_would_change_nothing_does_not_mind_the_lock():
    stage = played(LOCK, {"name": "write", "type": "update_field", "set": {"name": "Acme"}})

    assert steps(stage)[1] == ("acted", "unchanged")


@pytest.mark.parametrize("kind", ["updated", "deleted"])
def test_an_edit_made_here_is_refused_until_the_record_is_unlocked(kind):
    stage = played(LOCK)

    with pytest.raises(RecordLocked, match="in review"):
        stage.offline.applier.apply(edit(stage, type_=kind, name="New"))

    assert stage.record().current["name"] == "Acme"


def test_an_edit_made_here_is_taken_once_the_record_is_unlocked():
    stage = played(LOCK, UNLOCK)

    applied = stage.offline.applier.apply(edit(stage, name="New"))

    assert (applied.event, stage.record().current["name"]) == ("updated", "New")


@pytest.mark.parametrize("change", [{"name": "New"}, {"type_": "deleted"}, {"type_": "created", "name": "New"}])
def test_a_source_that_is_not_authoritative_is_refused_in_the_history(change):
    stage = played(LOCK, documents=(scenario(steps=[mail("later", {"after": "1 hour"})]),))
    before = stage.record()

    applied = stage.post(source_="crm", **change)

    assert (applied.event, applied.note, applied.dispatch, applied.evaluations) == ("refused", "record_locked", (), ())
    assert stage.record() == before
    assert stage.offline.records.applied(applied.change.key, applied.change.id) == applied


@pytest.mark.parametrize(
    ("seconds", "note", "why"),
    [
        (-1, "", "it happened before the lock, and is only late"),
        (0, "record_locked", "it happened with the lock"),
        (1, "record_locked", "it happened after the lock"),
    ],
)
def test_a_lock_holds_from_when_it_was_set(seconds, note, why):
    stage = Stage(CRM, workflow({**LOCK, "at": {"after": "1 minute"}}))
    stage.post(type_="created", name="Acme", stage=UNASSIGNED, amount=1)
    stage.post(amount=5)
    stage.advance(minutes=2)

    at = stage.record().lock.at + timedelta(seconds=seconds)
    applied = stage.offline.applier.apply(stage.change(source_="crm", at=at, name="New"))

    assert applied.note == note, why
    assert stage.record().current["name"] == ("Acme" if note else "New")


def test_a_source_that_nobody_has_declared_is_refused_as_well():
    stage = played(LOCK)

    assert stage.post(source_="other", name="New").note == "record_locked"


def test_an_authoritative_source_is_mirrored_and_says_so_and_starts_what_it_starts():
    stage = played(LOCK, documents=(workflow(NOTE, name="named", trigger={"on": "updated", "fields": ["name"]}),))

    applied = stage.post(source_="erp", name="New")
    stage.advance(minutes=0)

    assert (applied.event, applied.note) == ("updated", "mirrored_while_locked")
    assert stage.record().current["name"] == "New"
    assert stage.record().lock is not None, "the lock stays"
    named = next(run for run in stage.runs() if run.definition == "named")
    assert (named.steps[0].status, named.steps[0].reason) == ("failed", "record_locked")


def test_a_change_that_was_refused_stays_refused_when_it_is_delivered_again():
    stage = played(LOCK)
    change = stage.change(source_="crm", name="New")
    first = stage.apply(change)
    stage.post(source_="erp", stage=WON)

    assert stage.apply(change) == first


def test_a_change_that_was_taken_before_the_lock_is_no_refusal_when_it_is_delivered_again():
    stage = Stage(CRM, ERP, workflow(LOCK))
    created = stage.change(type_="created", name="Acme", stage=UNASSIGNED)
    first = stage.apply(created)
    stage.post(amount=5)
    stage.advance(minutes=0)

    assert stage.apply(created) == first
    assert first.note == ""


def test_a_record_that_is_deleted_and_created_anew_is_not_locked():
    stage = played(LOCK)
    stage.post(source_="erp", type_="deleted")

    applied = stage.post(source_="crm", type_="created", name="Acme II")

    assert (applied.event, stage.record().lock) == ("created", None)


def test_a_related_record_that_is_locked_fails_the_step_that_would_update_it():
    lock = {"kind": "workflow", "name": "lock-account", "object": "account", "trigger": {"on": "created"}}
    action = {"name": "write", "type": "update_field", "related": "account", "set": {"tier": "gold"}}
    stage = Stage({**lock, "actions": [{"name": "lock", "type": "lock_record"}]}, workflow(action))
    stage.post("a1", object="account", type_="created", tier="basic")
    stage.advance(minutes=0)

    stage.post(account="a1", amount=5)
    stage.advance(minutes=0)

    assert steps(stage) == [("failed", "record_locked")]
    assert stage.record("a1", "account").current["tier"] == "basic"


def test_a_deleted_record_is_neither_locked_nor_unlocked():
    stage = Stage(workflow(LOCK, UNLOCK, trigger={"on": "deleted"}))
    stage.post(type_="created", name="Acme")

    stage.post(type_="deleted")
    stage.advance(minutes=0)

    assert steps(stage) == [("skipped", "record_deleted"), ("skipped", "record_deleted")]


def test_a_locked_record_is_still_written_about():
    stage = played(LOCK, {**mail("tell", {}), "at": None})

    assert stage.acted == ["tell"]


def test_sources_that_want_to_know_are_told_of_a_lock():
    stage = Stage({**CRM, "write_back": "https://crm.example.com/hook"}, workflow(LOCK, UNLOCK))
    stage.post(type_="created", name="Acme")

    stage.post(amount=5)
    stage.advance(minutes=0)

    assert [tell.version for tell in stage.offline.teller.waiting] == [3, 4]


@pytest.mark.parametrize(
    ("kind", "meanwhile", "why"),
    [
        ("updated", {"type_": "locked"}, "the record was locked after it"),
        ("updated", {"type_": "deleted"}, "the record was deleted after it"),
        ("deleted", None, "the record was deleted by it"),
    ],
)
def test_an_edit_that_was_taken_before_is_carried_on_when_it_comes_again(kind, meanwhile, why):
    on = "deleted" if kind == "deleted" else "updated"
    stage = Stage(CRM, workflow(NOTE, name="then", trigger={"on": on}))
    stage.post(type_="created", name="Acme")
    change = edit(stage, type_=kind, **({"name": "New"} if kind == "updated" else {}))
    dying = replace(stage.offline.applier, scheduler=Mortal("scheduler", stage.offline.scheduler, Fuse(0, "before")))
    with pytest.raises(Died):
        dying.apply(change)
    if meanwhile:
        stage.post(source_="erp", **meanwhile)

    again = stage.offline.applier.apply(change)

    assert again.event == kind, why
    assert len(stage.offline.scheduler) == 1, "what it started is woken"
