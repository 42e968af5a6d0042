"""The rules of behaviour, one by one, as the product's design numbers them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.errors import DeliveryThrottled, DeliveryUnknown
from stagebell.domain.executions import Task
from stagebell.domain.limits import DEPTH_LIMIT, RUNS_PER_HOUR
from stagebell.ports.messages import Email
from stagebell.services.explain import Explainer
from tests.stage import LADDER, QUOTATION, START, UNASSIGNED, WON, Stage, mail, scenario, sets, workflow

SAVED = scenario("saved", trigger={"on": "saved"}, steps=[mail("now", {"after": "0 minutes"})])


def test_rule_1_a_change_is_a_comparison_with_the_mirror():
    stage = Stage(scenario("amount", trigger={"on": "updated", "fields": ["amount"]}))
    stage.post(type_="created", name="Acme", amount="100")

    same = stage.post(amount="100.00", name="Acme")
    other = stage.post(amount=250)

    assert (same.event, dict(same.before)) == ("saved", {})
    assert (other.event, dict(other.before)) == ("updated", {"amount": "100"})
    assert [run.change for run in stage.runs()] == [other.change.id]


def test_rule_1_partial_updates_merge():
    stage = Stage()
    stage.post(name="Acme", amount=5)

    stage.post(amount=6)

    assert stage.record().current == {"name": "Acme", "amount": "6"}


def test_rule_1_where_the_mirror_never_heard_of_a_field_the_source_may_say_what_it_was():
    stage = Stage(LADDER)

    known = stage.post("deal-1", stage=UNASSIGNED, previous_={"stage": UNASSIGNED, "amount": "5"})
    new = stage.post("deal-2", stage=UNASSIGNED, previous_={"stage": QUOTATION, "amount": "5"})

    assert (known.event, dict(known.before)) == ("saved", {})
    assert dict(new.before) == {"stage": QUOTATION}, "amount was not written, so it has not changed"
    assert [len(stage.runs(record)) for record in ("deal-1", "deal-2")] == [0, 1]


def test_rule_2_a_delivery_id_is_applied_once():
    stage = Stage(LADDER)
    change = stage.change(stage=UNASSIGNED)

    first, second = stage.apply(change), stage.apply(change)

    assert first == second
    assert len(stage.runs()) == 1
    assert stage.record().version == 1


def test_rule_2_an_older_value_never_overwrites_a_newer_one_and_a_stale_change_starts_nothing():
    stage = Stage(LADDER)
    stage.post(at=START + timedelta(minutes=10), stage=QUOTATION)

    late = stage.post(at=START + timedelta(minutes=5), stage=UNASSIGNED)

    assert late.event == "stale"
    assert stage.record().current == {"stage": QUOTATION}
    assert stage.runs() == []


def test_rule_2_a_late_change_still_writes_the_fields_that_nobody_has_written_since():
    stage = Stage(LADDER)
    stage.post(at=START + timedelta(minutes=10), amount=5)

    late = stage.post(at=START + timedelta(minutes=5), stage=UNASSIGNED, amount=4)

    assert stage.record().current == {"stage": UNASSIGNED, "amount": "5"}
    assert late.outdated == ("amount",)
    assert [run.triggered_at for run in stage.runs()] == [START + timedelta(minutes=5)]


@pytest.mark.parametrize(
    ("first", "second", "kept", "reason"),
    [
        (7, 8, "second", "the higher sequence is newer"),
        (8, 7, "first", "the lower sequence came late"),
        (7, 7, "second", "nothing but the order of arrival tells them apart"),
        (None, 7, "second", "a missing sequence cannot be compared"),
        (7, None, "second", "a missing sequence cannot be compared"),
    ],
)
def test_rule_2_at_equal_times_the_sequence_decides_else_the_order_of_arrival(first, second, kept, reason):
    stage = Stage()

    stage.post(at=START, name="first", sequence_=first)
    stage.post(at=START, name="second", sequence_=second)

    assert stage.record().current["name"] == kept, reason


FIVE = (
    {"minute": 0, "type_": "created", "stage": UNASSIGNED, "name": "Acme", "amount": 1},
    {"minute": 1, "stage": QUOTATION, "amount": 2},
    {"minute": 2, "name": "Acme Ltd"},
    {"minute": 3, "stage": UNASSIGNED},
    {"minute": 4, "amount": 3, "due_on": "2026-04-01"},
)


def five_changes() -> list[Change]:
    stage, changes = Stage(), []
    for number, spec in enumerate(FIVE):
        fields = {key: value for key, value in spec.items() if key != "minute"}
        at = START + timedelta(minutes=spec["minute"])
        changes.append(stage.change(at=at, id_=f"crm:change-{number}", **fields))
    return changes


@pytest.mark.parametrize("order", list(permutations(range(5))), ids=lambda order: "".join(map(str, order)))
def test_rule_2_every_order_of_five_doubled_changes_ends_in_the_same_mirror_and_the_runs_of_what_survives(order):
    stage, in_time, survivors = Stage(LADDER), Stage(LADDER), Stage(LADDER)
    changes = five_changes()

    applied = {}
    for number in order:
        applied[number] = stage.apply(changes[number])
        stage.apply(changes[number])
    for number, change in enumerate(changes):
        in_time.apply(change)
        if applied[number].event != "stale":
            kept = {name: value for name, value in change.fields.items() if name not in applied[number].outdated}
            survivors.apply(replace(change, fields=kept))

    assert stage.record().current == in_time.record().current == survivors.record().current
    assert {(r.id, r.status) for r in stage.runs()} == {(r.id, r.status) for r in survivors.runs()}


def test_rule_2_a_late_deletion_leaves_what_was_written_after_it():
    stage = Stage()
    stage.post(at=START, type_="created", name="Acme", amount=1)
    stage.post(at=START + timedelta(minutes=2), amount=2)

    stage.post(at=START + timedelta(minutes=1), type_="deleted")

    assert stage.record().current == {"amount": "2"}
    assert stage.record().exists


def test_rule_3_one_live_run_per_definition_and_record():
    stage = Stage(LADDER)
    first = stage.enter("deal-7", UNASSIGNED)
    stage.advance(minutes=1)
    stage.move("deal-7", to=QUOTATION)
    stage.move("deal-7", to=UNASSIGNED)

    second = stage.runs("deal-7")[0].id

    assert [run.id for run in stage.runs("deal-7") if run.open] == [second]
    assert stage.run(first).status == "cancelled"


def test_rule_3_a_new_stage_entry_ends_the_old_run_as_superseded_and_starts_its_own():
    keeps_going = scenario(steps=[mail("first", {"after": "1 hour"})])
    stage = Stage(keeps_going)
    first = stage.enter("deal-7", UNASSIGNED)
    stage.advance(minutes=1)
    stage.move("deal-7", to=QUOTATION)
    stage.move("deal-7", to=UNASSIGNED)

    stage.advance(hours=2)

    assert (stage.run(first).status, stage.run(first).reason) == ("superseded", "new_entry")
    assert stage.acted == ["first"]


def test_rule_3_a_workflow_at_once_has_a_run_for_each_match_and_none_of_them_ends_another():
    note = {"name": "note", "type": "create_sales_record", "entry": "note", "text": "{{ deal.amount }}"}
    stage = Stage(workflow("note", note, trigger={"on": "updated", "fields": ["amount"]}))
    stage.post(type_="created", name="Acme", amount=1)

    stage.post(at=START, amount=2)
    stage.post(at=START, amount=3)
    stage.advance(minutes=0)

    assert [run.status for run in stage.runs()] == ["completed", "completed"]


def test_rule_4_delays_count_from_when_it_happened_not_from_when_we_heard_of_it():
    stage = Stage(LADDER)
    stage.advance(hours=1)

    stage.post(at=START, stage=UNASSIGNED)

    assert [step.due_at for step in stage.runs()[0].steps] == [
        START + timedelta(minutes=5),
        START + timedelta(hours=2),
        START + timedelta(hours=6),
    ]


@pytest.mark.parametrize(
    ("past_due", "acted", "statuses", "reason"),
    [
        ("run", ["early", "late"], ["acted", "acted"], "what is past due runs at once, by default"),
        ("skip", ["late"], ["skipped", "acted"], "the definition leaves it out"),
        ("fail", ["late"], ["failed", "acted"], "the definition wants it to be seen"),
    ],
)
def test_rule_4_a_step_already_past_due_runs_at_once_unless_the_definition_says_otherwise(
    past_due, acted, statuses, reason
):
    steps = [mail("early", {"after": "5 minutes"}), mail("late", {"after": "2 hours"})]
    stage = Stage(scenario(steps=steps, past_due=past_due))
    stage.advance(hours=1)

    stage.post(at=START, stage=UNASSIGNED)
    stage.advance(hours=2)

    assert stage.acted == acted, reason
    assert [step.status for step in stage.runs()[0].steps] == statuses, reason


def test_rule_5_a_change_and_a_step_due_at_the_same_instant_the_change_counts_first():
    stage = Stage(LADDER)
    run = stage.enter("deal-7", UNASSIGNED)

    stage.offline.run_until(START + timedelta(minutes=5), inclusive=False)
    stage.post("deal-7", at=START + timedelta(minutes=5), stage=QUOTATION)
    stage.advance(hours=7)

    assert stage.acted == []
    assert stage.run(run).status == "cancelled"


def asleep(stage: Stage) -> Task:
    """The task of the only sleeping execution, as its machine will hand it over even after it was cancelled."""
    wakes = list(stage.offline.scheduler.due())
    assert len(wakes) == 1
    return Task(wakes[0].run, wakes[0].step, wakes[0].execution, START)


@pytest.mark.parametrize(
    ("definition", "change", "status", "reason"),
    [
        (scenario(cancel_if={"field": "owner", "op": "not_empty"}), {"owner": "u1"}, "cancelled", "cancel_condition"),
        (scenario(), {"stage": QUOTATION}, "skipped", "stage_changed"),
        (
            scenario(
                steps=[mail("first", {"after": "5 minutes"}, only_if={"field": "amount", "op": "lt", "value": 9})]
            ),
            {"amount": 10},
            "skipped",
            "condition",
        ),
        (scenario(), {"type_": "deleted"}, "cancelled", "record_deleted"),
    ],
)
def test_rule_6_every_step_looks_again_just_before_it_acts(definition, change, status, reason):
    stage = Stage(definition)
    run = stage.enter("deal-7", UNASSIGNED)
    task = asleep(stage)
    plain = Stage()  # the same mirror, but its changes tell no run: only the look at fire time can find out
    plain.post(stage=UNASSIGNED, at=START)
    plain.post(at=START + timedelta(minutes=1), **change)
    stage.offline.store.records.update(plain.offline.store.records)
    stage.offline.clock.advance(START + timedelta(minutes=5))

    stage.offline.actor.act(task, stage.offline.actions["send_email"])

    assert (stage.run(run).steps[0].status, stage.run(run).steps[0].reason) == (status, reason)
    assert stage.offline.mailer.sent == []


def test_rule_6_a_later_action_of_a_run_sees_what_an_earlier_one_wrote():
    check = {"field": "urgent", "op": "eq", "value": True}
    stage = Stage(workflow("chain", sets("first", urgent=True), sets("then", count={"add": 1}) | {"only_if": check}))
    stage.post(type_="created", name="Acme")

    stage.post(name="Acme Ltd")
    stage.advance(minutes=0)

    first = stage.run(next(run.id for run in stage.runs() if not run.causes))
    assert [step.status for step in first.steps] == ["acted", "acted"]
    assert stage.record().current["urgent"] is True


def test_rule_7_a_run_is_pinned_to_the_version_it_started_with():
    stage = Stage(scenario(steps=[mail("old", {"after": "1 hour"})]))
    stage.enter("deal-7", UNASSIGNED)

    stage.activate(scenario(steps=[mail("new", {"after": "1 minute"})]))
    stage.enter("deal-8", UNASSIGNED)
    stage.advance(hours=2)

    assert stage.acted == ["new", "old"]
    assert [stage.runs(record)[0].version for record in ("deal-7", "deal-8")] == [1, 2]


def test_rule_8_a_retry_never_doubles_an_effect_whose_outcome_is_known():
    stage = Stage(scenario())
    stage.enter("deal-7", UNASSIGNED)
    task = asleep(stage)
    stage.offline.clock.advance(START + timedelta(minutes=5))

    answers = [stage.offline.actor.act(task, stage.offline.actions["send_email"]) for _ in range(3)]

    assert answers == [{"next": "done"}] * 3
    assert len(stage.offline.mailer.sent) == 1


def test_rule_8_a_throttled_message_is_recorded_first_and_sent_once_when_the_machine_comes_again():
    stage = Stage(scenario())
    stage.enter("deal-7", UNASSIGNED)
    task = asleep(stage)
    stage.offline.clock.advance(START + timedelta(minutes=5))
    refusals = iter([True, False])

    def fault(email: Email) -> None:
        if next(refusals):
            raise DeliveryThrottled("slow down")

    stage.offline.mailer._fault = fault
    with pytest.raises(DeliveryThrottled):
        stage.offline.actor.act(task, stage.offline.actions["send_email"])
    waiting = [(d.state, d.reason) for d in stage.deliveries]
    stage.offline.actor.act(task, stage.offline.actions["send_email"])

    assert waiting == [("planned", "delivery_throttled")]
    assert [(d.state, d.attempts) for d in stage.deliveries] == [("sent", 2)]
    assert len(stage.offline.mailer.sent) == 1


@pytest.mark.parametrize(
    ("policy", "sent", "states", "reason"),
    [
        ("leave", 0, ["unknown"], "by default an unknown outcome is left for people to judge"),
        ("resend", 1, ["sent"], "the definition would rather send twice than not at all"),
    ],
)
def test_rule_8_an_unknown_outcome_is_the_definitions_choice(policy, sent, states, reason):
    stage = Stage(scenario(on_unknown=policy))
    run = stage.enter("deal-7", UNASSIGNED)
    task = asleep(stage)
    stage.offline.clock.advance(START + timedelta(minutes=5))

    class ProcessDied(BaseException):
        pass

    def die(email: Email) -> None:
        raise ProcessDied

    stage.offline.mailer._fault = die
    with pytest.raises(ProcessDied):
        stage.offline.actor.act(task, stage.offline.actions["send_email"])
    stage.offline.mailer._fault = None
    stage.offline.actor.act(task, stage.offline.actions["send_email"])

    assert len(stage.offline.mailer.sent) == sent, reason
    assert [d.state for d in stage.deliveries] == states, reason
    assert stage.run(run).steps[0].status == "acted"


def test_rule_8_a_change_made_by_a_step_and_the_end_of_the_step_are_one():
    stage = Stage(workflow("count", sets("count", count={"add": 1}), trigger={"on": "updated", "fields": ["name"]}))
    stage.post(type_="created", name="Acme", count=1)
    stage.post(name="Acme Ltd")
    (run,) = stage.runs()
    task = Task(run.id, "count", 1, born=START)

    for _ in range(3):
        stage.offline.actor.act(task, stage.offline.actions["update_field"])

    assert stage.record().current["count"] == 2
    assert stage.run(run.id).steps[0].record == run.key
    assert [a.change.id for a in stage.offline.records.history(run.key).items].count(f"{run.id}:count") == 1


def test_rule_8_a_lost_answer_leaves_the_delivery_unknown():
    stage = Stage(scenario())
    run = stage.enter("deal-7", UNASSIGNED)

    def lose(email: Email) -> None:
        raise DeliveryUnknown("the connection was lost after the request was sent")

    stage.offline.mailer._fault = lose
    stage.advance(minutes=5)

    assert [d.state for d in stage.deliveries] == ["unknown"]
    assert (stage.run(run).status, stage.run(run).steps[0].reason) == ("completed", "delivery_unknown")


def test_rule_9_failure_is_an_outcome_on_the_step_and_on_the_run_and_later_steps_go_on():
    broken = mail("broken", {"after": "1 minute"}) | {"text": "{{ 1 / deal.count }}"}
    stage = Stage(scenario(steps=[broken, mail("next", {"after": "2 minutes"})]))
    run = stage.post(stage=UNASSIGNED, count=0) and stage.runs()[0].id

    stage.advance(minutes=5)

    assert stage.acted == ["next"]
    assert (stage.run(run).status, stage.run(run).reason) == ("failed", "step_failed")
    assert (stage.run(run).steps[0].status, stage.run(run).steps[0].reason) == ("failed", "render_failed")


def test_rule_9_a_value_that_breaks_its_rule_leaves_the_old_one_shows_as_failed_and_does_not_stop_later_actions():
    stage = Stage(workflow("both", sets("bad", stage={"template": "Nowhere"}), sets("good", urgent=True)))
    stage.post(type_="created", name="Acme", stage=QUOTATION)

    stage.post(name="Acme Ltd")
    stage.advance(minutes=0)

    first = next(run for run in stage.runs() if not run.causes)
    assert [(step.status, step.reason) for step in first.steps] == [("failed", "invalid_input"), ("acted", "")]
    assert (stage.record().current["stage"], stage.record().current["urgent"]) == (QUOTATION, True)


def test_rule_9_a_failed_step_that_says_stop_ends_the_run():
    broken = mail("broken", {"after": "1 minute"}, on_failure="stop") | {"text": "{{ 1 / deal.count }}"}
    stage = Stage(scenario(steps=[broken, mail("next", {"after": "2 minutes"})]))
    stage.post(stage=UNASSIGNED, count=0)

    stage.advance(minutes=5)

    run = stage.runs()[0]
    assert (run.status, [step.status for step in run.steps]) == ("failed", ["failed", "cancelled"])


def test_rule_9_when_the_machine_stops_retrying_the_step_has_failed_and_says_why():
    stage = Stage(scenario())
    run = stage.enter("deal-7", UNASSIGNED)
    task = asleep(stage)
    stage.offline.clock.advance(START + timedelta(minutes=5))
    failure = {"Error": "DeliveryThrottled", "Cause": "slow down"}

    stage.offline.actor.act(
        Task(task.run, task.step, task.execution, START, failure), stage.offline.actions["send_email"]
    )

    step = stage.run(run).steps[0]
    assert (stage.run(run).status, step.status, step.reason) == ("failed", "failed", "DeliveryThrottled")


def test_rule_10_a_chain_of_changes_made_by_actions_ends_at_depth_eight():
    stage = Stage(SAVED)

    deep = stage.post(name="Acme", causes_=tuple(f"run_{n}" for n in range(DEPTH_LIMIT)))
    shallow = stage.post(name="Acme Ltd", causes_=tuple(f"run_{n}" for n in range(DEPTH_LIMIT - 1)))

    assert [e["outcome"] for e in (*deep.evaluations, *shallow.evaluations)] == ["loop_stopped", "started"]
    assert deep.evaluations[0]["limit"] == "depth"


def test_rule_10_what_actions_change_carries_the_runs_behind_it():
    stage = Stage(
        workflow("first", sets(count=1), trigger={"on": "updated", "fields": ["name"]}),
        workflow("second", sets(urgent=True), trigger={"on": "updated", "fields": ["count"]}),
    )
    stage.post(type_="created", name="Acme")

    stage.post(name="Acme Ltd")
    stage.advance(minutes=0)

    first, second = (next(run for run in stage.runs() if run.definition == name) for name in ("first", "second"))
    assert (first.causes, second.causes) == ((), (first.id,))
    last = next(a for a in stage.offline.records.history(first.key).items if "urgent" in a.before)
    assert last.change.causes == (first.id, second.id)


def test_rule_10_at_most_twenty_runs_per_definition_and_record_per_hour():
    stage = Stage(SAVED)

    def save(minute: float) -> str:
        stage.offline.run_until(START + timedelta(minutes=minute))
        said = stage.post(at=START + timedelta(minutes=minute), name=f"name {minute}").evaluations[0]
        return " ".join(said[word] for word in ("outcome", "limit") if word in said)

    within = [save(minute) for minute in range(RUNS_PER_HOUR)]
    refused, other, later = save(30), stage.post("deal-8", name="x").evaluations[0]["outcome"], save(61)

    assert within == ["started"] * RUNS_PER_HOUR
    assert (refused, other, later) == ("loop_stopped runs_per_hour", "started", "started")


def test_rule_10_a_clock_that_is_only_set_back_is_no_loop():
    quiet = scenario("idle", trigger={"on": "saved"}, reentry="restart", steps=[mail("nudge", {"after": "3 days"})])
    stage = Stage(quiet)

    outcomes = [stage.post(at=START + timedelta(minutes=n)).evaluations[0]["outcome"] for n in range(2 * RUNS_PER_HOUR)]
    stage.advance(days=4)

    assert set(outcomes) == {"started"}
    assert stage.acted == ["nudge"]


def test_rule_10_a_run_that_has_acted_counts_although_another_replaces_it():
    steps = [mail("tell", {"after": "0 minutes"}), mail("nudge", {"after": "3 days"})]
    stage = Stage(scenario("eager", trigger={"on": "saved"}, reentry="restart", steps=steps))

    def save(number: int) -> str:
        outcome: str = stage.post(count=number).evaluations[0]["outcome"]
        stage.advance(seconds=10)
        return outcome

    outcomes = [save(number) for number in range(RUNS_PER_HOUR + 2)]

    assert outcomes == ["started"] * RUNS_PER_HOUR + ["loop_stopped"] * 2
    assert stage.acted == ["tell"] * RUNS_PER_HOUR


@pytest.mark.parametrize(
    ("mode", "runs", "state", "reason"),
    [
        ("run", 1, ["sent"], "an import that works like any change"),
        ("quiet", 1, ["suppressed"], "runs start, but nobody is written to"),
        ("record_only", 0, [], "only the mirror is written"),
    ],
)
def test_rule_11_imports_choose(mode, runs, state, reason):
    stage = Stage(scenario())

    stage.post(stage=UNASSIGNED, mode_=mode)
    stage.advance(minutes=10)

    assert len(stage.runs()) == runs, reason
    assert [d.state for d in stage.deliveries] == state, reason
    assert stage.record().current == {"stage": UNASSIGNED}, reason


@pytest.mark.parametrize(
    ("definition_zone", "owner_zone", "due", "reason"),
    [
        (
            "America/New_York",
            "Asia/Tokyo",
            datetime(2026, 4, 1, 13, 0, tzinfo=UTC),
            "the definition's zone comes first",
        ),
        ("", "Asia/Tokyo", datetime(2026, 4, 1, 0, 0, tzinfo=UTC), "then the owner's"),
        ("", None, datetime(2026, 4, 1, 7, 0, tzinfo=UTC), "then the stack's: Berlin, in summer time by then"),
    ],
)
def test_rule_12_time_zones_are_explicit(definition_zone, owner_zone, due, reason):
    on_date = scenario(steps=[mail("due", {"date": "due_on", "time": "09:00"})], timezone=definition_zone)
    stage = Stage(on_date, zone="Europe/Berlin")
    stage.user("u1", name="Ada", **({"timezone": owner_zone} if owner_zone else {}))

    stage.post(stage=UNASSIGNED, owner="u1", due_on="2026-04-01")

    assert stage.runs()[0].steps[0].due_at == due, reason


@pytest.mark.parametrize(
    ("day", "time", "due", "reason"),
    [
        ("2026-03-29", "02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "02:30 does not exist: it moves forward"),
        ("2026-10-25", "02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "02:30 exists twice: the first one counts"),
    ],
)
def test_rule_12_a_local_time_that_does_not_exist_moves_forward_and_one_that_exists_twice_fires_once(
    day, time, due, reason
):
    stage = Stage(scenario(steps=[mail("due", {"date": "due_on", "time": time})], timezone="Europe/Berlin"))

    stage.post(stage=UNASSIGNED, due_on=day)
    stage.offline.run_until(due + timedelta(days=1))

    assert [d.planned_at for d in stage.deliveries] == [due], reason


def test_rule_13_everything_can_be_explained():
    rich = scenario(
        only_if={"all": [{"field": "amount", "op": "gte", "value": 1000}, {"field": "stage", "op": "changed"}]}
    )
    stage = Stage(rich, scenario("won", stage={"field": "stage", "is": WON}))
    change = stage.post(stage=UNASSIGNED, amount=999).change
    explainer = Explainer(stage.offline.catalog, stage.offline.records)

    (recorded,) = explainer.explain(RecordKey("deal", "deal-7"), change.id)
    (elsewhere,) = explainer.explain(RecordKey("deal", "deal-7"), change.id, "won")

    assert (recorded["definition"], recorded["outcome"]) == ("unassigned", "not_matched")
    assert recorded["why"]["parts"] == [
        {"condition": "amount gte 1000", "result": False, "saw": "999", "before": None},
        {"condition": "stage changed", "result": True, "saw": UNASSIGNED, "before": None},
    ]
    assert elsewhere["outcome"] == "not_triggered"


@pytest.mark.parametrize(
    ("definition", "change", "words", "reason"),
    [
        (
            workflow("w", sets(count=1)),
            {"mode_": "record_only"},
            "mode: a change that is record_only starts nothing",
            "",
        ),
        (workflow("w", sets(count=1)), {"name": "Acme"}, "trigger: updated", "nothing differs"),
        (
            workflow("w", sets(count=1), trigger={"on": "updated", "fields": ["stage", "amount"]}),
            {"name": "Pumps"},
            "trigger: updated of stage, amount",
            "another field",
        ),
        (
            workflow("w", sets(count=1), trigger={"on": "stage_left", "field": "stage", "is": WON}),
            {"name": "Pumps"},
            "trigger: stage stage left ['Won']",
            "it was never there",
        ),
        (
            workflow("w", sets(count=1), trigger={"on": "date", "field": "due_on"}),
            {"name": "Pumps"},
            "trigger: date due_on set",
            "the date stays",
        ),
    ],
)
def test_rule_13_why_a_workflow_was_not_even_looked_at_is_told(definition, change, words, reason):
    stage = Stage(definition)
    stage.post(name="Acme", type_="created")
    asked = stage.post(**change).change
    explainer = Explainer(stage.offline.catalog, stage.offline.records)

    (told,) = explainer.explain(RecordKey("deal", "deal-7"), asked.id, "w")

    assert (told["outcome"], told["why"]["condition"]) == ("not_triggered", words), reason
