"""Checking messages: whom they reach, and what they say."""

from collections.abc import Iterator, Sequence

from stagebell.domain.errors import Problem
from stagebell.services.checks.recipients import Reach, recipients_problems
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.templates import content_problems, fit_problems, sms_problems
from stagebell.services.checks.world import Document

BY_EMAIL: Reach = ("user", "email")
BY_SMS: Reach = ("user", "phone")


def notify_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    by_email = "email" in step["via"]
    yield from recipients_problems(step, ("to",), BY_EMAIL if by_email else ("user",), scope)
    yield from _template_problems(step, ("inbox", "email") if by_email else ("inbox",), scope)
    yield from scope.texts(step, "subject", "body")
    template = scope.world.document("template", step.get("template") or "")
    if by_email and template is not None and template["channel"] == "inbox" and not template.get("subject"):
        message = f"an e-mail needs a subject, and template {step['template']} has none"
        yield Problem(f"{scope.at}template", "needs_subject", message)


def send_email_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from recipients_problems(step, ("to", "cc", "bcc", "reply_to"), BY_EMAIL, scope)
    yield from _template_problems(step, ("email",), scope)
    yield from content_problems(step, scope.names, scope.tools, scope.at)


def send_sms_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    yield from recipients_problems(step, ("to",), BY_SMS, scope)
    yield from _template_problems(step, ("sms",), scope)
    yield from content_problems(step, scope.names, scope.tools, scope.at)
    if step.get("text"):
        yield from sms_problems(step["text"], f"{scope.at}text")


def _template_problems(step: Document, channels: Sequence[str], scope: Scope) -> Iterator[Problem]:
    name, at = step.get("template"), f"{scope.at}template"
    template = scope.world.document("template", name) if name else None
    if name and template is None and not scope.world.has("template", name):
        yield Problem(at, "known_template", f"there is no template {name}")
    if template is None:
        return
    if template["channel"] not in channels:
        message = f"template {name} is for {template['channel']}, not {' or '.join(channels)}"
        yield Problem(at, "template_channel", message)
    for wrong in dict.fromkeys(fit_problems(template, scope.object, scope.world, scope.tools)):
        yield Problem(at, "template_fit", f"template {name}: {wrong}")
