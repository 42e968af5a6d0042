"""What a step does to a record, and that it has done it: one transaction, whoever changes what meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import DeliveryThrottled, RecordBusy
from stagebell.domain.executions import Task
from stagebell.domain.rotations import Rotation, given
from stagebell.domain.runs import change_of
from stagebell.services.act import Actor
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Acting, Applier, Deed
from tests.crashes.crashing import Died, Fuse, Mortal, When, deaths
from tests.stage import QUOTATION, START, UNASSIGNED, WON, Stage, mail, scenario
from tests.unit.interleaving import Moments, forked_actor

CRM = {"kind": "source", "name": "crm", "write_back": "https://crm.example.com/hook"}
ACCOUNT = RecordKey("account", "a1")


def workflow(name: str, *steps: str, **more: Any) -> dict[str, Any]:
    """Immediate actions; what each does, the test decides."""
    actions = [{"name": step, "type": "update_field", "set": {"urgent": True}} for step in steps]
    return {
        "kind": "workflow",
        "name": name,
        "object": "deal",
        "trigger": {"on": "created"},
        "actions": actions,
        **more,
    }


class Doing:
    """An action that does what it is told, and counts; `meanwhile` happens once, between its look and its answer."""

    def __init__(self, act: Callable[[Look], Outcome], meanwhile: Callable[[], Any] = lambda: None) -> None:
        self._act, self._meanwhile, self.calls = act, meanwhile, 0

    def act(self, look: Look) -> Outcome:
        self.calls += 1
        outcome = self._act(look)
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()
        return outcome

    def give_up(self, run, step, reason):
        pass


def setting(**fields: Any) -> Callable[[Look], Outcome]:
    return lambda look: Outcome("acted", deed=Deed(look.change(look.record, fields)))


def counting_up(stage: Stage) -> Callable[[Look], Outcome]:
    """Adds one employee to the account."""

    def act(look: Look) -> Outcome:
        account = stage.offline.records.load(ACCOUNT).record
        more = int(account.current.get("employees") or 0) + 1
        return Outcome("acted", deed=Deed(look.change(account, {"employees": more}), seen=account.version))

    return act


def begun(*documents: dict[str, Any], **fields: Any) -> Stage:
    """A deal whose first step is due."""
    stage = Stage(CRM, *(documents or (workflow("both", "first", "second"),)))
    stage.post("a1", object="account", employees=5)
    stage.post(type_="created", name="Acme", account="a1", **fields)
    stage.offline.clock.advance(START + timedelta(minutes=1))
    return stage


def task(stage: Stage, step: str = "first", definition: str = "") -> Task:
    run = next(run for run in stage.runs() if definition in ("", run.definition))
    return Task(run.id, step, 1, START)


def act(stage: Stage, action: Doing, **more: Any) -> dict[str, Any]:
    return stage.offline.actor.act(task(stage, **more), action)


def test_a_deed_and_the_end_of_its_step_are_stored_together():
    stage = begun()

    answer = act(stage, Doing(setting(name="Acme Ltd")))

    run, step = stage.runs()[0], stage.runs()[0].steps[0]
    told = stage.offline.records.applied(run.key, change_of(run.id, "first"))
    assert stage.record().current["name"] == "Acme Ltd"
    assert (step.status, step.record, answer["step"]) == ("acted", run.key, "second")
    assert told is not None and (told.change.actor, told.change.causes) == (run.id, (run.id,))
    assert dict(told.before) == {"name": "Acme"}


def test_a_deed_is_committed_in_the_name_of_its_run(monkeypatch):
    stage = begun()
    commits, commit = [], stage.offline.records.commit
    monkeypatch.setattr(stage.offline.records, "commit", lambda told: commits.append(told) or commit(told))

    act(stage, Doing(setting(name="Acme Ltd")))

    assert [told.acting for told in commits] == [stage.runs()[0].id]


def test_a_deed_counts_though_the_clock_of_the_source_is_ahead_of_ours():
    stage = begun()
    stage.offline.applier.apply(stage.change(name="Acme of tomorrow", at=START + timedelta(days=1)))

    act(stage, Doing(setting(name="Acme Ltd")))

    assert (stage.record().current["name"], stage.runs()[0].steps[0].status) == ("Acme Ltd", "acted")


def test_a_deed_on_another_record_is_stored_with_the_step_too():
    stage = begun(workflow("one", "first"))

    answer = act(stage, Doing(counting_up(stage)))

    run = stage.runs()[0]
    assert stage.record("a1", "account").current["employees"] == 6
    assert (run.status, run.steps[0].record, answer) == ("completed", ACCOUNT, {"next": "done"})
    assert not stage.offline.records.load(run.key).enrolments["one"].open


@pytest.mark.parametrize(
    ("meanwhile", "expected", "reason"),
    [
        (lambda stage: stage.post(amount=9), "Acme +1", "another field of the record changed: it is looked at again"),
        (lambda stage: stage.post(name="New"), "New +1", "the field changed: its new value counts"),
    ],
)
def test_a_record_that_changes_while_the_step_looks_is_looked_at_again(meanwhile, expected, reason):
    stage = begun()

    def adding(look: Look) -> Outcome:
        return Outcome("acted", deed=Deed(look.change(look.record, {"name": f"{look.record.current['name']} +1"})))

    act(stage, doing := Doing(adding, lambda: meanwhile(stage)))

    assert (stage.record().current["name"], doing.calls) == (expected, 2), reason


def test_another_record_that_changes_while_the_step_looks_is_looked_at_again():
    stage = begun()

    act(stage, doing := Doing(counting_up(stage), lambda: stage.post("a1", object="account", employees=100)))

    assert (stage.record("a1", "account").current["employees"], doing.calls) == (101, 2)


def test_nothing_is_done_for_a_run_that_was_cancelled_while_its_step_looked():
    stage = begun()
    run = stage.runs()[0].id

    answer = act(stage, Doing(setting(name="x"), lambda: stage.offline.finisher.cancel(run)))

    assert (stage.record().current["name"], answer) == ("Acme", {"next": "done"})
    assert stage.run(run).steps[0].status == "cancelled"


def test_nothing_is_done_for_a_record_that_was_deleted_while_its_step_looked():
    stage = begun()

    act(stage, Doing(setting(name="x"), lambda: stage.post(type_="deleted")))

    assert not stage.record().exists


def test_what_has_gone_out_is_not_undone_when_a_newer_value_wins_over_its_deed():
    stage = begun()
    newer = START + timedelta(minutes=2)

    def answered(look: Look) -> Outcome:
        return Outcome("acted", deliveries=("dlv_1",), deed=Deed(look.change(look.record, {"name": "old"})))

    act(stage, doing := Doing(answered, lambda: stage.post(at=newer, name="newer")))

    run = stage.runs()[0]
    assert (run.steps[0].status, run.steps[0].deliveries, doing.calls) == ("acted", ("dlv_1",), 1)
    assert stage.record().current["name"] == "newer"


def test_what_has_gone_out_is_noted_although_its_run_was_cancelled_and_its_deed_is_not_done():
    stage = begun()
    run = stage.runs()[0].id

    def answered(look: Look) -> Outcome:
        return Outcome("acted", deliveries=("dlv_1",), deed=Deed(look.change(look.record, {"name": "late"})))

    act(stage, Doing(answered, lambda: stage.offline.finisher.cancel(run)))

    assert (stage.run(run).status, stage.run(run).steps[0].deliveries) == ("cancelled", ("dlv_1",))
    assert stage.record().current["name"] == "Acme"


def test_a_locked_record_fails_the_step_and_the_next_one_goes_on():
    stage = begun()
    act(stage, Doing(lambda look: Outcome("acted", deed=Deed(look.change(look.record, {}, "locked", "in review")))))

    act(stage, Doing(setting(name="x")), step="second")

    step = stage.runs()[0].steps[1]
    assert (step.status, step.reason, step.record) == ("failed", "record_locked", None)
    assert "in review" in step.why["error"]
    assert stage.record().current["name"] == "Acme"


def test_a_record_that_would_be_too_large_stays_as_it_was():
    stage = begun()

    answer = act(stage, Doing(setting(name="x" * 400_000)))

    step = stage.runs()[0].steps[0]
    assert (step.status, step.reason, answer["step"]) == ("failed", "invalid_value", "second")
    assert stage.record().current["name"] == "Acme"


def test_a_deed_lets_other_workflows_in_and_says_who_caused_them():
    other = workflow("other", "then", trigger={"on": "updated", "fields": ["name"]})
    stage = begun(workflow("both", "first", "second"), other)

    act(stage, Doing(setting(name="Acme Ltd")))

    started = next(run for run in stage.runs() if run.definition == "other")
    assert started.causes == (task(stage, definition="both").run,)
    assert len(stage.offline.scheduler) == 2, "the other run is woken, our own goes on by its own machine"


def test_a_step_that_leaves_the_stage_ends_the_steps_of_its_own_run_that_ask_for_it():
    steps = [mail("first", {"after": "1 minute"}), mail("later", {"after": "1 hour"}, unless_changed=True)]
    stage = begun(scenario(steps=steps), stage=UNASSIGNED)

    answer = act(stage, Doing(setting(stage=WON)))

    run = stage.runs()[0]
    assert [(s.status, s.reason) for s in run.steps] == [("acted", ""), ("skipped", "stage_changed")]
    assert (run.status, answer) == ("cancelled", {"next": "done"})
    assert run.execution == 1, "the machine that acts is not stopped: it hears that it is done"


def test_a_step_that_fulfils_what_cancels_its_run_is_the_last_one():
    steps = [mail("first", {"after": "1 minute"}), mail("later", {"after": "1 hour"})]
    stage = begun(scenario(steps=steps, cancel_if={"field": "owner", "op": "not_empty"}), stage=UNASSIGNED)

    answer = act(stage, Doing(setting(owner="ada")))

    run = stage.runs()[0]
    assert ([(s.status, s.reason) for s in run.steps], answer) == (
        [("acted", ""), ("cancelled", "cancel_condition")],
        {"next": "done"},
    )
    assert (run.status, run.reason) == ("cancelled", "cancel_condition")


def test_a_step_of_a_deleted_record_may_change_another_one():
    stage = begun(workflow("gone", "first", trigger={"on": "deleted"}))
    stage.post(type_="deleted")

    act(stage, Doing(counting_up(stage)))

    assert stage.record("a1", "account").current["employees"] == 6
    assert stage.runs()[0].status == "completed"


def test_a_step_that_moves_its_own_date_waits_for_the_new_one():
    steps = [mail("first", {"after": "1 minute"}), mail("due", {"date": "met_at"})]
    stage = begun(scenario(steps=steps), stage=UNASSIGNED, met_at="2026-03-02T12:00:00Z")

    answer = act(stage, Doing(setting(met_at="2026-03-02T15:00:00.000000Z")))

    assert (answer["next"], answer["step"], answer["wait_until"]) == ("wait", "due", "2026-03-02T15:00:00.000Z")
    assert stage.runs()[0].execution == 1


def test_a_step_that_leaves_and_enters_its_stage_again_is_followed_by_a_run_of_its_own():
    steps = [mail("first", {"after": "1 minute"}), mail("later", {"after": "1 hour"})]
    both = scenario(steps=steps, stage={"field": "stage", "is": QUOTATION}), workflow("never", "x")
    stage = begun(*both, stage=QUOTATION)
    stage.post(stage=WON)

    act(stage, Doing(setting(stage=QUOTATION)), definition="unassigned")

    newest, oldest = [run for run in stage.runs() if run.definition == "unassigned"]
    assert (oldest.status, oldest.steps[0].status, oldest.steps[1].reason) == ("superseded", "acted", "new_entry")
    assert (newest.status, newest.causes) == ("running", (oldest.id,))


def test_a_source_that_wants_to_know_is_told_and_its_echo_starts_nothing():
    stage = begun(workflow("one", "first"), workflow("saved", "x", trigger={"on": "saved"}))
    act(stage, Doing(setting(name="Acme Ltd")), definition="one")
    runs = len(stage.runs())

    echo = stage.post(name="Acme Ltd")

    assert [(tell.source, tell.version) for tell in stage.offline.teller.waiting] == [("crm", 2)]
    assert (echo.event, len(stage.runs())) == ("echo", runs)


def test_what_was_weighed_is_weighed_again_when_the_record_has_another_run_by_then():
    by_hand = workflow("by-hand", "x", trigger={"on": "manual"}, reentry="once")
    stage = begun(workflow("one", "first"), by_hand)
    other = stage.offline.catalog.index("deal").scenarios["by-hand"]
    weighed = []

    def starting(look: Look) -> Outcome:
        change = look.change(look.record, {})
        weighed.append(stage.offline.applier.weigh(other, change, Acting(look.run, look.stored)).outcome)
        if weighed[-1] != "started":
            return Outcome("skipped", weighed[-1])
        return Outcome("acted", deed=Deed(change, (other,), by_hand=True))

    key = RecordKey("deal", "deal-7")
    doing = Doing(starting, lambda: stage.offline.applier.start("workflow", "by-hand", key, "manual:1", "ada"))
    act(stage, doing, definition="one")

    step = next(run for run in stage.runs() if run.definition == "one").steps[0]
    assert (weighed, step.status, step.reason) == (["started", "once_only"], "skipped", "once_only")


def test_a_turn_that_was_taken_meanwhile_is_taken_by_nobody_twice():
    stage = begun()

    def turning(look: Look) -> Outcome:
        turn = given(stage.offline.records.rotation("desk"), "ada", look.record.key, look.view.at)
        return Outcome("acted", deed=Deed(look.change(look.record, {"owner": "ada"}), rotation=turn))

    def another_turn() -> None:
        stage.offline.store.rotations["desk"] = Rotation("desk", revision=1, last="bob")

    act(stage, doing := Doing(turning, another_turn))

    assert (stage.offline.records.rotation("desk").revision, doing.calls) == (2, 2)


def test_a_record_that_changes_all_the_time_is_busy_and_the_machine_comes_again():
    stage = begun()

    def moving(look: Look) -> Outcome:
        stage.post(amount=len(look.record.stamps) + look.record.version)
        return setting(name="x")(look)

    with pytest.raises(RecordBusy):
        act(stage, Doing(moving))

    assert stage.runs()[0].steps[0].status == "waiting"


class Unreachable:
    """A queue that cannot be reached once."""

    def __init__(self, teller: Any) -> None:
        self._teller, self._times = teller, 1

    def tell(self, tell: Any) -> None:
        if self._times:
            self._times -= 1
            raise RecordBusy("the queue cannot be reached")
        self._teller.tell(tell)


def test_what_a_deed_leads_to_is_carried_on_when_the_machine_comes_again():
    stage = begun()
    teller = Unreachable(stage.offline.teller)
    actor = replace(stage.offline.actor, applier=replace(stage.offline.applier, teller=teller))
    doing = Doing(setting(name="Acme Ltd"))
    with pytest.raises(RecordBusy):
        actor.act(task(stage), doing)

    answer = actor.act(task(stage), doing)

    assert (len(stage.offline.teller.waiting), doing.calls, answer["step"]) == (1, 1, "second")


# --- two at the same time ---


def adding(related: str) -> dict[str, Any]:
    field = "employees" if related else "count"
    more = {"related": related} if related else {}
    return {"name": "first", "type": "update_field", "set": {field: {"add": 1}}, **more}


def counted(moment: int, related: str) -> tuple[Stage, int]:
    """Two workflows add one to the same field, the second one wholly at one moment of the first one's work."""
    documents = [workflow(name, "first") | {"actions": [adding(related)]} for name in ("one", "other")]
    stage = begun(*documents, count=5)
    tasks = [task(stage, definition=name) for name in ("one", "other")]
    action = stage.offline.actions["update_field"]
    moments = Moments(moment, lambda: stage.offline.actor.act(tasks[1], action))
    actor, records = forked_actor(stage.offline, moments)
    actor.act(tasks[0], replace(action, records=records, sights=replace(action.sights, records=records)))
    return stage, moments.count


