"""The pages of actions: what each kind takes, what is wrong and how it is told, and what a retry or a crash does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from stagebell.cli.markdown import code, page, table, text, yaml
from stagebell.cli.reference_behaviour import BEHAVIOURS
from stagebell.cli.reference_definitions import keys
from stagebell.cli.reference_examples import AROUND, EXAMPLES
from stagebell.cli.tools import offline_tools
from stagebell.cli.yaml_text import read_documents
from stagebell.contracts.definitions import follow_ups, moments, recipients, values
from stagebell.contracts.definitions.action import Action
from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.domain.errors import Problem
from stagebell.services.check import check_definitions
from stagebell.services.checks.world import Nothing

_DATE = (": a duration from when the step acts, or a date", moments.OnDate)
PARTS: Mapping[str, Sequence[tuple[str, type[BaseModel]]]] = {
    "create_task": ((f"{code('due')}{_DATE[0]}", _DATE[1]), (f"{code('remind')}: each of them", follow_ups.Reminder)),
    "create_event": ((f"{code('starts')}{_DATE[0]}", _DATE[1]),),
}


def action_pages() -> dict[str, str]:
    """The index, and a page for each kind: file name → Markdown."""
    return {"actions.md": _index(), **{f"actions/{kind}.md": _page(kind) for kind in ACTION_MODELS}}


def _index() -> str:
    rows = [(f"[{code(kind)}](actions/{kind}.md)", _summary(kind)) for kind in ACTION_MODELS]
    return page(
        "Actions",
        "An action is a part of a workflow; a step of a scenario is an action with a time (see "
        "[definitions](definitions.md)). Every kind has a page of its own, and a [schema](schemas/actions).",
        table(("kind", "what it does"), rows),
        "Every action has these keys:",
        keys(Action),
        "Effects outside are recorded before they are made, under one key for the run, the step, the channel and the "
        "recipient. Changes of records are stored together with the end of the step that made them.",
    )


def _summary(kind: str) -> str:
    return (ACTION_MODELS[kind].__doc__ or "").strip()


def _page(kind: str) -> str:
    told, example = BEHAVIOURS[kind], EXAMPLES[kind]
    deaths = [("before the effect", told.before), ("after the effect is recorded", told.after)]
    if told.between:
        deaths.insert(1, ("in between", told.between))
    return page(
        code(kind),
        f"{_summary(kind)} {told.does}",
        keys(ACTION_MODELS[kind]),
        *_parts(kind),
        *_elsewhere(ACTION_MODELS[kind]),
        yaml(example.right),
        "## A mistake, and what is said to it",
        yaml(example.wrong),
        text("\n".join(_told(problem) for problem in mistakes(example.wrong))),
        "## When it is tried again",
        told.retry,
        "## When the process dies",
        table(("it dies", "what follows"), deaths),
    )


def _parts(kind: str) -> Iterator[str]:
    for name, model in PARTS.get(kind, ()):
        yield f"{name}:"
        yield keys(model)
    if kind == "update_field":
        yield "A value is a literal (text, number, true or false, a list of options), or one of these:"
        forms = [(code(f"{word}:"), (form.__doc__ or "").strip()) for word, form in values.FORMS.items()]
        yield table(("form", "the new value"), forms)


def _elsewhere(model: type[Action]) -> Iterator[str]:
    """What is the same in all kinds, and told in one place."""
    if recipients.Recipient.__name__ in model.model_json_schema()["$defs"]:
        yield "People are named as [recipients](../../how-to/write-definitions.md#recipients)."
    yield (
        "In a scenario, and in a workflow that waits, it has a [time](../definitions.md#scenario) as well: `at`, "
        "`unless_changed`, `cancel_if`, `quiet_hours`."
    )


def mistakes(actions: str) -> tuple[Problem, ...]:
    """What the checks say to a list of actions about a deal, beside the definitions around them."""
    around = [document.data for document in read_documents(AROUND)]
    written: Any = next(read_documents(actions)).data
    begin = {"name": "example", "object": "deal", "stage": {"field": "stage", "is": "Won"}}
    workflow = {"kind": "workflow", **begin, "actions": written}
    return check_definitions([*around, workflow], Nothing(), offline_tools())[-1].problems


def _told(problem: Problem) -> str:
    return f"{problem.rule}: {problem.path}: {problem.message}"
