"""Invitations: what the attendees of a calendar event get by e-mail, and what their calendars make of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar, Event

from stagebell.adapters.invitation_files import calendar_file
from stagebell.domain.invitations import DOCUMENTS, Invitation, Party
from stagebell.ports.messages import Email
from tests.stage import START, Stage

EVENT = {
    "title": "Kick-off",
    "starts_at": "2026-03-03T09:00:00Z",
    "ends_at": "2026-03-03T10:00:00Z",
    "location": "Prague",
    "organizer": "u1",
    "attendees": ["u2", "guest@example.org"],
    "invite": True,
    "state": "confirmed",
}


def stage_with_people() -> Stage:
    stage = Stage()
    stage.user("u1", name="Ada", email="ada@example.com")
    stage.user("u2", name="Bob", email="bob@example.com")
    stage.user("u3", name="Cyd")
    return stage


def planned(**fields: Any) -> Stage:
    """An event, and the mail that went out for it."""
    stage = stage_with_people()
    stage.post("e1", object="calendar_event", type_="created", **{**EVENT, **fields})
    stage.advance(minutes=0)
    return stage


def changed(stage: Stage, **fields: Any) -> list[Email]:
    """The mail that went out for one change of the event."""
    before = len(stage.offline.mailer.sent)
    stage.advance(minutes=5)
    stage.post("e1", object="calendar_event", **fields)
    stage.advance(minutes=0)
    return stage.offline.mailer.sent[before:]


def event_in(email: Email) -> tuple[str, Event]:
    """The method and the event of the file that came with a message."""
    (file,) = email.attachments
    calendar = Calendar.from_ical(file.content)
    (event,) = calendar.events
    return str(calendar["method"]), event


def test_each_attendee_is_invited_by_mail_with_a_file_for_the_calendar():
    stage = planned()

    first, second = stage.offline.mailer.sent
    assert {first.to, second.to} == {"bob@example.com", "guest@example.org"}
    assert (first.subject, first.reply_to) == ("Invitation: Kick-off", ("ada@example.com",))
    assert first.text == "March 3, 2026, 9:00:00\u202fAM UTC - March 3, 2026, 10:00:00\u202fAM UTC\nPrague"
    (file,) = first.attachments
    assert (file.name, file.content_type) == ("invite.ics", "text/calendar; charset=utf-8; method=REQUEST")


def test_the_file_says_what_when_where_and_who_in_utc():
    method, event = event_in(planned().offline.mailer.sent[0])

    assert (method, event["summary"], event["location"], event["status"]) == (
        "REQUEST",
        "Kick-off",
        "Prague",
        "CONFIRMED",
    )
    assert (event.start, event.end) == (datetime(2026, 3, 3, 9, tzinfo=UTC), datetime(2026, 3, 3, 10, tzinfo=UTC))
    assert (event["dtstamp"].dt, event["sequence"]) == (START, 0)
    assert (event["organizer"], event["organizer"].params["CN"]) == ("mailto:ada@example.com", "Ada")
    assert event["organizer"].params["SENT-BY"] == "mailto:stagebell@example.com"
    assert set(event["attendee"]) == {"mailto:bob@example.com", "mailto:guest@example.org"}
    assert {attendee.params["PARTSTAT"] for attendee in event["attendee"]} == {"NEEDS-ACTION"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Kick-off, part one"),
        ("starts_at", "2026-03-03T08:00:00Z"),
        ("ends_at", "2026-03-03T11:00:00Z"),
        ("location", "Brno"),
        ("attendees", ["u2", "guest@example.org", "new@example.org"]),
    ],
)
def test_a_change_that_concerns_the_attendees_goes_out_as_the_same_event_in_a_later_version(field, value):
    stage = planned()
    _, before = event_in(stage.offline.mailer.sent[0])

    updates = [event_in(email) for email in changed(stage, **{field: value})]

    assert len(updates) == (3 if field == "attendees" else 2)
    assert {method for method, _ in updates} == {"REQUEST"}
    assert {event["uid"] for _, event in updates} == {before["uid"]}
    assert all(event["sequence"] > before["sequence"] for _, event in updates)
    assert all(event["dtstamp"].dt == START + timedelta(minutes=5) for _, event in updates)


def test_an_event_that_is_called_off_is_cancelled_in_every_calendar():
    stage = planned()
    _, before = event_in(stage.offline.mailer.sent[0])

    emails = changed(stage, state="cancelled")

    assert {email.to for email in emails} == {"bob@example.com", "guest@example.org"}
    assert {email.subject for email in emails} == {"Cancelled: Kick-off"}
    method, event = event_in(emails[0])
    assert (method, event["status"], event["uid"]) == ("CANCEL", "CANCELLED", before["uid"])
    assert event["sequence"] > before["sequence"]
    assert emails[0].attachments[0].content_type.endswith("method=CANCEL")


def test_an_event_that_is_deleted_is_cancelled_as_well():
    stage = planned()

    emails = changed(stage, type_="deleted")

    assert [event_in(email)[0] for email in emails] == ["CANCEL", "CANCEL"]
    assert event_in(emails[0])[1]["status"] == "CANCELLED"


def test_an_event_that_never_said_its_state_is_called_off_as_any_other():
    emails = changed(planned(state=None), state="cancelled")

    assert [event_in(email)[0] for email in emails] == ["CANCEL", "CANCEL"]


def test_an_event_that_loses_its_time_is_taken_out_of_the_calendars_until_it_has_one_again():
    stage = planned()

    lost = [event_in(email) for email in changed(stage, starts_at=None, ends_at=None)]
    renamed = changed(stage, title="Some day")
    found = [event_in(email) for email in changed(stage, starts_at="2026-03-09T09:00:00Z")]

    assert [(method, event["status"], event.start) for method, event in lost] == [
        ("CANCEL", "CANCELLED", datetime(2026, 3, 3, 9, tzinfo=UTC))
    ] * 2
    assert renamed == [], "nobody has it any more"
    assert [(method, event["status"]) for method, event in found] == [("REQUEST", "CONFIRMED")] * 2
    assert found[0][1]["sequence"] > lost[0][1]["sequence"]


@pytest.mark.parametrize("starts_at", ["2026-03-03T12:00:00Z", EVENT["ends_at"]])
def test_an_end_that_is_not_after_the_start_is_none_in_the_message_and_in_the_file(starts_at):
    stage = planned()

    emails = changed(stage, starts_at=starts_at)

    _, event = event_in(emails[0])
    assert "dtend" not in event
    assert " - " not in emails[0].text
    assert {d.detail for d in stage.deliveries} == {"", "ends_at is not after starts_at, and was left out"}


def test_an_end_that_is_none_comes_back_once_it_is_after_the_start_again():
    stage = planned(starts_at="2026-03-03T12:00:00Z")

    emails = changed(stage, ends_at="2026-03-03T13:00:00Z")

    assert event_in(emails[0])[1].end == datetime(2026, 3, 3, 13, tzinfo=UTC)
    assert " - March 3, 2026, 1:00:00" in emails[0].text


def test_who_is_taken_off_the_list_is_uninvited_and_the_others_learn_of_the_new_list():
    stage = planned()

    told = {email.to: event_in(email) for email in changed(stage, attendees=["u2"])}

    assert {to: method for to, (method, _) in told.items()} == {
        "bob@example.com": "REQUEST",
        "guest@example.org": "CANCEL",
    }
    uninvited = told["guest@example.org"][1]
    assert uninvited["attendee"] == "mailto:guest@example.org"
    assert "status" not in uninvited, "the event still takes place (RFC 5546, 3.2.5)"


GONE = {"type_": "deleted"}


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({"attendees": ["u2"]}, GONE),
        ({"attendees": ["u2"]}, {"state": "cancelled"}),
        ({"attendees": ["u2"]}, {"invite": False}),
        ({"attendees": ["u2"]}, {"starts_at": None}),
        ({"invite": False}, GONE),
        ({"state": "cancelled"}, GONE),
        ({"starts_at": None}, GONE),
        ({"starts_at": None, "ends_at": None}, {"title": "Some day"}),
    ],
)
def test_whatever_ends_an_event_before_a_change_of_it_was_told_everybody_is_told_that_it_is_off(change, end):
    stage = planned()
    before = len(stage.offline.mailer.sent)

    stage.post("e1", object="calendar_event", **change)
    stage.post("e1", object="calendar_event", **end)
    stage.advance(minutes=0)

    told = [(email.to, event_in(email)[0]) for email in stage.offline.mailer.sent[before:]]
    assert set(told) == {("bob@example.com", "CANCEL"), ("guest@example.org", "CANCEL")}


def test_who_stays_invited_until_the_event_is_deleted_hears_of_it_once():
    stage = planned()
    before = len(stage.offline.mailer.sent)

    renamed = stage.post("e1", object="calendar_event", title="Renamed")
    stage.post("e1", object="calendar_event", type_="deleted")
    stage.advance(minutes=0)

    (step,) = stage.run(renamed.evaluations[0]["run"]).steps
    assert len(stage.offline.mailer.sent[before:]) == 2
    assert (step.status, step.reason) == ("skipped", "record_deleted")


def test_who_is_taken_off_is_told_so_although_another_event_has_taken_its_place_meanwhile():
    stage = planned()
    before = len(stage.offline.mailer.sent)

    stage.post("e1", object="calendar_event", attendees=["u2"])
    stage.post("e1", object="calendar_event", type_="deleted")
    stage.offline.clock.advance(stage.now + timedelta(seconds=1))
    stage.post("e1", object="calendar_event", type_="created", **{**EVENT, "attendees": ["u2"]})
    stage.advance(minutes=0)

    told = {email.to: event_in(email)[0] for email in stage.offline.mailer.sent[before:]}
    assert told["guest@example.org"] == "CANCEL"


@pytest.mark.parametrize("value", [False, None])
def test_an_event_whose_invitations_are_turned_off_is_taken_out_of_every_calendar(value):
    stage = planned()
    _, before = event_in(stage.offline.mailer.sent[0])

    withdrawn = changed(stage, invite=value)
    later = [*changed(stage, title="Other"), *changed(stage, state="cancelled"), *changed(stage, type_="deleted")]

    assert {email.to for email in withdrawn} == {"bob@example.com", "guest@example.org"}
    method, event = event_in(withdrawn[0])
    assert (method, event["status"], event["uid"]) == ("CANCEL", "CANCELLED", before["uid"])
    assert later == [], "nobody has it any more"


def test_who_was_taken_off_as_invitations_were_turned_off_is_told_as_well():
    stage = planned()

    told = {email.to: event_in(email)[0] for email in changed(stage, invite=False, attendees=["u2"])}

    assert told == {"bob@example.com": "CANCEL", "guest@example.org": "CANCEL"}


def test_invitations_that_are_turned_on_again_go_out_anew():
    stage = planned()

    withdrawn = [event_in(email)[1]["sequence"] for email in changed(stage, invite=False)]
    again = [event_in(email) for email in changed(stage, invite=True)]

    assert [(method, event["status"]) for method, event in again] == [("REQUEST", "CONFIRMED")] * 2
    assert again[0][1]["sequence"] > withdrawn[0]


@pytest.mark.parametrize(
    ("before", "change", "why"),
    [
        ({}, {"description": "Bring cake"}, "a remark concerns no calendar"),
        ({}, {"title": "Kick-off"}, "nothing has changed"),
        ({"invite": False}, {"title": "Other"}, "nobody is invited"),
        ({"invite": None}, {"title": "Other"}, "nobody was asked to be"),
        ({"state": "cancelled"}, {"title": "Other"}, "it takes no place any more"),
        ({"starts_at": None}, {"title": "Other"}, "it has no time yet"),
        ({"starts_at": None}, {"invite": False}, "it never had a time to be invited for"),
        ({"state": "cancelled"}, {"invite": False}, "they know that it is called off"),
        ({"state": "cancelled"}, {"invite": False, "state": "confirmed"}, "they know that it is called off"),
        ({"invite": False}, {"invite": None}, "nobody is invited"),
        ({"invite": False}, {"invite": True, "state": "cancelled"}, "nobody was invited to what is called off"),
    ],
)
def test_nothing_goes_out_where_there_is_nothing_to_say(before, change, why):
    stage = planned(**before)

    assert changed(stage, **change) == [], why


@pytest.mark.parametrize("before", [{"invite": False}, {"state": "cancelled"}, {"starts_at": None}])
def test_an_event_that_is_planned_without_invitations_sends_none(before):
    assert planned(**before).offline.mailer.sent == []


def test_invitations_that_are_asked_for_later_go_out_then():
    stage = planned(invite=False)

    assert len(changed(stage, invite=True)) == 2


def test_where_no_mail_reaches_any_attendee_the_run_says_why():
    stage = planned(attendees=["u3"])

    (run,) = stage.offline.runs.of_definition("stagebell:invitations").items
    assert stage.offline.mailer.sent == []
    assert (run.steps[0].status, run.steps[0].reason) == ("skipped", "no_email")


def test_a_suppressed_address_gets_no_invitation():
    stage = stage_with_people()
    stage.offline.suppressions.add("email", "guest@example.org", "bounced", START)

    stage.post("e1", object="calendar_event", type_="created", **EVENT)
    stage.advance(minutes=0)

    assert [email.to for email in stage.offline.mailer.sent] == ["bob@example.com"]
    assert {(d.recipient, d.state) for d in stage.deliveries} == {
        ("bob@example.com", "sent"),
        ("guest@example.org", "suppressed"),
    }


def test_without_an_organizer_the_sender_of_all_mail_is_the_organizer():
    _, event = event_in(planned(organizer=None).offline.mailer.sent[0])

    assert event["organizer"] == "mailto:stagebell@example.com"
    assert "SENT-BY" not in event["organizer"].params


def test_an_organizer_who_attends_has_accepted():
    _, event = event_in(planned(attendees=["u1"]).offline.mailer.sent[0])

    assert (event["attendee"].params["PARTSTAT"], event["attendee"].params["RSVP"]) == ("ACCEPTED", "FALSE")


def test_the_event_that_an_action_makes_is_sent_with_its_cause_kept():
    meet = {"name": "meet", "type": "create_event", "title": "Meet", "starts": "1 day", "attendees": [{"user": "u2"}]}
    flow = {"kind": "workflow", "name": "flow", "object": "deal", "trigger": {"on": "created"}, "actions": [meet]}
    stage = stage_with_people()
    stage.activate(flow)

    stage.post("deal-7", type_="created", name="Pumps", owner="u1")
    stage.advance(minutes=0)

    (run,) = stage.offline.runs.of_definition("stagebell:invitations").items
    assert [email.to for email in stage.offline.mailer.sent] == ["bob@example.com"]
    assert run.causes == (stage.runs()[0].id,)


def test_the_run_that_invites_finds_its_workflow_whatever_else_is_called_so():
    stage = stage_with_people()

    found = [stage.offline.catalog.scenario(name, 1) for name in DOCUMENTS]

    assert {scenario.object for scenario in found} == {"calendar_event"}
    assert stage.offline.catalog.broken == {}


def test_texts_cannot_break_out_of_the_file():
    hostile = 'Ada"\r\nATTENDEE:mailto:x@example.com;CN=\x00'
    invitation = Invitation(
        uid="1@stagebell",
        sequence=0,
        method="REQUEST",
        stamped_at=START,
        title="Line one\nline two; with, marks \\ and \x07 a bell",
        starts_at=START,
        ends_at=None,
        organizer=Party("ada@example.com", hostile),
        sender=Party("ada@example.com"),
        attendees=(Party("bob@example.com", hostile),),
        description="long " * 200,
    )

    content = calendar_file(invitation)

    (event,) = Calendar.from_ical(content).events
    assert event["attendee"] == "mailto:bob@example.com"
    assert event["summary"] == "Line one\nline two; with, marks \\ and   a bell"
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\x00" not in content and b"\x07" not in content


def test_an_attendee_who_is_no_address_keeps_nobody_else_from_being_invited():
    stage = planned(attendees=["u2", "guest@example.org\nSUMMARY:Fake"])

    (invited,) = (email for email in stage.offline.mailer.sent if email.to == "bob@example.com")
    assert event_in(invited)[1]["summary"] == "Kick-off"


def test_an_attendee_whose_id_looks_like_an_address_is_invited_as_the_user():
    stage = stage_with_people()
    stage.user("dan@old.example.com", name="Dan", email="dan@example.com")
    stage.user("eve@old.example.com", name="Eve", email="eve@example.com", active=False)

    attendees = ["dan@old.example.com", "eve@old.example.com", "guest@example.org"]
    stage.post("e1", object="calendar_event", type_="created", **{**EVENT, "attendees": attendees})
    stage.advance(minutes=0)

    assert sorted(email.to for email in stage.offline.mailer.sent) == ["dan@example.com", "guest@example.org"]
