"""Documents: JSON-ready forms of the domain's objects, for the queue and the tables.

What is empty is left out, and readers take what is absent for empty: an item written today is read by every later
version. Keys are only ever added.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stagebell.domain.changes import Change, RecordKey
from stagebell.domain.errors import InvalidInput, Problem
from stagebell.domain.fields import instant_text

type Document = Mapping[str, Any]

CHANGE_VERSION = 1


def filled(document: Document) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None and value not in ("", [], {}, ())}


def moment_text(moment: datetime | None) -> str | None:
    return instant_text(moment) if moment is not None else None


def instant_of(document: Document, key: str) -> datetime | None:
    text = document.get(key)
    return datetime.fromisoformat(text) if text is not None else None


def change_document(change: Change) -> dict[str, Any]:
    return filled(
        {
            "version": CHANGE_VERSION,
            "id": change.id,
            "source": change.source,
            "object": change.key.object,
            "record": change.key.id,
            "type": change.type,
            "occurred_at": instant_text(change.occurred_at),
            "fields": dict(change.fields),
            "previous": dict(change.previous),
            "sequence": change.sequence,
            "actor": change.actor,
            "mode": change.mode,
            "causes": list(change.causes),
            "why": change.why,
        }
    )


def change_from(document: Document) -> Change:
    """Raises InvalidInput for a document that no version of Stagebell wrote."""
    if not isinstance(document, Mapping) or document.get("version") != CHANGE_VERSION:
        raise InvalidInput([Problem("version", "version", "this change was not written by this version of Stagebell")])
    try:
        return _change(document)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput([Problem("", "change", f"this is no stored change: {error!r}")]) from error


def _change(document: Document) -> Change:
    return Change(
        id=document["id"],
        source=document["source"],
        key=RecordKey(document["object"], document["record"]),
        type=document["type"],
        occurred_at=datetime.fromisoformat(document["occurred_at"]),
        fields=document.get("fields", {}),
        previous=document.get("previous", {}),
        sequence=document.get("sequence"),
        actor=document.get("actor"),
        mode=document.get("mode", "run"),
        causes=tuple(document.get("causes", ())),
        why=document.get("why", ""),
    )
