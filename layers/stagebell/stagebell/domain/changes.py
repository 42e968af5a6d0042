"""Changes: what a source says happened to one record, checked field by field."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from stagebell.domain.errors import InvalidInput, InvalidValue, Problem
from stagebell.domain.fields import Field, Value, canonical, describe, parse_instant, short_instant
from stagebell.domain.objects import ObjectType, Schema

type ChangeType = Literal["created", "updated", "deleted", "locked", "unlocked"]
type Mode = Literal["run", "quiet", "record_only"]

TYPES = ("created", "updated", "deleted")
MODES = ("run", "quiet", "record_only")
CHANGES_PER_REQUEST = 100
CLOCK_SKEW = timedelta(minutes=5)
EARLIEST_YEAR = 1900
CAUSES_LIMIT = 16
SUGGESTIONS = 20
OWN_SOURCES = ("stagebell", "api", "manual")
"""What `source` says of changes made here: by an action, by an edit through the API, by a start by hand."""
_KEYS = (
    "object",
    "id",
    "type",
    "occurred_at",
    "fields",
    "previous",
    "sequence",
    "actor",
    "change_id",
    "mode",
    "causes",
)
_RUN = re.compile(r"run_[0-9a-f]{32}")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")


class RecordKey(NamedTuple):
    """Names one record: its object and its id within it."""

    object: str
    id: str

    def __str__(self) -> str:
        return f"{self.object}#{self.id}"

    @property
    def shown(self) -> str:
        """As people write it, and the API: object/id."""
        return f"{self.object}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "RecordKey":
        kind, _, record = text.partition("#")
        return cls(kind, record)


@dataclass(frozen=True, slots=True)
class Change:
    """One created, updated or deleted record; values are canonical (see `fields`).

    `causes` are the ids of the runs whose actions led to this change, oldest first: for a change from outside, those
    that the source was told with a write-back and passes on. `why` is the reason of a lock or unlock."""

    id: str
    source: str
    key: RecordKey
    type: ChangeType
    occurred_at: datetime
    fields: Mapping[str, Value]
    previous: Mapping[str, Value] = MappingProxyType({})
    sequence: int | None = None
    actor: str | None = None
    mode: Mode = "run"
    causes: tuple[str, ...] = ()
    why: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it was made here, and not by a source."""
        return self.source in OWN_SOURCES


def read_changes(body: object, *, source: str, delivery: str, schema: Schema, now: datetime) -> list[Change]:
    """The changes of one request body: one change, or a list of at most 100.

    All or nothing: raises InvalidInput with every problem, paths such as `[3].fields.amount`."""
    reader = ChangeReader(source, schema, now)
    if isinstance(body, list):
        changes = list(_read_list(reader, body, delivery))
    else:
        changes = [reader.read(body, default_id=delivery)]
    if reader.problems:
        raise InvalidInput(reader.problems)
    return [change for change in changes if change is not None]


def _read_list(reader: "ChangeReader", body: Sequence[object], delivery: str) -> Iterator[Change | None]:
    if not 1 <= len(body) <= CHANGES_PER_REQUEST:
        rule = f"a request holds 1 to {CHANGES_PER_REQUEST} changes, this one holds {len(body)}"
        reader.problems.append(Problem("", "changes_per_request", rule))
        return
    for position, item in enumerate(body):
        yield reader.read(item, path=f"[{position}]", default_id=f"{delivery}:{position}")


