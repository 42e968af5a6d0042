"""Built-in objects, in the form of object definitions: people, and the follow-ups of records."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

TASK_STATES = ("open", "done", "cancelled")
EVENT_STATES = ("confirmed", "cancelled")
ROLES_LIMIT = 40
"""Of one user: joining and leaving a role is an item each of the one transaction that stores a change."""
SALES_RECORD_KINDS = ("visit", "call", "note")

_ABOUT = {"record_object": {"type": "text"}, "record_id": {"type": "text"}}

DOCUMENTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "user": {
            "label": "User",
            "title": "{{ name }}",
            "fields": {
                "name": {"type": "text"},
                "email": {"type": "email"},
                "phone": {"type": "phone"},
                "locale": {"type": "text"},
                "timezone": {"type": "text"},
                "manager": {"type": "reference", "object": "user"},
                "department": {"type": "reference", "object": "department"},
                "roles": {"type": "multi_select"},
                "active": {"type": "boolean"},
            },
        },
        "department": {
            "label": "Department",
            "title": "{{ name }}",
            "fields": {
                "name": {"type": "text"},
                "manager": {"type": "reference", "object": "user"},
                "parent": {"type": "reference", "object": "department"},
            },
        },
        "task": {
            "label": "Task",
            "title": "{{ title }}",
            "owner_field": "assignee",
            "closed_if": {"field": "state", "op": "in", "value": ["done", "cancelled"]},
            "fields": {
                "title": {"type": "text"},
                "description": {"type": "text"},
                "assignee": {"type": "reference", "object": "user"},
                "due_at": {"type": "datetime"},
                "state": {"type": "select", "options": list(TASK_STATES)},
                "done_at": {"type": "datetime"},
                **_ABOUT,
            },
        },
        "calendar_event": {
            "label": "Calendar event",
            "title": "{{ title }}",
            "owner_field": "organizer",
            "closed_if": {"field": "state", "op": "eq", "value": "cancelled"},
            "fields": {
                "title": {"type": "text"},
                "description": {"type": "text"},
                "location": {"type": "text"},
                "starts_at": {"type": "datetime"},
                "ends_at": {"type": "datetime"},
                "organizer": {"type": "reference", "object": "user"},
                "attendees": {"type": "multi_select"},
                "invite": {"type": "boolean"},
                "state": {"type": "select", "options": list(EVENT_STATES)},
                **_ABOUT,
            },
        },
        "sales_record": {
            "label": "Sales record",
            "title": "{{ kind }}: {{ text }}",
            "owner_field": "author",
            "fields": {
                "kind": {"type": "select", "options": list(SALES_RECORD_KINDS)},
                "text": {"type": "text"},
                "occurred_at": {"type": "datetime"},
                "author": {"type": "reference", "object": "user"},
                **_ABOUT,
            },
        },
    }
)
"""By name. The attendees of an event are user ids and e-mail addresses; `invite` sends them invitations."""