@pytest.mark.parametrize("related", ["", "account"])
def test_of_two_steps_at_the_same_time_neither_undoes_what_the_other_did(related):
    _, moments = counted(0, related)
    assert moments >= 6

    for moment in range(1, moments + 1):
        stage, _ = counted(moment, related)
        values = stage.record("a1", "account").current["employees"], stage.record().current["count"]
        assert values == ((7, 5) if related else (5, 7)), f"at moment {moment} of {moments}"
        assert {run.status for run in stage.runs()} == {"completed"}


# --- dying ---


def played(fuse: Fuse, acting: Callable[[Stage], Callable[[Look], Outcome]]) -> Stage:
    """A step on ports that die; what died comes again."""
    other = workflow("other", "then", trigger={"on": "updated", "fields": ["name"]})
    follower = workflow("grown", "x", object="account", trigger={"on": "updated"})
    stage = begun(workflow("both", "first", "second"), other, follower)
    here = stage.offline
    records, runs = Mortal("records", here.records, fuse), Mortal("runs", here.runs, fuse)
    scheduler, teller = Mortal("scheduler", here.scheduler, fuse), Mortal("teller", here.teller, fuse)
    applier = Applier(here.catalog, records, runs, scheduler, teller, here.clock)
    actor = Actor(applier, records, runs, here.clock, "offline")
    doing, due = Doing(acting(stage)), task(stage, definition="both")
    try:
        actor.act(due, doing)
    except Died:
        actor.act(due, doing)
    return stage


