"""Checking scenarios: their conditions and times, and what their steps say to whom."""

from collections.abc import Iterator

from stagebell.domain.deliveries import Channel
from stagebell.domain.errors import InvalidValue, Problem
from stagebell.domain.fields import Field, canonical
from stagebell.domain.paths import resolve
from stagebell.domain.recipients import Recipient, read_recipients
from stagebell.domain.scenarios import read_scenario
from stagebell.services.checks.calendars import zone_problems
from stagebell.services.checks.templates import content_problems, fit_problems, names_of, sms_problems
from stagebell.services.checks.world import Document, Tools, World

CHANNELS: dict[str, Channel] = {"send_email": "email", "send_sms": "sms"}
ADDRESSEES = ("to", "cc", "bcc", "reply_to")


def scenario_problems(document: Document, world: World, tools: Tools) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of a scenario definition."""
    known = document["object"] in world.schema
    if known or not world.has("object", document["object"]):
        yield from _reading_problems(document, world)
    yield from zone_problems(document, "timezone")
    if document.get("calendar") and not world.has("calendar", document["calendar"]):
        yield Problem("calendar", "known_calendar", f"there is no calendar {document['calendar']}")
    for index, step in enumerate(document["steps"] if known else ()):
        yield from _step_problems(step, f"steps[{index}].", document["object"], world, tools)


def _reading_problems(document: Document, world: World) -> Iterator[Problem]:
    """A scenario that does not say how records enter (which is told already) is read as if they entered by hand."""
    entered = "stage" in document or "trigger" in document
    problems: list[Problem] = []
    read_scenario(document if entered else {**document, "trigger": {"on": "manual"}}, 0, world.schema, problems)
    yield from (problem for problem in problems if entered or problem.rule != "needs_stage")


def _step_problems(step: Document, at: str, object_name: str, world: World, tools: Tools) -> Iterator[Problem]:
    channel = CHANNELS[step["type"]]
    for key in ADDRESSEES:
        for index, recipient in enumerate(read_recipients(step.get(key))):
            where = f"{at}{key}[{index}].{recipient.kind}"
            yield from _recipient_problems(recipient, where, channel, object_name, world)
    if step.get("template"):
        yield from _template_problems(step["template"], f"{at}template", channel, object_name, world, tools)
    yield from content_problems(step, names_of(object_name, world.schema), tools, at)
    if channel == "sms" and step.get("text"):
        yield from sms_problems(step["text"], f"{at}text")


def _template_problems(
    name: str, at: str, channel: Channel, object_name: str, world: World, tools: Tools
) -> Iterator[Problem]:
    template = world.document("template", name)
    if template is None:
        if not world.has("template", name):
            yield Problem(at, "known_template", f"there is no template {name}")
        return
    if template["channel"] != channel:
        yield Problem(at, "template_channel", f"template {name} is for {template['channel']}, not {channel}")
    for wrong in dict.fromkeys(fit_problems(template, object_name, world, tools)):
        yield Problem(at, "template_fit", f"template {name}: {wrong}")


def _recipient_problems(
    recipient: Recipient, at: str, channel: Channel, object_name: str, world: World
) -> Iterator[Problem]:
    match recipient.kind:
        case "field":
            yield from _path_problems(recipient.value, at, ("user", channel), object_name, world)
        case "manager_of":
            yield from _path_problems(recipient.value, at, ("user",), object_name, world)
        case "address" | "phone":
            yield from _address_problems(recipient, at, channel)


def _path_problems(text: str, at: str, wanted: tuple[str, ...], object_name: str, world: World) -> Iterator[Problem]:
    path = resolve(text, object_name, world.schema)
    if isinstance(path, str):
        yield Problem(at, "known_field", path)
        return
    leads_to = path.field.object if path.field.type == "reference" else _LEADS_TO.get(path.field.type, "")
    if leads_to not in wanted:
        shown = " or ".join(_SHOWN[word] for word in wanted)
        what = f"a reference to {path.field.object}" if path.field.type == "reference" else f"a {path.field.type} field"
        yield Problem(at, "recipient_field", f"{text} is {what}; it should lead to {shown}")


_LEADS_TO = {"email": "email", "phone": "sms"}
_SHOWN = {"user": "a user", "email": "an e-mail address", "sms": "a phone number"}


def _address_problems(recipient: Recipient, at: str, channel: Channel) -> Iterator[Problem]:
    if (recipient.kind == "address") != (channel == "email"):
        fits = "a phone" if channel == "sms" else "an address"
        yield Problem(at, "recipient_channel", f"this step sends {channel}: give {fits}, not {recipient.kind}")
        return
    kind = "email" if recipient.kind == "address" else "phone"
    try:
        canonical(Field(kind, kind), recipient.value)
    except InvalidValue as error:
        yield Problem(at, kind, error.message)
