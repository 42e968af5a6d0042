"""Rule 2, played at random: 1,000 changes to 100 records, a fifth of them delivered twice or more.

Three machines, because order matters in three ways. The queue keeps each record's changes in order and mixes the
records: then everything is as it would have been one after the other. A source may also send a record's changes in any
order: each field keeps its newest value, and what only asks about one field comes out the same. Where changes of one
field swap places, the mirror still ends the same, but the older one comes too late to start anything: other runs may
have been started, and nothing was sent twice.
"""

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from stagebell.domain.changes import Change, RecordKey
from tests.stage import QUOTATION, START, UNASSIGNED, WON, Stage, mail, scenario

RECORDS, EACH = 100, 10
FIELDS = tuple(f"part_{number}" for number in range(EACH))
PARTS = {"kind": "object", "name": "part", "fields": {name: {"type": "text"} for name in FIELDS}}
LATER = timedelta(days=3)
SEEDS = st.integers(0, 2**32)  # of a thousand changes: drawn one by one they would be too much to shrink


def told(name: str) -> dict[str, Any]:
    """Mails the desk when a part becomes `yes`."""
    text = {"subject": name, "text": "Please look."}
    action = {"name": "tell", "type": "send_email", "to": [{"address": "desk@example.com"}], **text}
    condition = {"field": name, "op": "changed_to", "value": "yes"}
    trigger = {"on": "updated", "fields": [name]}
    return {
        "kind": "workflow",
        "name": f"tell-{name}",
        "object": "part",
        "trigger": trigger,
        "only_if": condition,
        "actions": [action],
    }


ONE_FIELD_EACH = (PARTS, *map(told, FIELDS))
"""Every definition asks about one field, and every change of a record writes another one."""

STAGES = (
    scenario(
        "chase", steps=[mail("first", {"after": "2 hours"}, unless_changed=True), mail("last", {"after": "1 day"})]
    ),
    scenario("won", stage={"field": "stage", "is": WON}, steps=[mail("thanks", {"after": "3 hours"})]),
    scenario(
        "large",
        trigger={"on": "updated", "fields": ["amount"]},
        only_if={"field": "amount", "op": "rises_to", "value": 50},
        cancel_if={"field": "stage", "op": "changed"},
        steps=[mail("look", {"after": "5 hours"})],
    ),
)


def one_field_each(random: Random) -> list[Change]:
    """Each record's first change creates it; the others write one field each."""
    stage = Stage(*ONE_FIELD_EACH)
    changes = []
    for record in range(RECORDS):
        order = random.sample(FIELDS, EACH)
        for number, name in enumerate(order):
            value = random.choice(["yes", "no"])
            at = START + timedelta(seconds=random.randrange(3_000))
            kind = "created" if not number else "updated"
            changes.append(stage.change(f"r{record}", object="part", at=at, type_=kind, **{name: value}))
    return changes


def stages_and_amounts(random: Random) -> list[Change]:
    stage = Stage()
    changes = []
    for record in range(RECORDS):
        seconds = sorted(random.randrange(3_000) for _ in range(EACH))
        for number, second in enumerate(seconds):
            fields = random.choice(
                [{"stage": random.choice([UNASSIGNED, QUOTATION, WON])}, {"amount": random.randrange(100)}]
            )
            kind = "created" if not number else random.choices(["updated", "deleted"], [30, 1])[0]
            at = START + timedelta(seconds=second, microseconds=number)
            changes.append(stage.change(f"r{record}", at=at, type_=kind, **(fields if kind != "deleted" else {})))
    return changes


def world(definitions: Iterable[dict[str, Any]], changes: Iterable[Change]) -> Stage:
    """What comes of changes that arrive so, one after the other."""
    stage = Stage(*definitions)
    for change in changes:
        stage.offline.applier.apply(change)
    stage.offline.run_until(START + LATER)
    return stage


def mirrors(stage: Stage) -> dict[RecordKey, Any]:
    """What is stored of each record, but not how many changes it took."""
    found = stage.offline.store.records
    return {key: (r.exists, r.current, r.stamps, r.deleted, r.created_at, r.sources) for key, r in found.items()}


