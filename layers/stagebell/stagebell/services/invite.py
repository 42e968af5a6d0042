"""Inviting: the letters that tell the attendees of a calendar event, each with the event as a file for calendars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr

from stagebell.domain.fields import Value, parse_instant
from stagebell.domain.invitations import WORDS, Invitation, Method, Party, end_of, stands, uid
from stagebell.domain.recipients import Recipient
from stagebell.ports.messages import Attachment, CalendarFiles
from stagebell.ports.records import Records
from stagebell.services.action import Look
from stagebell.services.compose import Composer, Words
from stagebell.services.people import Directory, Missing, Person

INVITATION = "invitation"
"""The parameter of a step that sends invitations; no definition can give it."""

NO_END = "ends_at is not after starts_at, and was left out"

_ATTENDEES = (Recipient("field", "attendees"),)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message with an invitation; answers go to the organizer. `detail` is what its delivery says about it."""

    person: Person
    words: Words
    attachments: tuple[Attachment, ...]
    reply_to: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Inviter:
    """`sender` is the address that mail comes from."""

    composer: Composer
    records: Records
    files: CalendarFiles
    sender: str

    def letters(self, look: Look, directory: Directory) -> tuple[list[Letter], list[Missing]]:
        """What goes to whom: the event to those who are invited, a cancellation to those who are not any more. One that
        has lost its time is called off where it was."""
        before = self._before(look)
        timed = isinstance(look.view.after.get("starts_at"), str)
        if not timed and not before.get("starts_at"):
            return [], [Missing("starts_at", "not_set")]
        look = look if timed else _with(look, starts_at=before["starts_at"])
        off = not timed or not look.record.exists or not stands(look.view.after)
        invited, missing = directory.reachable(look, "to", "email")
        addresses = {person.email.lower() for person in invited}
        gone = [person for person in _uninvited(look, before, directory) if person.email.lower() not in addresses]
        if timed and _told_by_deletion(look):
            invited, missing = [], [Missing("attendees", "record_deleted")]
        letters = self._letters(look, directory, "CANCEL" if off else "REQUEST", invited, off=off)
        return [*letters, *self._letters(look, directory, "CANCEL", gone, off=off)], missing

    def _before(self, look: Look) -> Mapping[str, Value]:
        """The event before the change that started the run, as far as its history is kept."""
        applied = self.records.applied(look.run.key, look.run.change)
        return {**applied.after, **applied.before} if applied else {}

    def _letters(
        self, look: Look, directory: Directory, method: Method, people: Sequence[Person], *, off: bool
    ) -> list[Letter]:
        if not people:
            return []
        invitation = self._invitation(look, directory, method, people, off=off)
        content = self.files(invitation)
        attachment = Attachment("invite.ics", f"text/calendar; charset=utf-8; method={method}", content)
        detail = NO_END if look.view.after.get("ends_at") and invitation.ends_at is None else ""
        look = _with(look, ends_at=None) if detail else look
        spoken = replace(look, step=replace(look.step, params=WORDS[method]))
        reply_to = (invitation.organizer.email,)
        return [
            Letter(person, self.composer.email(spoken, person, directory.related), (attachment,), reply_to, detail)
            for person in people
        ]

    def _invitation(
        self, look: Look, directory: Directory, method: Method, people: Sequence[Person], *, off: bool
    ) -> Invitation:
        fields = look.view.after
        sender = Party(parseaddr(self.sender)[1], parseaddr(self.sender)[0])
        return Invitation(
            uid=uid(look.record.key),
            sequence=look.record.version - 1,  # every change of the event raises it
            method=method,
            stamped_at=look.view.at,
            title=_text(fields, "title"),
            starts_at=parse_instant(fields["starts_at"]),
            ends_at=end_of(fields),
            organizer=_organizer(fields, directory) or sender,
            sender=sender,
            attendees=tuple(Party(person.email, person.name) for person in people),
            description=_text(fields, "description"),
            location=_text(fields, "location"),
            cancelled=off,
        )


def _with(look: Look, **fields: Value) -> Look:
    return replace(look, view=replace(look.view, after={**look.view.after, **fields}))


def _told_by_deletion(look: Look) -> bool:
    """Whether the event was deleted meanwhile while its attendees were invited: the run of that tells them."""
    return look.scenario.trigger.on != "deleted" and not look.record.exists and stands(look.view.after)


def _uninvited(look: Look, before: Mapping[str, Value], directory: Directory) -> Sequence[Person]:
    """Whom the change took off the list."""
    had, now = before.get("attendees"), look.view.after.get("attendees")
    gone = [word for word in had if not isinstance(now, list) or word not in now] if isinstance(had, list) else []
    found = directory.resolve(_ATTENDEES, look.record, {**look.view.after, "attendees": gone}) if gone else ()
    return [person for person in found if isinstance(person, Person) and person.email]


def _organizer(fields: Mapping[str, Value], directory: Directory) -> Party | None:
    user = directory.related("user", _text(fields, "organizer")) or {}
    return Party(_text(user, "email"), _text(user, "name")) if user.get("email") else None


def _text(fields: Mapping[str, Value], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
