"""The action `create_event`: a calendar event about the record. Its invitations follow from it: see `invite`."""

from dataclasses import dataclass

from stagebell.domain.durations import add, parse_duration
from stagebell.domain.fields import instant_text
from stagebell.domain.message_text import one_line
from stagebell.domain.runs import Run
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Deed
from stagebell.services.make import Maker

DEFAULT_LENGTH = "1 hour"


@dataclass(frozen=True, slots=True)
class CreateEvent:
    """Organizer is one user, or nobody; attendees are users and addresses."""

    maker: Maker

    def act(self, look: Look) -> Outcome:
        making, params = self.maker.open(look), look.step.params
        starts = making.moment("starts")
        if starts is None:
            return Outcome("skipped", "no_start")
        length, local = parse_duration(params.get("lasts") or DEFAULT_LENGTH), making.local
        organizer = making.user_or_owner("organizer")
        fields = {
            "title": one_line(making.words("title", organizer)),
            "description": making.text("description", organizer),
            "location": one_line(making.text("location", organizer)),
            "starts_at": instant_text(starts),
            "ends_at": instant_text(add(starts, length, local.zone, local.calendar)),
            "organizer": organizer.id if organizer else None,
            "attendees": [
                person.id or person.email for person in making.people("attendees") if person.id or person.email
            ],
            "invite": params.get("invite") is not False,
            "state": "confirmed",
        }
        return Outcome("acted", deed=Deed(making.change("calendar_event", fields)), why=making.told())

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """An event that was not made leaves nothing behind."""
