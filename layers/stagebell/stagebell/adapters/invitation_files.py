"""Files for calendars (RFC 5545, RFC 5546), written by icalendar. Importing it takes 100 ms: where one is written."""

import re

from icalendar import Calendar, Event, vCalAddress, vText

from stagebell.domain.invitations import Invitation, Party

PRODUCT = "-//Stagebell//Stagebell//EN"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"]+')  # RFC 5545 §3.1: no parameter may hold these
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")  # of texts, but tab and line end


def calendar_file(invitation: Invitation) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", invitation.method)
    calendar.add_component(_event(invitation))
    return bytes(calendar.to_ical())


def _event(invitation: Invitation) -> Event:
    event = Event()
    event.add("uid", invitation.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", invitation.stamped_at)
    event.add("dtstart", invitation.starts_at)
    if invitation.ends_at is not None:
        event.add("dtend", invitation.ends_at)
    for name, text in (
        ("summary", invitation.title),
        ("description", invitation.description),
        ("location", invitation.location),
    ):
        if text:
            event.add(name, _CONTROL.sub(" ", text))
    if invitation.method == "REQUEST" or invitation.cancelled:  # RFC 5546 §3.2.5: not where some are uninvited
        event.add("status", "CANCELLED" if invitation.cancelled else "CONFIRMED")
    event.add("organizer", _organizer(invitation), encode=False)
    for attendee in invitation.attendees:
        event.add("attendee", _attendee(attendee, invitation), encode=False)
    return event


def _organizer(invitation: Invitation) -> vCalAddress:
    address, sender = _address(invitation.organizer), invitation.sender.email
    if sender.lower() != invitation.organizer.email.lower():
        address.params["SENT-BY"] = f"mailto:{sender}"
    return address


def _attendee(party: Party, invitation: Invitation) -> vCalAddress:
    address = _address(party)
    address.params["ROLE"] = vText("REQ-PARTICIPANT")
    if invitation.method == "REQUEST":
        own = party.email.lower() == invitation.organizer.email.lower()
        address.params["PARTSTAT"] = vText("ACCEPTED" if own else "NEEDS-ACTION")
        address.params["RSVP"] = vText("FALSE" if own else "TRUE")
    return address


def _address(party: Party) -> vCalAddress:
    address = vCalAddress(f"mailto:{_UNSAFE.sub('', party.email)}")
    name = _UNSAFE.sub(" ", party.name).strip()
    if name:
        address.params["CN"] = vText(name)
    return address
