"""Documents of runs and deliveries, under the same rules as the others (see `documents`)."""

from datetime import datetime
from typing import Any

from stagebell.adapters.documents import Document, filled, instant_of, moment_text
from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import Delivery
from stagebell.domain.fields import instant_text
from stagebell.domain.runs import Run, StepState


def run_document(run: Run) -> dict[str, Any]:
    return filled(
        {
            "id": run.id,
            "definition": run.definition,
            "version": run.version,
            "record": str(run.key),
            "change": run.change,
            "triggered_at": instant_text(run.triggered_at),
            "started_at": instant_text(run.started_at),
            "steps": [_step_document(step) for step in run.steps],
            "status": run.status,
            "reason": run.reason,
            "ended_at": moment_text(run.ended_at),
            "left_at": moment_text(run.left_at),
            "quiet": run.quiet,
            "causes": list(run.causes),
            "execution": run.execution,
            "revision": run.revision,
            "at_once": run.at_once or None,
        }
    )


def run_from(document: Document) -> Run:
    return Run(
        id=document["id"],
        definition=document["definition"],
        version=document["version"],
        key=RecordKey.parse(document["record"]),
        change=document["change"],
        triggered_at=datetime.fromisoformat(document["triggered_at"]),
        started_at=datetime.fromisoformat(document["started_at"]),
        steps=tuple(_step(step) for step in document.get("steps", ())),
        status=document["status"],
        reason=document.get("reason", ""),
        ended_at=instant_of(document, "ended_at"),
        left_at=instant_of(document, "left_at"),
        quiet=document["quiet"],
        causes=tuple(document.get("causes", ())),
        execution=document["execution"],
        revision=document["revision"],
        at_once=document.get("at_once", False),
    )


def _step_document(step: StepState) -> dict[str, Any]:
    return filled(
        {
            "name": step.name,
            "kind": step.kind,
            "status": step.status,
            "due_at": moment_text(step.due_at),
            "settled_at": moment_text(step.settled_at),
            "reason": step.reason,
            "why": dict(step.why) if step.why is not None else None,
            "deliveries": list(step.deliveries),
            "record": str(step.record) if step.record is not None else None,
        }
    )


def _step(document: Document) -> StepState:
    return StepState(
        name=document["name"],
        kind=document["kind"],
        status=document["status"],
        due_at=instant_of(document, "due_at"),
        settled_at=instant_of(document, "settled_at"),
        reason=document.get("reason", ""),
        why=document.get("why"),
        deliveries=tuple(document.get("deliveries", ())),
        record=RecordKey.parse(document["record"]) if "record" in document else None,
    )


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    return filled(
        {
            "key": delivery.key,
            "run": delivery.run,
            "step": delivery.step,
            "definition": delivery.definition,
            "record": str(delivery.record),
            "channel": delivery.channel,
            "recipient": delivery.recipient,
            "planned_at": instant_text(delivery.planned_at),
            "state": delivery.state,
            "person": delivery.person,
            "copies": list(delivery.copies),
            "reason": delivery.reason,
            "detail": delivery.detail,
            "message_id": delivery.message_id,
            "attempts": delivery.attempts,
            "parts": delivery.parts,
            "settled_at": moment_text(delivery.settled_at),
            "complained_at": moment_text(delivery.complained_at),
            "answer": dict(delivery.answer) if delivery.answer is not None else None,
            "change": delivery.change,
            "due_at": moment_text(delivery.due_at),
        }
    )


def delivery_from(document: Document) -> Delivery:
    return Delivery(
        key=document["key"],
        run=document.get("run", ""),
        step=document.get("step", ""),
        definition=document.get("definition", ""),
        record=RecordKey.parse(document["record"]),
        channel=document["channel"],
        recipient=document.get("recipient", ""),
        planned_at=datetime.fromisoformat(document["planned_at"]),
        state=document["state"],
        person=document.get("person", ""),
        copies=tuple(document.get("copies", ())),
        reason=document.get("reason", ""),
        detail=document.get("detail", ""),
        message_id=document.get("message_id", ""),
        attempts=document["attempts"],
        parts=document["parts"],
        settled_at=instant_of(document, "settled_at"),
        complained_at=instant_of(document, "complained_at"),
        answer=document.get("answer"),
        change=document.get("change", ""),
        due_at=instant_of(document, "due_at"),
    )
