"""Checking changes of records: fields that exist, values that fit them, owners who can be some."""

import re
from collections.abc import Iterator, Mapping

from stagebell.domain.assignments import read_assignments
from stagebell.domain.durations import parse_duration
from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.expressions import DATES, NUMBERS
from stagebell.domain.fields import Field, canonical
from stagebell.domain.paths import Path, unknown_field
from stagebell.domain.views import fold
from stagebell.services.checks.literals import literal_problems
from stagebell.services.checks.recipients import USERS, recipient_problems, recipients_problems
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.world import Document

_TEXTS = frozenset({"text", "select", "email", "phone", "url", "reference"})
_NUMBERS = frozenset({"integer", "decimal", "currency"})
_FITS: Mapping[str, frozenset[str]] = {
    "text": _TEXTS | {"integer"},
    "select": frozenset({"select", "text", "integer"}),
    "multi_select": frozenset({"multi_select", "select", "text", "reference", "email"}),
    "email": frozenset({"email", "text"}),
    "phone": frozenset({"phone", "text"}),
    "url": frozenset({"url", "text"}),
    "reference": frozenset({"reference", "text", "integer"}),
    "integer": _NUMBERS,
    "decimal": _NUMBERS,
    "currency": _NUMBERS,
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date", "datetime"}),
    "datetime": frozenset({"date", "datetime"}),
}
"""For each type of field the types whose values it may take over."""
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "reference": ("reference",),
    **dict.fromkeys(DATES, DATES),
    **dict.fromkeys(NUMBERS, ("currency",)),
}
"""For a type of field the types whose values it takes, but not as templates show them: a title, a date in words."""
_ONLY_A_PATH = re.compile(r"\s*\{\{-?\s*(\w+)\.([\w.]+)\s*-?\}\}\s*")


def update_field_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    target = _target(step, scope)
    if isinstance(target, Problem):
        yield target
    elif target in scope.schema:
        yield from _value_problems(step["set"], target, scope)


def _target(step: Document, scope: Scope) -> str | Problem:
    """The object whose record is updated, or why there is none."""
    if not step.get("related"):
        return scope.object
    path, at = scope.path(step["related"]), f"{scope.at}related"
    if isinstance(path, str):
        return Problem(at, "known_field", path)
    if path.field.type != "reference":
        return Problem(at, "reference", f"{path} is a {path.field.type} field: it leads to no record")
    return path.field.object


def _value_problems(written: Mapping[str, object], target: str, scope: Scope) -> Iterator[Problem]:
    problems: list[Problem] = []
    read = read_assignments(written, target, scope.object, scope.schema, problems, f"{scope.at}set")
    yield from problems
    inner = scope.under("set")
    for field in (assignment.field for assignment in read):
        match written[field.name]:
            case {"field": str() as text}:
                yield from _copy_problems(text, field, inner)
            case {"template": str() as text}:
                yield from inner.text(text, f"{field.name}.template")
                if path := _shown(text, field, inner):
                    message = f"a template shows {path} as people read it, not as it is stored: write {{field: {path}}}"
                    yield Problem(f"{inner.at}{field.name}.template", "needs_field", message)
            case Mapping() as changed:
                yield from _changed_problems(changed, field, inner)
            case str() as text if path := _shown(text, field, inner):
                message = f"this is taken as it stands, with its braces: write {{field: {path}}}"
                yield Problem(f"{inner.at}{field.name}", "needs_field", message)
            case literal:
                yield from literal_problems(literal, f"{inner.at}{field.name}")


def _copy_problems(text: str, field: Field, scope: Scope) -> Iterator[Problem]:
    path, at = scope.path(text), f"{scope.at}{field.name}.field"
    if isinstance(path, str):
        return  # which is told already
    source = path.field
    if source.type not in _FITS[field.type]:
        yield Problem(at, "same_type", f"{path} is {source.type}, and {field.name} is {field.type}: use a template")
    elif field.type == source.type == "reference" and field.object != source.object:
        message = f"{path} refers to {source.object}, and {field.name} to {field.object}"
        yield Problem(at, "same_type", message)
    else:
        yield from _currency_problems(path, field, at)


def _currency_problems(path: Path, field: Field, at: str) -> Iterator[Problem]:
    if field.currency and path.field.currency not in ("", field.currency):
        message = f"{path} is in {path.field.currency}, and {field.name} in {field.currency}: they are not converted"
        yield Problem(at, "same_currency", message)


def _shown(template: str, field: Field, scope: Scope) -> Path | None:
    """The one field that a template is made of, where it would show it as people read it, and not as it is stored."""
    found = _ONLY_A_PATH.fullmatch(template)
    path = scope.path(found[2].lower()) if found and fold(found[1]) in scope.names.objects else ""
    return path if not isinstance(path, str) and path.field.type in _SHOWN.get(field.type, ()) else None


def _changed_problems(changed: Mapping[str, object], field: Field, scope: Scope) -> Iterator[Problem]:
    for verb, argument in changed.items():
        at = f"{scope.at}{field.name}.{verb}"
        match argument:
            case str() if field.type == "date":
                yield from _day_problems(argument, field, at)
            case {"field": str() as text} if verb in ("add", "subtract") and not isinstance(
                path := scope.path(text), str
            ):
                yield from _currency_problems(path, field, f"{at}.field")


def _day_problems(text: str, field: Field, at: str) -> Iterator[Problem]:
    """A day has 23 to 25 hours, so that hours would lead to the same day, the next one, or the one after."""
    duration = parse_duration(text)
    if duration.seconds or duration.business_seconds is not None:
        message = f"{field.name} is a date, without a time: count in days, business days, weeks, months or years"
        yield Problem(at, "whole_days", message)


def set_stage_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    field = scope.kind.fields.get(step["field"])
    if field is None:
        yield Problem(f"{scope.at}field", "known_field", unknown_field(scope.kind, step["field"]))
    elif field.type != "select":
        yield Problem(f"{scope.at}field", "stage_field", f"{field.name} is a {field.type} field; a stage is a select")
    else:
        try:
            canonical(field, step["to"])
        except InvalidValue as error:
            yield Problem(f"{scope.at}to", "select", error.message)


def assign_owner_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from recipient_problems(step, "to", scope)
    yield from recipients_problems(step, ("among",), USERS, scope)
    name, at = step.get("field") or scope.kind.owner_field, f"{scope.at}field"
    field = scope.kind.fields.get(name)
    if not name:
        yield Problem(at, "owner_field", f"{scope.object} has no owner_field: say which field is set")
    elif field is None:
        yield Problem(at, "known_field", unknown_field(scope.kind, name))
    elif (field.type, field.object) != ("reference", "user"):
        yield Problem(at, "user_field", f"{name} is no reference to user, so it has no owner in it")
    elif step.get("by") == "least_open" and name != scope.kind.owner_field:
        told = f"least_open counts by the owner_field of {scope.object}, not by {name}: take round_robin for it"
        yield Problem(f"{scope.at}by", "owner_field", told)


def lock_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from scope.texts(step, "why")


def start_process_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    name, at = step["process"], f"{scope.at}process"
    if name == scope.process["name"]:
        yield Problem(at, "starts_itself", f"{name} would start itself, for ever: name another workflow or scenario")
    elif not scope.world.has_process(name, scope.object):
        message = f"no workflow or scenario {name} of {scope.object} is active: activate it first, or name another one"
        yield Problem(at, "known_process", message)
