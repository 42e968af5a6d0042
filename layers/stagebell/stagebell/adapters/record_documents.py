"""Documents of records, enrolments and history entries, under the same rules as those of changes (see `documents`)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from stagebell.adapters.documents import Document, change_document, change_from, filled, instant_of, moment_text
from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import Echo
from stagebell.domain.fields import instant_text
from stagebell.domain.locks import Lock
from stagebell.domain.orders import Halt, Order, Tell, Wake
from stagebell.domain.records import Record, Stamp
from stagebell.domain.rotations import Given, Rotation
from stagebell.domain.runs import Enrolment
from stagebell.ports.records import Applied


def record_document(record: Record) -> dict[str, Any]:
    """Without the key. `stamps` are grouped, as most fields share their stamp with others: [stamp, [names]]."""
    groups: dict[Stamp, list[str]] = {}
    for name, stamp in record.stamps.items():
        groups.setdefault(stamp, []).append(name)
    return filled(
        {
            "version": record.version,
            "fields": dict(record.fields),
            "stamps": [[_stamp_list(stamp), names] for stamp, names in groups.items()],
            "touched": _stamp_list(record.touched) if record.touched else None,
            "deleted": _stamp_list(record.deleted) if record.deleted else None,
            "exists": record.exists,
            "announced": record.announced,
            "created_at": moment_text(record.created_at),
            "created_by": record.created_by,
            "lock": _lock_list(record.lock) if record.lock else None,
            "sources": list(record.sources),
            "echoes": [echo_document(echo) for echo in record.echoes],
        }
    )


def _lock_list(lock: Lock) -> list[Any]:
    return [lock.by, instant_text(lock.at), lock.why]


def _lock(listed: list[Any]) -> Lock:
    by, at, why = listed
    return Lock(by, datetime.fromisoformat(at), why)


def echo_document(echo: Echo) -> dict[str, Any]:
    told = {"source": echo.source, "change": echo.change, "at": instant_text(echo.at)}
    rest = filled({"causes": list(echo.causes), "said": dict(echo.said)})
    return {**told, "fields": dict(echo.fields), **rest}


def echo_from(document: Document) -> Echo:
    at, causes = datetime.fromisoformat(document["at"]), tuple(document.get("causes", ()))
    said = document.get("said", {})
    return Echo(document["source"], document["change"], at, document["fields"], causes, said)


def record_from(key: RecordKey, document: Document) -> Record:
    return Record(
        key=key,
        version=document["version"],
        fields=document.get("fields", {}),
        stamps=_stamps(document.get("stamps", ())),
        touched=_stamp(document["touched"]) if "touched" in document else None,
        deleted=_stamp(document["deleted"]) if "deleted" in document else None,
        exists=document["exists"],
        announced=document["announced"],
        created_at=instant_of(document, "created_at"),
        created_by=document.get("created_by"),
        lock=_lock(document["lock"]) if "lock" in document else None,
        sources=tuple(document.get("sources", ())),
        echoes=tuple(map(echo_from, document.get("echoes", ()))),
    )


def _stamps(groups: Iterable[tuple[list[Any], list[str]]]) -> dict[str, Stamp]:
    return {name: stamp for listed, names in groups for stamp in [_stamp(listed)] for name in names}


def _stamp_list(stamp: Stamp) -> list[Any]:
    return [instant_text(stamp.at), stamp.source, stamp.sequence]


def _stamp(listed: list[Any]) -> Stamp:
    at, source, sequence = listed
    return Stamp(datetime.fromisoformat(at), source, sequence)


def enrolment_document(enrolment: Enrolment) -> dict[str, Any]:
    return filled(
        {
            "definition": enrolment.definition,
            "version": enrolment.version,
            "run": enrolment.run,
            "open": enrolment.open,
            "due_at": moment_text(enrolment.due_at),
            "starts": [instant_text(moment) for moment in enrolment.starts],
        }
    )


def enrolment_from(document: Document) -> Enrolment:
    return Enrolment(
        definition=document["definition"],
        version=document["version"],
        run=document["run"],
        open=document["open"],
        due_at=instant_of(document, "due_at"),
        starts=tuple(datetime.fromisoformat(moment) for moment in document.get("starts", ())),
    )


def applied_document(applied: Applied) -> dict[str, Any]:
    return filled(
        {
            "change": change_document(applied.change),
            "applied_at": instant_text(applied.applied_at),
            "event": applied.event,
            "before": dict(applied.before),
            "after": dict(applied.after),
            "outdated": list(applied.outdated),
            "evaluations": [dict(evaluation) for evaluation in applied.evaluations],
            "dispatch": _orders(applied.dispatch),
            "note": applied.note,
        }
    )


def applied_from(document: Document) -> Applied:
    return Applied(
        change=change_from(document["change"]),
        applied_at=datetime.fromisoformat(document["applied_at"]),
        event=document["event"],
        before=document.get("before", {}),
        after=document.get("after", {}),
        outdated=tuple(document.get("outdated", ())),
        evaluations=tuple(document.get("evaluations", ())),
        dispatch=tuple(_order(order) for order in document.get("dispatch", ())),
        note=document.get("note", ""),
    )


def rotation_document(rotation: Rotation) -> dict[str, Any]:
    """Without the name."""
    lately = [[given.user, str(given.record), instant_text(given.at), given.load] for given in rotation.lately]
    return filled({"revision": rotation.revision, "last": rotation.last, "lately": lately})


def rotation_from(name: str, document: Document) -> Rotation:
    lately = tuple(
        Given(user, RecordKey.parse(record), datetime.fromisoformat(at), load)
        for user, record, at, load in document.get("lately", ())
    )
    return Rotation(name, document["revision"], document.get("last", ""), lately)


def _orders(dispatch: Iterable[Order]) -> list[dict[str, Any]]:
    return [_order_document(order) for order in dispatch]


def _order_document(order: Order) -> dict[str, Any]:
    match order:
        case Halt():
            return {"halt": order.run, "execution": order.execution, "reason": order.reason}
        case Tell():
            return {"tell": order.source, "record": str(order.key), "version": order.version}
        case Wake():
            told = {"wake": order.run, "execution": order.execution, "step": order.step, "kind": order.kind}
            return told | {"at": instant_text(order.at)} | ({"express": True} if order.express else {})


def _order(order: Document) -> Order:
    if "halt" in order:
        return Halt(order["halt"], order["execution"], order["reason"])
    if "tell" in order:
        return Tell(RecordKey.parse(order["record"]), order["tell"], order["version"])
    at = datetime.fromisoformat(order["at"])
    return Wake(order["wake"], order["execution"], order["step"], order["kind"], at, order.get("express", False))