class ChangeReader:
    """Reads change documents against the objects' fields and collects every problem it meets."""

    def __init__(self, source: str, schema: Schema, now: datetime) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._schema = schema
        self._now = now
        self._latest = now + CLOCK_SKEW

    def read(self, document: object, *, default_id: str, path: str = "") -> Change | None:
        """One change, or None where `problems` has grown."""
        if not isinstance(document, dict):
            self._add(path, "type", f"a change is a JSON object, got {describe(document)}")
            return None
        found = len(self.problems)
        at = f"{path}." if path else ""
        for key in document:
            if key not in _KEYS:
                self._add(at + _shown(key), "unknown_key", f"a change has no such key; its keys are {', '.join(_KEYS)}")
        kind = self._choice(document, "type", TYPES, at)
        mode = self._choice({"mode": "run", **document}, "mode", MODES, at)
        occurred_at = self._occurred_at(document, at)
        record = self._text(document, "id", at, required=True, limit=256, integer=True)
        own = self._text(document, "change_id", at, limit=256)
        actor = self._text(document, "actor", at, limit=256, integer=True)
        sequence = self._sequence(document, at)
        causes = self._causes(document, at)
        object_type = self._object(document, at)
        fields = self._fields(document, "fields", object_type, at, required=kind == "created")
        previous = self._fields(document, "previous", object_type, at)
        if len(self.problems) > found or object_type is None or occurred_at is None or record is None:
            return None
        return Change(
            id=f"{self._source}:{own or default_id}",
            source=self._source,
            key=RecordKey(object_type.name, record),
            type=kind,  # type: ignore[arg-type]  # _choice has checked it against TYPES
            occurred_at=occurred_at,
            fields=fields,
            previous=previous,
            sequence=sequence,
            actor=actor,
            mode=mode,  # type: ignore[arg-type]  # and this against MODES
            causes=causes,
        )

    def _add(self, path: str, rule: str, message: str) -> None:
        self.problems.append(Problem(path, rule, message))

    def _choice(self, document: Mapping[str, Any], key: str, words: tuple[str, ...], at: str) -> str:
        word = document.get(key)
        if word not in words or not isinstance(word, str):
            self._add(at + key, "choice", f"expected one of {', '.join(words)}, got {describe(word)}")
            return ""
        return word

    def _text(
        self,
        document: Mapping[str, Any],
        key: str,
        at: str,
        *,
        limit: int,
        required: bool = False,
        integer: bool = False,
    ) -> str | None:
        value = document.get(key)
        if value is None and not required:
            return None
        if integer and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not 1 <= len(value) <= limit or not _PLAIN.fullmatch(value):
            self._add(at + key, "text", f"expected 1 to {limit} printable characters, got {describe(value)}")
            return None
        return value

    def _occurred_at(self, document: Mapping[str, Any], at: str) -> datetime | None:
        try:
            moment = parse_instant(document.get("occurred_at"))
        except InvalidValue as error:
            self._add(f"{at}occurred_at", "instant", error.message)
            return None
        if moment > self._latest:
            ahead = f"{short_instant(moment)} is ahead of Stagebell's clock, which shows {short_instant(self._now)}"
            self._add(f"{at}occurred_at", "not_in_the_future", f"{ahead}: check the sender's clock")
        if moment.year < EARLIEST_YEAR:
            self._add(f"{at}occurred_at", "not_before_1900", f"{moment.isoformat()} is before {EARLIEST_YEAR}")
        return moment

    def _sequence(self, document: Mapping[str, Any], at: str) -> int | None:
        value = document.get("sequence")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
            self._add(f"{at}sequence", "integer", f"expected an integer from 0 to 2^63-1, got {describe(value)}")
            return None
        return value

    def _causes(self, document: Mapping[str, Any], at: str) -> tuple[str, ...]:
        """Bounded, so that no sender can make a record's history grow; more than DEPTH_LIMIT start nothing anyway."""
        value = document.get("causes")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(run, str) and _RUN.fullmatch(run) for run in value):
            self._add(f"{at}causes", "runs", "expected the list of run ids that came with a write-back, unchanged")
            return ()
        return tuple(value[-CAUSES_LIMIT:])

    def _object(self, document: Mapping[str, Any], at: str) -> ObjectType | None:
        name = document.get("object")
        if isinstance(name, str) and name in self._schema:
            return self._schema[name]
        known = ", ".join(sorted(self._schema)[:20])
        said = "say which object" if name is None else f"{describe(name)} is not a known object"
        self._add(f"{at}object", "known_object", f"{said}; active objects are {known}")
        return None

    def _fields(
        self, document: Mapping[str, Any], key: str, object_type: ObjectType | None, at: str, *, required: bool = False
    ) -> Mapping[str, Value]:
        raw = document.get(key)
        if raw is None:
            raw = {}
        if not isinstance(raw, dict):
            self._add(at + key, "type", f"expected an object of field values, got {describe(raw)}")
            return {}
        if object_type is None:
            return {}
        inside = f"{at}{key}."
        values = {name: self._value(object_type, name, value, inside) for name, value in raw.items()}
        if required:
            for name in object_type.required:
                if values.get(name) is None and raw.get(name) in (None, "", []):
                    self._add(f"{at}{key}.{name}", "required", f"a created {object_type.name} needs a value here")
        return values

    def _value(self, object_type: ObjectType, name: str, raw: object, at: str) -> Value:
        field: Field | None = object_type.fields.get(name)
        if field is None:
            meant = self._meant(name, object_type)
            self._add(at + _shown(name), "known_field", f"{object_type.name} has no such field{meant}")
            return None
        try:
            return canonical(field, raw)
        except InvalidValue as error:
            self._add(at + name, field.type, error.message)
            return None

    def _meant(self, name: str, object_type: ObjectType) -> str:
        """Which field it may have been: looked for as long as there are few problems, as it takes its time."""
        few = len(self.problems) < SUGGESTIONS
        close = get_close_matches(name[:64], object_type.fields, n=1) if few else []
        return f"; did you mean {close[0]}?" if close else ""


def _shown(key: str) -> str:
    return key[:60].encode("unicode_escape", "replace").decode()
