"""Several mistakes in one go: none hides another, and none is told that is only the consequence of another."""

# ruff: noqa: E501  # a table is read in rows

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stagebell.cli.files import read_directory
from stagebell.contracts.definitions.kinds import read_definition
from stagebell.services.check import check_definitions
from stagebell.services.checks.world import Nothing
from tests.unit.test_action_forms import LEAST, action
from tests.unit.test_action_mistakes import TOOLS, WRONG, problems_of, told, workflow
from tests.unit.test_definition_mistakes import EXAMPLE_SETS, EXAMPLES

# kind of action, parts, and the whole of what is told
ACTIONS = [
    ("create_task", {"title": "", "due": {"date": "amount"}}, [("title", "length"), ("due.date", "date_field")], "a text that is required"),
    ("create_task", {"title": None, "due": "soon"}, [("title", "required"), ("due", "duration")], "one that is not there"),
    ("create_task", {"titel": "T", "title": None, "due": "soon"}, [("titel", "unknown_key"), ("due", "duration")], "one that is misspelt, which is not missing as well"),
    ("create_task", {"title": "", "remind": [{"before_due": "1 hour", "after_due": "1 hour", "body": "{{ task.titel }}"}]}, [("title", "length"), ("remind[0]", "exactly_one"), ("remind[0].body", "known_field")], "two of one, and what is said with them"),
    ("create_task", {"remind": [{"via": []}]}, [("remind[0].via", "count"), ("remind[0]", "exactly_one")], "neither of one"),
    ("notify", {"to": [{}, {"role": ""}, {"field": "boss"}], "body": "{{ deal.nmae }}"}, [("to[0]", "exactly_one"), ("to[1].role", "length"), ("to[2].field", "known_field"), ("body", "known_field")], "recipients of every sort"),
    ("notify", {"to": [{"rol": "sales"}]}, [("to[0].rol", "unknown_key")], "a key that is misspelt is one"),
    ("notify", {"to": [{"role": "a", "user": "b", "colour": "c"}]}, [("to[0].colour", "unknown_key"), ("to[0]", "exactly_one")], "two keys are too many with a third as well"),
    ("notify", {"to": [{"field": "contact"}], "via": ["mail"], "label": 7}, [("via[0]", "one_of"), ("label", "text")], "e-mail may be meant, to which an address is right"),
    ("notify", {"to": [{"field": "contact"}], "vi": ["email"]}, [("vi", "unknown_key")], "and here too"),
    ("notify", {"template": "", "body": None, "subject": "{{ deal.nmae }}"}, [("template", "form"), ("", "one_content"), ("subject", "known_field")], "a template and a subject"),
    ("send_email", {"template": "letter", "subject": "{{ deal.nmae }}", "on_failure": "wait"}, [("on_failure", "one_of"), ("", "one_content"), ("subject", "known_field")], "a template and more"),
    ("send_email", {"template": "letter", "cc": [{"role": "a"}] * 50}, [("", "one_content"), ("", "recipient_limit")], "two rules at once"),
    ("send_email", {"text": ""}, [("text", "length")], "an empty text is there, though empty"),
    ("send_email", {"txt": "T", "text": None}, [("txt", "unknown_key")], "and so is a misspelt one"),
    ("send_sms", {"text": 5, "template": "letter"}, [("text", "text"), ("", "one_content"), ("template", "template_channel")], "a text and a template"),
    ("update_field", {"related": "", "set": {"employees": 1}}, [("related", "form")], "whose fields they are is not known"),
    ("update_field", {"relatd": "account", "set": {"employees": 1}}, [("relatd", "unknown_key")], "nor here"),
    ("update_field", {"set": {"name": "", "amount": {"add": "3 days"}, "Count": 1}}, [("set.name", "present"), ("set.Count", "form"), ("set.amount.add", "number")], "values, each by itself"),
    ("assign_owner", {"to": {"field": "account"}, "among": [{}], "by": "chance"}, [("among[0]", "exactly_one"), ("by", "one_of"), ("", "to_or_among"), ("to.field", "recipient_field")], "a person and a group"),
    ("set_stage", {"field": "", "to": "Wno"}, [("field", "form")], "what stages there are is not known"),
    ("lock_record", {"why": "{{ deal.nmae }}", "at": {"after": 5}, "cancel_if": {"field": "stage", "op": "changed"}}, [("at.after", "text"), ("why", "known_field")], "it has a time, if not this one"),
    ("lock_record", {"only_if": {"field": "", "op": "is", "value": {}}}, [("only_if.field", "form"), ("only_if.value", "field_value"), ("only_if.op", "known_operator")], "a condition"),
    ("lock_record", {"only_if": {"field": "prise", "op": "is"}}, [("only_if.field", "known_field"), ("only_if.op", "known_operator")], "a condition of which all is wrong"),
    ("lock_record", {"only_if": {"any": []}, "label": ""}, [("only_if.any", "count"), ("label", "length")], "a condition without parts"),
    ("lock_record", {"at": {"date": "met", "offset": "soon", "time": "25:00"}}, [("at.date", "date_field"), ("at.offset", "duration"), ("at.time", "time_of_day")], "a time of which all is wrong"),
    ("call_webhook", {"url": "crm", "secret": "", "body": {"a": "{{ deal.nmae }}"}}, [("url", "form"), ("secret", "form"), ("body.a", "known_field")], "an address"),
    ("run_function", {"function": "", "parameters": {"a": {"field": "price"}, "1": 2}}, [("function", "form"), ("parameters.1", "form"), ("parameters.a.field", "known_field")], "a function"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parts", "mistakes", "reason"), ACTIONS, ids=[f"{a[0]}: {a[3]}" for a in ACTIONS])
def test_all_that_is_wrong_with_an_action_is_told(kind, parts, mistakes, reason):
    found = [(path if path != "actions[0]" else "", rule) for path, rule in told(kind, **parts)]

    assert sorted(found) == sorted(mistakes), reason


def test_an_action_of_no_known_type_is_looked_at_as_far_as_all_have_it():
    unknown = {
        "type": "send_fax",
        "name": "a b",
        "number": "{{",
        "at": {"after": "5 minuts"},
        "only_if": {"field": "prise", "op": "empty"},
    }

    found = [(p.path.removeprefix("actions[0]."), p.rule) for p in problems_of(workflow(unknown))]

    assert found == [("type", "action_type"), ("name", "form"), ("at.after", "duration"), ("only_if.field", "known_field")]  # fmt: skip


DEFINITIONS = [
    ({"trigger": {"on": "stage_exited", "field": "stage", "is": "Won"}}, [("trigger.on", "available")], "a stage is meant"),
    ({"trigger": {"on": "dat", "field": "due_on", "offset": "-1 day"}}, [("trigger.on", "one_of")], "a date is meant"),
    ({"trigger": "created", "only_if": {"field": "prise", "op": "changed"}}, [("trigger", "mapping"), ("only_if.field", "known_field")], "a trigger, whichever"),
    ({"triger": {"on": "created"}, "timezone": "Berlin"}, [("triger", "unknown_key"), ("timezone", "timezone")], "a trigger that is misspelt is there"),
    ({"trigger": {"on": "created", "fields": [5]}}, [("trigger.fields[0]", "text"), ("trigger", "trigger_fields")], "fields of what is new"),
    ({"name": "", "calendar": "", "reentry": "twice", "timezone": "Berlin"}, [("name", "form"), ("calendar", "form"), ("reentry", "one_of"), ("timezone", "timezone")], "the head of it"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "mistakes", "reason"), DEFINITIONS, ids=[d[2] for d in DEFINITIONS])
def test_all_that_is_wrong_with_the_head_of_a_definition_is_told(parts, mistakes, reason):
    document = workflow(action("notify", {"body": "{{ deal.nmae }}"}), **parts)
    if "triger" in parts:
        del document["trigger"]

    found = [(p.path, p.rule) for p in problems_of(document)]

    assert sorted(found) == sorted([*mistakes, ("actions[0].body", "known_field")]), reason


TEMPLATES = [
    ({"channel": "fax", "text": "{{ deal.nmae }}"}, [("channel", "one_of"), ("text", "known_field")], "which parts it needs is not known"),
    ({"channel": "sms", "text": None, "html": "{{"}, [("", "template_parts"), ("html", "template")], "parts of another channel"),
    ({"channel": "email", "subject": "", "text": "{{"}, [("subject", "length"), ("text", "template")], "a part that is empty is there"),
    ({"channel": "email", "marketing": "yes", "text": "T"}, [("marketing", "boolean"), ("", "template_parts")], "a part that is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "mistakes", "reason"), TEMPLATES, ids=[t[2] for t in TEMPLATES])
def test_all_that_is_wrong_with_a_template_is_told(parts, mistakes, reason):
    whole = {"kind": "template", "name": "t", **{key: part for key, part in parts.items() if part is not None}}

    assert sorted((p.path, p.rule) for p in problems_of(whole)) == sorted(mistakes), reason


THING = {"name": {"type": "text"}, "boss": {"type": "reference", "object": "user"}, "phase": {"type": "select", "options": ["a", "b"]}}  # fmt: skip
OBJECTS = [
    ({"fields": {"boss": {"type": "referenc", "object": "user"}}, "title": "{{ nmae }} {{ boss.name }}"}, [("fields.boss.type", "field_type"), ("title", "known_field")], "a field that may be of any type"),
    ({"fields": {"boss": {"type": "reference"}}}, [("fields.boss.object", "required")], "it may refer to a user"),
    ({"fields": {"phase": {"type": "select", "options": ["a", 2]}}}, [("fields.phase.options[1]", "text")], "options that are not all known"),
    ({"owner_field": 3, "record_url": "crm", "alias": ""}, [("owner_field", "text"), ("record_url", "form"), ("alias", "form")], "none of which hides the others"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "mistakes", "reason"), OBJECTS, ids=[row[2] for row in OBJECTS])
def test_all_that_is_wrong_with_an_object_is_told_once_and_hides_nothing_of_what_uses_it(parts, mistakes, reason):
    thing = {"kind": "object", "name": "thing", "owner_field": "boss", **parts, "fields": {**THING, **parts.get("fields", {})}}  # fmt: skip
    use = workflow(
        action("assign_owner", {"to": {"field": "boss"}}),
        action("set_stage", {"name": "b", "field": "phase", "to": "2"}),
        action("notify", {"name": "c", "to": [{"field": "boss.manager"}], "body": "{{ thing.nmae }}"}),
        object="thing",
        trigger={"on": "manual"},
    )

    of_thing, of_use = (checked.problems for checked in check_definitions([thing, use], Nothing(), TOOLS))

    assert sorted((p.path, p.rule) for p in of_thing) == sorted(mistakes), reason
    known = {("actions[1].to", "select"), ("actions[2].body", "known_field")}
    assert {(p.path, p.rule) for p in of_use} <= known, "whatever was meant"
    assert bool(of_use) == ("alias" not in parts), "unless all of it may go by another name"


@pytest.mark.parametrize("junk", [None, 3, "", [], {}, [{}], [[]], {"x": 1}], ids=repr)
@pytest.mark.parametrize("kind", LEAST)
def test_something_stands_in_for_every_part_that_an_action_needs(kind, junk):
    for key in LEAST[kind]:
        read = read_definition(workflow({**action(kind, {}), key: junk}))

        steps = [sketch.document["actions"] for sketch in read.sketches]

        assert steps or read.document, f"{key} hides the whole definition"
        assert all([step["type"] for step in actions] == [kind] for actions in steps), f"{key} hides the action"


DECIDES = {"set_stage": {"field", "to"}, "assign_owner": {"to", "among", "by"}}


@pytest.mark.parametrize(("kind", "parts", "rule", "path", "reason"), WRONG, ids=[f"{w[0]}: {w[4]}" for w in WRONG])
def test_a_mistake_of_meaning_is_told_whatever_other_part_of_its_action_is_mistaken(kind, parts, rule, path, reason):
    alone = set(told(kind, **parts))

    for key in {*LEAST[kind], "label", "on_failure", "only_if"} - {*parts} - DECIDES.get(kind, set()):
        assert set(told(kind, **{**parts, key: ""})) == alone | set(told(kind, **{key: ""})), f"{reason}, beside {key}"


# --- pairs of mistakes anywhere -------------------------------------------------------------------------------------

SETS: Mapping[str, Sequence[Any]] = {name: read_directory(EXAMPLES / name).documents for name in EXAMPLE_SETS}
GONE = "(gone)"
WORDS: Sequence[Any] = [None, 3, "", [], {}, [[]], True, "{{", GONE, "nope", ["nope"], {"field": "nope"}]
TOGETHER = {"kind", "name", "object", "alias", "stage", "trigger", "fields", "channel", "subject", "html", "text"}
"""What others of the same definition are understood by, or with."""


@dataclass(frozen=True)
class Mistake:
    definition: int
    place: tuple[Any, ...]
    written: Any

    @property
    def part(self) -> tuple[Any, ...]:
        """The key of its definition, or the step, in which it is."""
        return (self.definition, *self.place[: 2 if self.place[0] in ("steps", "actions") else 1])

    @property
    def decides(self) -> bool:
        return self.place[0] in TOGETHER or (len(self.place) == 1 and self.place[0] in ("steps", "actions"))

    def beside(self, other: "Mistake") -> bool:
        """Whether neither can be the cause of the other."""
        if self.definition == other.definition:
            return self.part != other.part and not self.decides and not other.decides
        return True


@st.composite
def mistakes(draw: st.DrawFn, documents: Sequence[Any]) -> Mistake:
    index = draw(st.integers(0, len(documents) - 1))
    places = [place for place in _places(documents[index]) if place not in (("kind",), ("name",))]
    return Mistake(index, draw(st.sampled_from(places)), draw(st.sampled_from(WORDS)))


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*place, key)
        yield from _places(part, (*place, key))


def found_with(documents: Sequence[Any], *mistaken: Mistake) -> set[tuple[int, str, str]]:
    documents = copy.deepcopy(list(documents))
    for mistake in mistaken:
        around = documents[mistake.definition]
        for key in mistake.place[:-1]:
            around = around[key]
        around[mistake.place[-1]] = mistake.written
        if mistake.written == GONE:
            del around[mistake.place[-1]]
    checked = check_definitions(documents, Nothing(), TOOLS)
    return {(index, p.path, p.rule) for index, result in enumerate(checked) for p in result.problems}


@given(name=st.sampled_from(EXAMPLE_SETS), data=st.data())
def test_two_mistakes_in_different_places_are_both_told_and_nothing_else(name, data):
    documents = SETS[name]
    one, other = data.draw(mistakes(documents)), data.draw(mistakes(documents))
    assume(one.beside(other))

    together = found_with(documents, one, other)

    apart = found_with(documents, one) | found_with(documents, other)
    assert together <= apart
    assert together == apart or {"fields", "alias"} & {one.place[0], other.place[0]}, "what has such a field is gone"
