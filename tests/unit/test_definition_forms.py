"""The form of definitions: what is read, what is kept, and what is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest

from stagebell.contracts.definitions.kinds import KINDS, read_definition
from stagebell.domain.conditions import compile_condition
from stagebell.domain.objects import read_object
from stagebell.domain.recipients import RECIPIENT_KINDS, Recipient, read_recipients
from stagebell.domain.scenario_documents import read_scenario

DEAL = {"kind": "object", "name": "deal", "fields": {"amount": {"type": "decimal"}, "stage": {"type": "text"}}}


def scenario(**parts: Any) -> dict[str, Any]:
    step = {"name": "1", "type": "send_email", "at": {"after": "2 hours"}, "to": [{"role": "x"}], "template": "t"}
    return {
        "kind": "scenario",
        "name": "U1",
        "object": "deal",
        "stage": {"field": "stage", "is": "New"},
        "steps": [step],
        **parts,
    }


def normalised(document: object) -> Any:
    read = read_definition(document)
    assert not read.problems
    return read.document


def rules(document: object) -> list[tuple[str, str]]:
    return [(p.path, p.rule) for p in read_definition(document).problems]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (Decimal("1000.10"), "1000.10"),  # a decimal keeps every digit
        (Decimal("0.1"), "0.1"),
        (Decimal("3.0"), 3),  # a whole number fits integer fields too
        (Decimal("1E+3"), 1000),
        (0.1, "0.1"),  # a float, where the reader made one, becomes what was written
        (20000, 20000),
        ("2 - High", "2 - High"),
        (True, True),
        ([1, Decimal("2.5")], [1, "2.5"]),
        ({"field": "limit"}, {"field": "limit"}),
    ],
)
def test_a_literal_of_a_condition_survives_exactly(written: object, kept: object) -> None:
    document = normalised(scenario(only_if={"field": "amount", "op": "eq", "value": written}))

    assert document["only_if"]["value"] == kept
    assert type(document["only_if"]["value"]) is type(kept)
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize("value", [float("nan"), Decimal("Infinity"), {"field": 3}, {"a": "b"}, [[1]]])
def test_a_literal_that_is_none_is_refused(value: object) -> None:
    found = rules(scenario(only_if={"field": "amount", "op": "eq", "value": value}))

    assert [path for path, _ in found] == ["only_if.value"]


def test_reading_a_normalised_definition_again_changes_nothing() -> None:
    document = normalised(scenario(cancel_if={"not": {"any": [{"field": "stage", "op": "changed"}]}}))

    assert normalised(document) == document


def test_keys_keep_the_words_of_the_file() -> None:
    document = normalised(
        scenario(
            stage={"field": "stage", "is": ["New", "Open"]},
            only_if={"not": {"field": "stage", "op": "empty"}},
            steps=[
                {
                    "name": "1",
                    "type": "send_sms",
                    "at": {"after": "1 hour", "from": "stage_left"},
                    "quiet_hours": {"from": "22:00", "to": "06:00"},
                    "to": [{"creator": True}],
                    "text": "Hello",
                }
            ],
        )
    )

    assert document["stage"]["is"] == ["New", "Open"]
    assert document["only_if"]["not"]["op"] == "empty"
    assert document["steps"][0]["at"]["from"] == "stage_left"
    assert document["steps"][0]["quiet_hours"] == {"from": "22:00", "to": "06:00"}


def test_the_domain_reads_what_is_stored() -> None:
    schema = {"deal": read_object(normalised(DEAL))}
    problems: list[Any] = []

    compile_condition({"field": "amount", "op": "gte", "value": "1000.10"}, "deal", schema, problems)
    compiled = read_scenario(normalised(scenario()), 1, schema, problems)

    assert problems == []
    assert compiled is not None
    assert dict(compiled.steps[0].params) == {"to": [{"role": "x"}], "template": "t"}


@pytest.mark.parametrize("name", ["U1", "1", "salesperson-not-assigned", "a_b", "A" * 63])
def test_scenarios_may_be_named_as_people_name_them(name: str) -> None:
    assert normalised(scenario(name=name))["name"] == name


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "A" * 64, "ä", "a\n", "_a"])
def test_names_that_do_not_fit_an_address_are_refused(name: str) -> None:
    assert rules(scenario(name=name)) == [("name", "form")]


@pytest.mark.parametrize("document", [None, 3, "kind: object", [], [DEAL]])
def test_what_is_no_mapping_is_one_problem(document: object) -> None:
    assert rules(document) == [("", "mapping")]


def test_a_definition_nested_without_end_is_refused_before_it_is_read() -> None:
    condition: dict[str, Any] = {"field": "stage", "op": "empty"}
    for _ in range(20_000):
        condition = {"not": condition}

    assert rules(scenario(only_if=condition)) == [("", "depth_limit")]


def test_fifty_steps_are_allowed_and_one_more_is_not() -> None:
    def steps(count: int) -> list[dict[str, Any]]:
        return [{**scenario()["steps"][0], "name": str(number)} for number in range(count)]

    assert rules(scenario(steps=steps(50))) == []
    assert rules(scenario(steps=steps(51))) == [("steps", "count")]


def test_an_absent_part_may_be_written_as_null() -> None:
    assert normalised(scenario(trigger=None, only_if=None)) == normalised(scenario())


def test_every_kind_says_its_problems_without_the_words_of_a_library() -> None:
    told = [p for kind in KINDS for p in read_definition({"kind": kind, "name": 3, "fields": 4, "steps": [5]}).problems]

    assert told
    assert not [p for p in told if "pydantic" in p.message.lower() or "input should" in p.message.lower()]


def test_recipients_are_read_by_their_one_key() -> None:
    written = [{"field": "owner"}, {"role": "manager"}, {"phone": "+49 30 901820"}, {"creator": True}]

    assert read_recipients(written) == (
        Recipient("field", "owner"),
        Recipient("role", "manager"),
        Recipient("phone", "+49 30 901820"),
        Recipient("creator"),
    )
    assert read_recipients(None) == ()


@pytest.mark.parametrize("kind", RECIPIENT_KINDS)
def test_every_kind_of_recipient_can_be_written(kind: str) -> None:
    step = {**scenario()["steps"][0], "to": [{kind: True if kind == "creator" else "owner"}]}

    assert rules(scenario(steps=[step])) == []
