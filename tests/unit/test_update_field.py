"""The action update_field on a small Stagebell: what it writes, what it refuses, and what goes on all the same."""

from typing import Any

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.fields import FIELD_TYPES
from tests.stage import UNASSIGNED, Stage, scenario

FIELDS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "text": {"type": "text"},
    "integer": {"type": "integer"},
    "decimal": {"type": "decimal"},
    "currency": {"type": "currency", "currency": "EUR"},
    "boolean": {"type": "boolean"},
    "select": {"type": "select", "options": ["Open", "Won"]},
    "multi_select": {"type": "multi_select", "options": ["hot", "cold"]},
    "date": {"type": "date"},
    "datetime": {"type": "datetime"},
    "reference": {"type": "reference", "object": "user"},
    "email": {"type": "email"},
    "phone": {"type": "phone"},
    "url": {"type": "url"},
    "order": {"type": "reference", "object": "order"},
}
ORDER = {"kind": "object", "name": "order", "owner_field": "reference", "fields": FIELDS}
OLD: dict[str, Any] = {
    "name": "Order 1",
    "text": "old",
    "integer": 1,
    "decimal": "1.5",
    "currency": "10",
    "boolean": False,
    "select": "Open",
    "multi_select": ["hot"],
    "date": "2026-01-01",
    "datetime": "2026-01-01T00:00:00Z",
    "reference": "ada",
    "email": "old@example.com",
    "phone": "+49 30 1",
    "url": "https://example.com/old",
}


def updating(values: dict[str, Any], name: str = "update", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "update_field", "set": values, **more}


