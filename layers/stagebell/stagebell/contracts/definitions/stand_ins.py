"""Stand-ins: what a sketch puts in place of a mistaken part, so that everything around it can be looked at.

A stand-in says as little as a right part can: a text without fields, the name of nothing. Where a part decides how
others are understood, there are several, and what is wrong with those others counts only if it is under each."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

VARIANTS = 6  # the most stand-ins that a part has


class Out:
    """The part is left out."""


OUT: Final = Out()
NOTHING = "what_is_mistaken"  # a name that nothing has

_TEXTS = ("-",)
_NAMES = (NOTHING,)
_SOMEBODY = {"creator": True}
_PEOPLE = ([_SOMEBODY],)
_CLAUSE = {"field": NOTHING, "op": "empty"}
_ACTION = {"name": NOTHING, "type": "lock_record"}
_LATER = {"after": "1 day"}
_STAGE = {"field": NOTHING, "is": NOTHING}

_BY_KEY: Mapping[str, Sequence[Any]] = {
    **dict.fromkeys(("title", "subject", "html", "text", "body", "description", "location", "why"), _TEXTS),
    **dict.fromkeys(("name", "template", "calendar", "process", "function", "secret", "rotation", "is", "op"), _NAMES),
    **dict.fromkeys(("field", "date", "related", "manager_of", "user", "role", "department"), _NAMES),
    **dict.fromkeys(("to", "cc", "bcc", "reply_to", "assignee", "attendees", "among"), _PEOPLE),
    **dict.fromkeys(("author", "organizer"), (_SOMEBODY,)),
    **dict.fromkeys(("creator", "now", "clear"), (True,)),
    **dict.fromkeys(("all", "any"), ([_CLAUSE],)),
    **dict.fromkeys(("only_if", "cancel_if", "not"), (_CLAUSE,)),
    **dict.fromkeys(("after", "offset", "before_due", "after_due", "lasts", "due", "starts"), ("1 day",)),
    **dict.fromkeys(("url", "write_back"), ("https://example.com/",)),
    "address": ("nobody@example.com",),
    "phone": ("+4930901820",),
    "via": (["inbox"], ["email"]),
    "at": (_LATER,),
    "time": ("09:00",),
    "by": ("round_robin",),
    "entry": ("note",),
    "set": ({NOTHING: {"clear": True}},),
    "remind": ([{"after_due": "1 day"}],),
    "on": ("updated", "stage_entered", "date"),
    "stage": (_STAGE,),
    "trigger": ({"on": "updated"}, {"on": "stage_entered", **_STAGE}),
    "actions": ([_ACTION], [{**_ACTION, "at": _LATER}]),
    "steps": ([{**_ACTION, "at": _LATER}],),
    "channel": ("email", "sms", "inbox"),
    "object": (NOTHING, "user"),
    "owner_field": (NOTHING, OUT),
    "currency": ("EUR", "USD"),
    "arn": ("arn:aws:lambda:eu-central-1:123456789012:function:mistaken",),
}
_BY_PLACE: Mapping[tuple[str, str], Sequence[Any]] = {
    ("", "object"): _NAMES,
    ("", "alias"): _NAMES,
    ("<set_stage>", "to"): _NAMES,
    ("<assign_owner>", "to"): (_SOMEBODY,),
    ("<call_webhook>", "body"): (OUT,),
    ("<change>", "fields"): ([NOTHING],),
    ("quiet_hours", "from"): ("22:07",),
    ("quiet_hours", "to"): ("06:53",),
}
"""By what a key stands in, where the key alone does not say it."""

_FIELDS: Sequence[Any] = [
    {"type": "text"},
    {"type": "decimal"},
    {"type": "boolean"},
    {"type": "datetime"},
    {"type": "multi_select"},
    {"type": "reference", "object": "user"},
]
"""Between them, these are everything that a field can be to those that name it."""

KEPT: Mapping[str, tuple[Mapping[str, Any], frozenset[str]]] = MappingProxyType(
    {
        "action_type": (
            {"type": "lock_record"},
            frozenset({"name", "label", "only_if", "on_failure", "at", "unless_changed", "cancel_if", "quiet_hours"}),
        )
    }
)
"""For what says no known type: what it is taken for, and the keys that mean the same whatever the type."""


def stand_in(loc: Sequence[int | str], variant: int) -> Any:
    """What may stand at a place, given as pydantic gives it, with what it stands in in angle brackets; or OUT."""
    *around, last = loc
    if isinstance(last, int):
        whole = stand_in(around, variant) if around else OUT
        return whole[0] if isinstance(whole, list) else OUT
    parent = next((part for part in reversed(around) if isinstance(part, str)), "")
    if parent == "fields":
        return _FIELDS[variant % len(_FIELDS)]
    choices = _BY_PLACE.get((parent, last)) or _BY_KEY.get(last, (OUT,))
    return choices[variant % len(choices)]