def own(stage: Stage) -> Callable[[Look], Outcome]:
    return setting(name="Acme Ltd")


def state(stage: Stage) -> Any:
    store = stage.offline.store
    waiting = stage.offline.scheduler._waiting
    return store.records, store.enrolments, store.runs, store.outbox, set(waiting), stage.offline.teller.waiting


def every_death() -> list[Any]:
    calls = {}
    for kind in (own, counting_up):
        fuse = Fuse()
        played(fuse, kind)
        calls[kind] = deaths(fuse.calls)
    return [
        pytest.param(kind, number, when, id=f"{kind.__name__}-{number}-{when}-{call}")
        for kind, found in calls.items()
        for number, call, when in found
    ]


@pytest.mark.parametrize(("kind", "number", "when"), every_death())
def test_a_deed_is_done_once_wherever_the_process_dies(kind: Any, number: int, when: When):
    calm = played(Fuse(), kind)

    shaken = played(fuse := Fuse(number, when), kind)

    assert fuse.burnt
    assert state(shaken) == state(calm)


def test_an_error_that_the_machine_retries_leaves_record_and_run_as_they_were():
    stage = begun()
    before = stage.record(), stage.runs()

    def throttled(look: Look) -> Outcome:
        raise DeliveryThrottled("slow down")

    with pytest.raises(DeliveryThrottled):
        act(stage, Doing(throttled))

    assert (stage.record(), stage.runs()) == before


def test_a_change_at_the_moment_of_a_start_by_hand_sees_the_run():
    waits = scenario("waits", trigger={"on": "manual"}, cancel_if={"field": "amount", "op": "changed"})
    stage = Stage(waits)
    stage.post(type_="created", name="Acme", amount=1)
    version = stage.record().version

    stage.offline.applier.start("scenario", "waits", RecordKey("deal", "deal-7"), "manual:1", "ada")
    stage.post(amount=2)

    assert stage.record().version == version + 2, "a change that read the record before the start is made to look again"
    assert stage.runs()[0].reason == "cancel_condition"


def test_a_user_with_more_roles_than_one_transaction_holds_is_refused_with_a_word():
    stage = Stage()
    stage.user("u1", name="Ada", roles=["desk"])

    refused = stage.post("u1", object="user", roles=[f"role-{number}" for number in range(41)])

    assert (refused.event, refused.note) == ("refused", "too_many_roles")
    assert stage.record("u1", "user").current["roles"] == ["desk"]
