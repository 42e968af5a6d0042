"""Checking recipients: whether a path leads to somebody whom the action reaches, and addresses that are some."""

from collections.abc import Iterator, Sequence

from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.fields import Field, canonical
from stagebell.domain.paths import Path
from stagebell.domain.recipients import RECIPIENT_KINDS, Recipient
from stagebell.services.checks.literals import is_template
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.world import Document

type Reach = Sequence[str]
"""What a recipient may lead to: `user`, `email`, `phone`."""

USERS: Reach = ("user",)
_LEADS_TO = {"email": "email", "phone": "phone"}
_GIVEN = {"address": "email", "phone": "phone"}
_SHOWN = {"user": "a user", "email": "an e-mail address", "phone": "a phone number"}
_A = {"email": "an", "integer": "an"}
_ATTENDEES = ("calendar_event", "attendees")  # ids of users, and addresses


def recipients_problems(step: Document, keys: Sequence[str], reach: Reach, scope: Scope) -> Iterator[Problem]:
    """Problems of the lists of recipients under these keys."""
    for key in keys:
        for index, written in enumerate(step.get(key) or ()):
            for recipient in _each(written):
                yield from _problems(recipient, f"{scope.at}{key}[{index}].{recipient.kind}", reach, scope)


def recipient_problems(step: Document, key: str, scope: Scope) -> Iterator[Problem]:
    """Problems of the one user under a key."""
    for recipient in _each(step.get(key) or {}):
        yield from _problems(recipient, f"{scope.at}{key}.{recipient.kind}", USERS, scope)


def _each(written: Document) -> Iterator[Recipient]:
    """One, unless its form is mistaken: each of several is looked at."""
    for kind in RECIPIENT_KINDS:
        if written.get(kind):
            yield Recipient(kind, str(written[kind]))


def _problems(recipient: Recipient, at: str, reach: Reach, scope: Scope) -> Iterator[Problem]:
    match recipient.kind:
        case "field" if _lists_people(scope.path(recipient.value)):
            return
        case "field":
            yield from _path_problems(recipient.value, at, reach, scope)
        case "manager_of":
            yield from _path_problems(recipient.value, at, USERS, scope)
        case "user" | "role" | "department" if is_template(recipient.value):
            message = f"a {recipient.kind} is taken as it stands; to look somebody up in the record, write {{field: …}}"
            yield Problem(at, "needs_field", message)
        case "address" | "phone":
            yield from _given_problems(recipient, at, reach)


def _path_problems(text: str, at: str, reach: Reach, scope: Scope) -> Iterator[Problem]:
    path = scope.path(text)
    if isinstance(path, str):
        yield Problem(at, "known_field", path)
    elif _leads_to(path) not in reach:
        kind = path.field.type
        what = f"a reference to {path.field.object}" if kind == "reference" else f"{_A.get(kind, 'a')} {kind} field"
        yield Problem(at, "recipient_field", f"{text} is {what}; it should lead to {_shown(reach)}")


def _lists_people(path: Path | str) -> bool:
    return not isinstance(path, str) and (path.object, path.field.name) == _ATTENDEES


def _leads_to(path: Path) -> str:
    return path.field.object if path.field.type == "reference" else _LEADS_TO.get(path.field.type, "")


def _given_problems(recipient: Recipient, at: str, reach: Reach) -> Iterator[Problem]:
    kind = _GIVEN[recipient.kind]
    if kind not in reach:
        yield Problem(at, "recipient_channel", f"{_SHOWN[kind]} is of no use here: name {_shown(reach)}")
        return
    try:
        canonical(Field(kind, kind), recipient.value)
    except InvalidValue as error:
        yield Problem(at, kind, error.message)


def _shown(reach: Reach) -> str:
    return " or ".join(_SHOWN[word] for word in reach)
