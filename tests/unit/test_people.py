"""Recipients: who they are at the moment of sending, each once, and why somebody is nobody."""

from typing import Any

import pytest

from tests.stage import UNASSIGNED, Stage, mail, scenario


def written_to(stage: Stage) -> list[str]:
    return sorted(message.to for message in stage.offline.mailer.sent)


def staffed(*to: dict[str, Any], **more: Any) -> Stage:
    """A sales department: Ada reports to Bob; Cy has left; Di has no address."""
    stage = Stage(scenario(steps=[mail("m", {"after": "5 minutes"}, to=list(to), **more)]))
    stage.user("ada", name="Ada", email="ada@example.com", manager="bob", department="sales", roles=["seller"])
    stage.user("bob", name="Bob", email="bob@example.com", department="sales", roles=["seller", "boss"])
    stage.user("cy", name="Cy", email="cy@example.com", department="sales", roles=["seller"], active=False)
    stage.user("di", name="Di", phone="+49 30 901820", department="board")
    stage.post("sales", object="department", name="Sales", manager="bob")
    stage.post("a1", object="account", name="Acme", owner="ada")
    return stage


@pytest.mark.parametrize(
    ("to", "expected", "reason"),
    [
        ([{"field": "owner"}], ["ada@example.com"], "a reference to a user"),
        ([{"field": "contact"}], ["eve@acme.example"], "an e-mail field"),
        ([{"field": "account.owner"}], ["ada@example.com"], "a path to a user"),
        ([{"field": "owner.manager"}], ["bob@example.com"], "through the user"),
        ([{"field": "owner.department.manager"}], ["bob@example.com"], "through the department"),
        ([{"manager_of": "owner"}], ["bob@example.com"], "in other words"),
        ([{"user": "bob"}], ["bob@example.com"], "by id"),
        ([{"role": "seller"}], ["ada@example.com", "bob@example.com"], "everybody active with the role"),
        ([{"department": "sales"}], ["ada@example.com", "bob@example.com"], "and in the department"),
        ([{"creator": True}], ["bob@example.com"], "who created the record"),
        ([{"address": "desk@example.com"}], ["desk@example.com"], "an address as written"),
        ([{"role": "boss"}, {"user": "bob"}, {"address": "BOB@example.com"}], ["bob@example.com"], "each address once"),
        ([{"user": "di"}, {"user": "ada"}], ["ada@example.com"], "nobody beside somebody does not matter"),
    ],
)
def test_a_recipient_is_found(to, expected, reason):
    stage = staffed(*to)
    stage.post(type_="created", stage=UNASSIGNED, owner="ada", account="a1", contact="eve@acme.example", actor_="bob")

    stage.advance(minutes=5)

    assert written_to(stage) == expected, reason


@pytest.mark.parametrize(
    ("to", "why", "reason"),
    [
        ({"field": "owner"}, "not_set", "the deal has no owner"),
        ({"field": "account.owner"}, "not_set", "nor an account"),
        ({"manager_of": "owner"}, "not_set", "so no manager either"),
        ({"creator": True}, "not_set", "nobody knows who created it"),
        ({"user": "zoe"}, "no_such_user", "an unknown user"),
        ({"user": "cy"}, "inactive_user", "who has left"),
        ({"user": "di"}, "no_email", "without an address"),
        ({"role": "wizard"}, "empty_group", "a role that nobody has"),
        ({"department": "moon"}, "empty_group", "a department without people"),
    ],
)
def test_nobody_is_an_outcome_with_a_reason_and_no_error(to, why, reason):
    stage = staffed(to)
    stage.post(stage=UNASSIGNED)

    stage.advance(minutes=5)

    step = stage.runs()[0].steps[0]
    assert (step.status, step.reason, stage.runs()[0].status) == ("skipped", why, "completed"), reason
    assert stage.deliveries == []


MEETING = {
    "kind": "workflow",
    "name": "invite",
    "object": "calendar_event",
    "trigger": {"on": "created"},
    "actions": [mail("m", {}, to=[{"field": "attendees"}], subject="You are invited") | {"at": None}],
}


