"""Invitations: what the attendees of a calendar event are sent, and the workflows that are always there to send it.

RFC 5546 (iTIP): REQUEST invites, and tells of every change; CANCEL withdraws the event, or uninvites a single attendee.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from stagebell.domain.changes import RecordKey
from stagebell.domain.fields import Value, parse_instant

type Method = Literal["REQUEST", "CANCEL"]

OBJECT = "calendar_event"
VERSION = 1
"""Of the built-in workflows. A change of theirs is a new version, and the old one stays for the runs that go."""

CONCERNING = ("title", "starts_at", "ends_at", "location", "attendees", "state", "invite")
"""The fields whose change concerns the attendees."""

_SEND = {"name": "send", "type": "send_email", "invitation": True, "to": [{"field": "attendees"}]}
_WANTED = {"field": "invite", "op": "eq", "value": True}
_ON = {"field": "state", "op": "ne", "value": "cancelled"}
_CALLED_OFF = {
    "all": [{"field": "state", "op": "changed_to", "value": "cancelled"}, {"field": "invite", "op": "not_changed"}]
}  # whoever hears of it was invited before: with a new event, all is changed

_WAS_CALLED_OFF = {
    "any": [
        {"field": "state", "op": "changed_from", "value": "cancelled"},
        {"all": [{"field": "state", "op": "not_changed"}, {"field": "state", "op": "eq", "value": "cancelled"}]},
    ]
}

_INVITE: Mapping[str, Any] = {
    "kind": "workflow",
    "name": "stagebell:invitations",
    "object": OBJECT,
    "trigger": {"on": "saved"},
    "only_if": {
        "all": [
            _WANTED,
            {"any": [{"field": name, "op": "changed"} for name in CONCERNING]},
            {"any": [_ON, _CALLED_OFF]},
        ]
    },
    "survives_deletion": True,
    "actions": [_SEND],
}
_TURN_OFF: Mapping[str, Any] = {
    "kind": "workflow",
    "name": "stagebell:invitations-off",
    "object": OBJECT,
    "trigger": {"on": "updated", "fields": ["invite"]},
    "only_if": {"all": [{"field": "invite", "op": "changed_from", "value": True}, {"not": _WAS_CALLED_OFF}]},
    "survives_deletion": True,
    "actions": [_SEND],
}
_WITHDRAW: Mapping[str, Any] = {
    "kind": "workflow",
    "name": "stagebell:withdrawals",
    "object": OBJECT,
    "trigger": {"on": "deleted"},
    "only_if": {"all": [_WANTED, _ON]},
    "actions": [_SEND],
}

DOCUMENTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({d["name"]: d for d in (_INVITE, _TURN_OFF, _WITHDRAW)})
"""By name. No definition may have such a name, as theirs hold no colon.

`survives_deletion`, which no definition can say: what changed in an event is told though it is deleted meanwhile."""

_WHEN_AND_WHERE = """\
{{ calendar_event.starts_at | datetime("long") }}\
{% if calendar_event.ends_at %} - {{ calendar_event.ends_at | datetime("long") }}{% endif %}\
{% if calendar_event.location %}
{{ calendar_event.location }}{% endif %}\
{% if calendar_event.description %}

{{ calendar_event.description }}{% endif %}"""

WORDS: Mapping[Method, Mapping[str, str]] = MappingProxyType(
    {
        "REQUEST": {"subject": "Invitation: {{ calendar_event.title }}", "text": _WHEN_AND_WHERE},
        "CANCEL": {"subject": "Cancelled: {{ calendar_event.title }}", "text": _WHEN_AND_WHERE},
    }
)
"""The message that carries the invitation, as templates."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in a calendar."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One event as its attendees' calendars take it. `sequence` rises with every change of the event; `uid` never
    changes; `sender` sends on behalf of the organizer. `cancelled`: the whole event is, not just a place in it."""

    uid: str
    sequence: int
    method: Method
    stamped_at: datetime
    title: str
    starts_at: datetime
    ends_at: datetime | None
    organizer: Party
    sender: Party
    attendees: tuple[Party, ...]
    description: str = ""
    location: str = ""
    cancelled: bool = False


def stands(fields: Mapping[str, Value]) -> bool:
    """Whether the attendees of an event with these values are invited to it."""
    return fields.get("invite") is True and fields.get("state") != "cancelled"


def end_of(fields: Mapping[str, Value]) -> datetime | None:
    """When an event that has a start ends. An end that is not after the start is none: no calendar takes it."""
    start, end = fields.get("starts_at"), fields.get("ends_at")
    return parse_instant(end) if end and parse_instant(end) > parse_instant(start) else None


def uid(key: RecordKey) -> str:
    """The id of an event in all calendars, for ever."""
    return f"{hashlib.sha256(str(key).encode()).hexdigest()[:32]}@stagebell"