def outcomes(stage: Stage) -> dict[str, Any]:
    return {
        run.id: (run.status, run.reason, tuple((step.name, step.status, step.reason) for step in run.steps))
        for run in stage.offline.store.runs.values()
    }


def sent(stage: Stage) -> list[tuple[str, str]]:
    return sorted((delivery.key, delivery.state) for delivery in stage.deliveries)


class Arrivals(RuleBasedStateMachine):
    """Changes that arrive in some order, some of them again; at the end everything has arrived."""

    definitions: tuple[dict[str, Any], ...]

    def changes(self, random: Random) -> list[Change]:
        raise NotImplementedError

    def arrival(self, changes: list[Change], random: Random) -> list[Change]:
        raise NotImplementedError

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        random = Random(seed)
        made = sorted(self.changes(random), key=lambda change: change.occurred_at)
        self.calm = world(self.definitions, made)
        self.stage = Stage(*self.definitions)
        self.coming = self.arrival(made, random)
        self.arrived: list[Change] = []

    @rule(number=st.integers(1, 60))
    def some_arrive(self, number: int) -> None:
        for change in self.coming[:number]:
            self.stage.offline.applier.apply(change)
            self.arrived.append(change)
        del self.coming[:number]

    @rule(seed=SEEDS, number=st.integers(1, 20))
    def some_arrive_again(self, seed: int, number: int) -> None:
        for change in Random(seed).sample(self.arrived, min(number, len(self.arrived))):
            self.stage.offline.applier.apply(change)

    @rule()
    def the_machines_work(self) -> None:
        self.stage.offline.run_until(START)

    def teardown(self) -> None:
        again = self.arrived[:: 5 if len(self.arrived) > 5 else 1]
        for change in (*again, *self.coming, *self.coming[::5]):
            self.stage.offline.applier.apply(change)
        self.stage.offline.run_until(START + LATER)
        self.check()

    def check(self) -> None:
        assert mirrors(self.stage) == mirrors(self.calm)
        assert outcomes(self.stage) == outcomes(self.calm)
        assert sent(self.stage) == sent(self.calm)
        assert any(state == "sent" for _, state in sent(self.stage))


class RecordsMixed(Arrivals):
    """As the queue delivers: each record in order, the records mixed."""

    definitions = STAGES

    def changes(self, random: Random) -> list[Change]:
        return stages_and_amounts(random)

    def arrival(self, changes: list[Change], random: Random) -> list[Change]:
        waiting: dict[RecordKey, list[Change]] = {}
        for change in changes:
            waiting.setdefault(change.key, []).append(change)
        turns = [change.key for change in changes]
        random.shuffle(turns)
        return [waiting[key].pop(0) for key in turns]


class EverythingMixed(Arrivals):
    """As a careless source sends: any order at all."""

    definitions = ONE_FIELD_EACH

    def changes(self, random: Random) -> list[Change]:
        return one_field_each(random)

    def arrival(self, changes: list[Change], random: Random) -> list[Change]:
        return random.sample(changes, len(changes))


class SwappedToo(Arrivals):
    """Any order again, of changes that write the same fields, and of deletions."""

    definitions = STAGES

    def changes(self, random: Random) -> list[Change]:
        return stages_and_amounts(random)

    def arrival(self, changes: list[Change], random: Random) -> list[Change]:
        return random.sample(changes, len(changes))

    def check(self) -> None:
        assert mirrors(self.stage) == mirrors(self.calm)
        messages = [message.key for message in self.stage.offline.mailer.sent]
        assert messages and sorted(messages) == [key for key, state in sent(self.stage) if state == "sent"]


PLAYED = settings(max_examples=8, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow])
TestRecordsMixed = RecordsMixed.TestCase
TestRecordsMixed.settings = PLAYED
TestEverythingMixed = EverythingMixed.TestCase
TestEverythingMixed.settings = PLAYED
TestSwappedToo = SwappedToo.TestCase
TestSwappedToo.settings = PLAYED
