"""Checking scenarios and workflows: what lets records in, their conditions and times, and their steps."""

from collections.abc import Iterator

from stagebell.domain.errors import Problem
from stagebell.domain.scenario_documents import read_scenario, steps_key
from stagebell.services.checks.calendars import zone_problems
from stagebell.services.checks.conditions import no_before_problems
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.steps import step_problems
from stagebell.services.checks.world import Document, Tools, World

_WAITING = ("unless_changed", "cancel_if")
_UNCHANGED = {
    "date": "a date is reached without one",
    "manual": "who starts by hand changes nothing",
    "deleted": "a record that is deleted is looked at as it was",
}


def process_problems(document: Document, world: World, tools: Tools) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of a scenario or workflow definition."""
    known = document["object"] in world.schema
    if known or not world.has("object", document["object"]):
        yield from _reading_problems(document, world)
    yield from zone_problems(document, "timezone")
    if document.get("calendar") and not world.has("calendar", document["calendar"]):
        yield Problem("calendar", "known_calendar", f"there is no calendar {document['calendar']}")
    key = steps_key(document)
    yield from _unchanged_problems(document, key)
    for index, step in enumerate(document[key] if known else ()):
        yield from step_problems(step, Scope(document, world, tools, f"{key}[{index}]."))


def _reading_problems(document: Document, world: World) -> Iterator[Problem]:
    """A process that does not say how records enter (which is told already) is read as if they entered by hand."""
    entered = "stage" in document or "trigger" in document
    problems: list[Problem] = []
    read = read_scenario(document if entered else {**document, "trigger": {"on": "manual"}}, 0, world.schema, problems)
    yield from (problem for problem in problems if entered or problem.rule != "needs_stage")
    if read is not None and read.at_once:
        yield from _untimed_problems(document)


def _unchanged_problems(document: Document, key: str) -> Iterator[Problem]:
    """Conditions that ask for a change where none is looked at, and so would never hold."""
    why = _UNCHANGED.get((document.get("trigger") or {}).get("on", ""))
    if why:
        yield from no_before_problems(document.get("only_if"), "only_if", why)
    later = "when an action acts, the record is as it is: ask in the only_if of the definition"
    for index, step in enumerate(document[key]):
        yield from no_before_problems(step.get("only_if"), f"{key}[{index}].only_if", later)


def _untimed_problems(document: Document) -> Iterator[Problem]:
    """A workflow that waits for nothing is over before anything else can happen to the record."""
    message = "all actions are done at once, before anything can change: give an action a time in at, or leave this out"
    if document.get("cancel_if"):
        yield Problem("cancel_if", "needs_time", message)
    for index, action in enumerate(document["actions"]):
        yield from (Problem(f"actions[{index}].{key}", "needs_time", message) for key in _WAITING if action.get(key))