def workflow(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    trigger = {"on": "created"}
    return {
        "kind": "workflow",
        "name": "on-order",
        "object": "order",
        "trigger": trigger,
        "actions": [*actions],
        **more,
    }


def ordered(*actions: dict[str, Any], zone: str = "UTC", fields: dict[str, Any] = OLD, **more: Any) -> Stage:
    """An order is created, and the workflow acts."""
    stage = Stage(ORDER, workflow(*actions, **more), zone=zone)
    stage.user("ada", name="Ada", manager="bob", timezone="Asia/Tokyo", email="ada@example.com")
    stage.post("o1", object="order", type_="created", **fields)
    stage.advance(minutes=0)
    return stage


def order(stage: Stage, name: str = "o1") -> dict[str, Any]:
    return dict(stage.record(name, "order").current)


def steps(stage: Stage, record: str = "o1") -> list[tuple[str, str]]:
    run = stage.offline.runs.of_record(RecordKey("order", record)).items[0]
    return [(step.status, step.reason) for step in run.steps]


def why(stage: Stage) -> Any:
    return stage.offline.runs.of_record(RecordKey("order", "o1")).items[0].steps[0].why


VALID: dict[str, tuple[Any, Any]] = {
    "text": ("new", "new"),
    "integer": (2, 2),
    "decimal": ("2.50", "2.5"),
    "currency": (20, "20"),
    "boolean": (True, True),
    "select": ("Won", "Won"),
    "multi_select": (["cold", "hot"], ["hot", "cold"]),
    "date": ("2026-02-02", "2026-02-02"),
    "datetime": ("2026-02-02T10:00:00+01:00", "2026-02-02T09:00:00.000000Z"),
    "reference": ("bob", "bob"),
    "email": ("new@example.com", "new@example.com"),
    "phone": ("+49 30 2", "+49 30 2"),
    "url": ("https://example.com/new", "https://example.com/new"),
}
"""Of every field type: a value as written, and as it is stored."""

INVALID: dict[str, tuple[str, Any]] = {
    "text": ("{{ 'x' * 70000 }}", "longer than a text may be"),
    "integer": ("many", "no number"),
    "decimal": ("1,5", "a comma is no decimal point"),
    "currency": ("EUR 5", "an amount is a number"),
    "boolean": ("perhaps", "neither true nor false"),
    "select": ("Lost", "no option"),
    "multi_select": ("hot, lost", "one of them is no option"),
    "date": ("2026-02-30", "no such day"),
    "datetime": ("2026-02-02T10:00:00", "without a zone"),
    "reference": ("{{ 'x' * 300 }}", "longer than an id may be"),
    "email": ("nobody", "no address"),
    "phone": ("call me", "no number"),
    "url": ("example.com", "no scheme"),
}
"""Of every field type: what a template may come to that the field does not take, and why."""


def test_the_tables_cover_every_field_type():
    assert set(VALID) == set(INVALID) == set(FIELD_TYPES)


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_a_valid_value_of_every_type_is_written(kind):
    written, stored = VALID[kind]

    stage = ordered(updating({kind: written}), updating({"name": "after"}, "next"))

    assert (order(stage)[kind], order(stage)["name"]) == (stored, "after")
    assert steps(stage) == [("acted", ""), ("acted", "")]


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_an_invalid_value_of_every_type_leaves_the_old_one_shows_and_does_not_stop_the_next_action(kind):
    template, reason = INVALID[kind]
    valid = "select" if kind != "select" else "text"
    before = order(ordered(updating({"name": "after"})))

    stage = ordered(
        updating({kind: {"template": template}, valid: VALID[valid][0]}), updating({"name": "after"}, "next")
    )

    assert order(stage) == before, f"{reason}: what was valid beside it is not written either"
    assert steps(stage) == [("failed", "invalid_input"), ("acted", "")]
    assert [problem["path"] for problem in why(stage)["problems"]] == [f"set.{kind}"]
    assert why(stage)["problems"][0]["rule"] in (kind, "template")


def test_a_step_that_says_stop_ends_the_run_when_a_value_is_invalid():
    stage = ordered(updating({"email": {"field": "name"}}, on_failure="stop"), updating({"name": "after"}, "next"))

    assert steps(stage) == [("failed", "invalid_input"), ("cancelled", "step_failed")]
    assert order(stage)["name"] == "Order 1"


def test_a_required_field_is_not_emptied():
    stage = ordered(updating({"name": {"template": "{{ order.order }}"}}))

    assert why(stage)["problems"][0]["rule"] == "required"
    assert order(stage)["name"] == "Order 1"


def test_every_action_sees_what_the_one_before_it_wrote():
    stage = ordered(
        updating({"integer": {"add": 2}}, "a"),
        updating({"integer": {"multiply": 10}}, "b"),
        updating({"currency": {"divide": {"field": "integer"}}}, "c"),
    )

    assert (order(stage)["integer"], order(stage)["currency"]) == (30, "0.33")


def test_all_fields_of_one_action_are_worked_out_from_what_was_there_before_it():
    stage = ordered(updating({"text": {"field": "name"}, "name": {"field": "text"}}))

    assert (order(stage)["name"], order(stage)["text"]) == ("old", "Order 1")


def test_only_what_differs_is_in_the_change():
    stage = ordered(updating({"integer": 1, "decimal": "1.50", "text": "new"}))

    change = stage.offline.records.history(RecordKey("order", "o1")).items[0].change
    assert (dict(change.fields), change.source) == ({"text": "new"}, "stagebell")


def test_where_nothing_differs_nothing_is_written():
    stage = ordered(updating({"integer": 1, "url": {"field": "url"}}))

    assert steps(stage) == [("acted", "unchanged")]
    assert len(stage.offline.records.history(RecordKey("order", "o1")).items) == 1


def test_a_person_is_found_over_a_reference():
    stage = ordered(updating({"reference": {"field": "reference.manager"}}))

    assert order(stage)["reference"] == "bob"


def test_what_a_template_shows_of_a_field_can_be_written_back():
    copied = {name: {"template": f"{{{{ order.{name} }}}}"} for name in ("integer", "boolean", "select")}
    fields = {**OLD, "decimal": "1234567.125", "boolean": True}

    stage = ordered(updating({**copied, "decimal": {"template": "{{ order.decimal + 1 }}"}}), fields=fields)

    assert steps(stage) == [("acted", "")]
    assert (order(stage)["decimal"], order(stage)["boolean"]) == ("1234568.125", True)


def test_a_template_sees_the_record_and_what_it_refers_to_in_any_spelling():
    stage = ordered(updating({"text": {"template": "{{ Order.NAME }} of {{ order.reference.name }}"}}))

    assert order(stage)["text"] == "Order 1 of Ada"


@pytest.mark.parametrize(
    ("timezone", "expected", "why"),
    [
        ("", "2026-03-02", "in Tokyo, where the owner is, it is 18:00"),
        ("Pacific/Kiritimati", "2026-03-02", "23:00: still the same day"),
        ("Pacific/Pago_Pago", "2026-03-01", "the definition's zone goes first: 22:00 of the day before"),
    ],
)
def test_a_day_is_that_of_the_record(timezone, expected, why):
    stage = ordered(updating({"date": {"now": True}}), zone="America/Los_Angeles", timezone=timezone)

    assert order(stage)["date"] == expected, why


def test_the_day_of_an_owner_in_another_zone_than_the_stack():
    fields = {**OLD, "datetime": "2026-01-01T20:00:00Z"}

    stage = ordered(
        updating({"date": {"field": "datetime"}, "text": {"template": "{{ order.datetime }}"}}), fields=fields
    )

    assert order(stage)["date"] == "2026-01-02", "05:00 in Tokyo"
    assert "5:00" in order(stage)["text"], "and a template shows the same"


def test_business_days_follow_the_calendar_of_the_definition():
    calendar = {"kind": "calendar", "name": "desk", "timezone": "Europe/Berlin", "dates": ["2026-03-03"]}
    action = updating({"date": {"add": "2 business days"}})
    stage = Stage(ORDER, calendar, workflow(action, calendar="desk"))

    stage.post("o1", object="order", type_="created", name="x", date="2026-03-02")
    stage.advance(minutes=0)

    assert order(stage)["date"] == "2026-03-05", "the third is closed"


# --- related records ---

FIRST = {"field": "name", "op": "eq", "value": "o1"}


def test_a_related_record_is_updated_from_what_the_step_sees():
    stage = Stage(ORDER, workflow(updating({"text": {"field": "name"}, "integer": {"add": 5}}, related="order")))
    stage.post("o0", object="order", name="Parent", integer=2)

    stage.post("o1", object="order", type_="created", name="Child", order="o0", integer=100)
    stage.advance(minutes=0)

    parent = stage.record("o0", "order").current
    assert (parent["text"], parent["integer"]) == ("Child", 7), "the old value is that of the record that is updated"
    assert order(stage)["integer"] == 100


def test_a_record_two_references_away_is_updated():
    stage = Stage(ORDER, workflow(updating({"text": "grown"}, related="order.order"), only_if=FIRST))
    for name, parent in (("o3", None), ("o2", "o3"), ("o1", "o2")):
        stage.post(name, object="order", type_="created", name=name, order=parent)

    stage.advance(minutes=0)

    assert [stage.record(name, "order").current.get("text") for name in ("o3", "o2", "o1")] == ["grown", None, None]


@pytest.mark.parametrize(
    ("parent", "reason"),
    [(None, "not_set"), ("nobody", "no_such_record"), ("gone", "no_such_record")],
)
def test_where_there_is_no_related_record_the_step_is_skipped(parent, reason):
    stage = Stage(ORDER, workflow(updating({"text": "x"}, related="order"), only_if=FIRST))
    stage.post("gone", object="order", type_="created", name="gone")
    stage.post("gone", object="order", type_="deleted")

    stage.post("o1", object="order", type_="created", name="o1", order=parent)
    stage.advance(minutes=0)

    assert steps(stage) == [("skipped", reason)]


def test_a_change_of_a_related_record_starts_its_own_workflows_and_knows_its_causes():
    grown = {
        "kind": "workflow",
        "name": "account-grown",
        "object": "account",
        "trigger": {"on": "updated", "fields": ["employees"]},
        "actions": [updating({"tier": "gold"})],
    }
    action = updating({"employees": {"add": 1}}, related="account")
    stage = Stage(grown, scenario(steps=[{**action, "at": {"after": "1 hour"}}]))
    stage.post("a1", object="account", tier="basic", employees=1)
    stage.post(stage=UNASSIGNED, account="a1")

    stage.advance(hours=1)

    started = stage.offline.runs.of_record(RecordKey("account", "a1")).items[0]
    assert dict(stage.record("a1", "account").current)["tier"] == "gold"
    assert started.causes == (stage.runs()[0].id,)


def test_a_deleted_record_stays_deleted():
    stage = ordered(updating({"text": "back"}), trigger={"on": "deleted"})

    stage.post("o1", object="order", type_="deleted")
    stage.advance(minutes=0)

    assert steps(stage) == [("skipped", "record_deleted")]
    assert not stage.record("o1", "order").exists


def test_a_field_that_the_object_no_longer_has_fails_the_step():
    stage = Stage(ORDER, workflow(updating({"text": "x"}), updating({"name": "after"}, "next")))
    fields = {name: spec for name, spec in FIELDS.items() if name != "text"}
    stage.activate({**ORDER, "fields": fields})

    stage.post("o1", object="order", type_="created", name="x")
    stage.advance(minutes=0)

    assert why(stage)["problems"][0]["rule"] == "known_field"
    assert order(stage)["name"] == "after"


def test_a_workflow_that_changes_what_starts_it_ends():
    action = updating({"integer": {"add": 1}})
    stage = ordered(action, trigger={"on": "updated", "fields": ["integer"]})

    stage.post("o1", object="order", integer=10)
    stage.advance(minutes=0)

    assert order(stage)["integer"] == 18, "eight runs, each caused by the one before; the ninth is refused"
    history = stage.offline.records.history(RecordKey("order", "o1")).items
    assert [e["outcome"] for applied in history for e in applied.evaluations].count("loop_stopped") == 1