@pytest.mark.parametrize(
    ("attendees", "expected", "missing", "reason"),
    [
        (["ada", "guest@acme.example"], ["ada@example.com", "guest@acme.example"], [], "a user and an address"),
        (["ada", "ADA@example.com"], ["ada@example.com"], [], "the same person in two ways"),
        (["bob", "cy"], ["bob@example.com"], ["inactive_user"], "one who has left"),
        (["zoe", "di"], [], ["no_such_user", "no_email"], "one nobody knows, and one without an address"),
        ([], [], ["not_set"], "nobody at all"),
    ],
)
def test_a_field_of_several_people_names_users_by_their_ids_and_others_by_their_addresses(
    attendees, expected, missing, reason
):
    stage = staffed({"user": "ada"})
    stage.activate(MEETING)

    stage.post("e1", object="calendar_event", type_="created", title="Visit", attendees=attendees)
    stage.advance(minutes=0)

    (run,) = stage.offline.runs.of_definition("invite").items
    assert written_to(stage) == expected, reason
    assert [entry["reason"] for entry in (run.steps[0].why or {"missing": []})["missing"]] == missing


def test_people_of_a_field_of_several_are_told_apart_when_they_are_not_reached():
    stage = staffed({"user": "ada"})
    stage.activate(MEETING)
    stage.user("dan", name="Dan", active=False)

    stage.post("e1", object="calendar_event", type_="created", title="Visit", attendees=["cy", "dan"])
    stage.advance(minutes=0)

    (run,) = stage.offline.runs.of_definition("invite").items
    assert run.steps[0].why == {
        "missing": [
            {"recipient": "field attendees", "user": "cy", "reason": "inactive_user"},
            {"recipient": "field attendees", "user": "dan", "reason": "inactive_user"},
        ]
    }


def test_recipients_are_those_of_the_moment_of_sending():
    stage = staffed({"field": "owner"}, {"role": "boss"})
    stage.post(stage=UNASSIGNED, owner="ada")

    stage.post(owner="bob")
    stage.user("ada", roles=["boss"])
    stage.user("bob", roles=["seller"], email="bob@new.example")
    stage.advance(minutes=5)

    assert written_to(stage) == ["ada@example.com", "bob@new.example"]


def test_a_user_who_is_deleted_leaves_the_groups():
    stage = staffed({"role": "boss"})
    stage.post(stage=UNASSIGNED)

    stage.user("bob", type_="deleted")
    stage.advance(minutes=5)

    assert stage.runs()[0].steps[0].reason == "empty_group"


def test_copies_and_answers_go_with_the_first_message_only():
    copies = {"cc": [{"user": "bob"}], "bcc": [{"address": "log@example.com"}], "reply_to": [{"field": "owner"}]}
    stage = staffed({"address": "one@x.example"}, {"address": "two@x.example"}, **copies)
    stage.offline.suppressions.add("email", "log@example.com", "complained", stage.now)
    stage.post(stage=UNASSIGNED, owner="ada")

    stage.advance(minutes=5)

    first, second = sorted(stage.offline.mailer.sent, key=lambda email: email.to)
    assert (first.cc, first.bcc, second.cc, second.bcc) == (("bob@example.com",), (), (), ())
    assert first.reply_to == second.reply_to == ("ada@example.com",)
    assert [d.copies for d in stage.deliveries if d.recipient == "one@x.example"] == [("bob@example.com",)]


@pytest.mark.parametrize(
    ("to", "phones", "state", "reason"),
    [
        ([{"phone": "+49 30 901820"}, {"user": "di"}], ["+4930901820"], "sent", "two spellings of one number"),
        ([{"field": "mobile"}], ["+4930901821"], "sent", "a phone field"),
        ([{"phone": "+49 1"}], [], "suppressed", "a number that is none"),
    ],
)
def test_an_sms_goes_to_numbers(to, phones, state, reason):
    step = {"name": "sms", "type": "send_sms", "at": {"after": "5 minutes"}, "to": to, "text": "Hello"}
    stage = Stage(scenario(steps=[step]))
    stage.user("di", name="Di", phone="+49 (0)30 90 18 20")
    stage.post(stage=UNASSIGNED, mobile="+49 30 901821")

    stage.advance(minutes=5)

    assert [sms.phone for sms in stage.offline.texter.sent] == phones, reason
    assert {d.state for d in stage.deliveries} == {state}
