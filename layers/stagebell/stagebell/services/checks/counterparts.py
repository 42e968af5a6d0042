"""Counterparts: what a definition may name before it is there, since the other one may name this one as well."""

from collections.abc import Iterator

from stagebell.domain.scenario_documents import steps_key
from stagebell.services.checks.world import Document, Key
from stagebell.services.shelves import RUNNING


def counterparts(document: Document) -> Iterator[Key]:
    """The objects that an object refers to; the workflows or scenarios that the steps of one start."""
    if document.get("kind") == "object":
        yield from (("object", spec["object"]) for spec in document["fields"].values() if "object" in spec)
    elif document.get("kind") in RUNNING:
        started = (step["process"] for step in document[steps_key(document)] if step["type"] == "start_process")
        yield from ((kind, name) for name in started for kind in RUNNING)
