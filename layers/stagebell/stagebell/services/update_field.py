"""The action `update_field`: gives fields of the record, or of one it refers to, other values. All of them, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagebell.domain.assignments import Assignment, assigned, read_assignments
from stagebell.domain.changes import RecordKey
from stagebell.domain.conditions import View
from stagebell.domain.errors import InvalidInput, Problem
from stagebell.domain.fields import Value
from stagebell.domain.objects import Schema
from stagebell.domain.paths import Path, resolve
from stagebell.domain.records import Record
from stagebell.domain.runs import Run
from stagebell.ports.records import Records
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Deed
from stagebell.services.sight import Sights


@dataclass(frozen=True, slots=True)
class UpdateField:
    """`records` are read where the step updates a record that its own refers to."""

    sights: Sights
    records: Records

    def act(self, look: Look) -> Outcome:
        schema, here = self.sights.catalog.schema, look.record.key.object
        path = _related(look, schema)
        assignments = _assignments(look.step.params["set"], path.field.object if path else here, here, schema)
        sight = self.sights.open(look, local=any(a.expression.local for a in assignments))
        target = self._target(look, path, sight.view)
        if isinstance(target, Outcome):
            return target
        return edited(look, target, assigned(assignments, target.current, sight))

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """Nothing is left undecided: the change is stored together with the step's end."""

    def _target(self, look: Look, path: Path | None, view: View) -> Record | Outcome:
        if path is None:
            return look.record
        reference = view.value(path)
        if not isinstance(reference, str):
            return Outcome("skipped", "not_set")
        record = self.records.load(RecordKey(path.field.object, reference)).record
        return record if record.exists else Outcome("skipped", "no_such_record")


def edited(look: Look, record: Record, values: Mapping[str, Value]) -> Outcome:
    """The deed that gives a record these values; none where it has them already. What is deleted stays so."""
    if not record.exists:
        return Outcome("skipped", "record_deleted")
    differing = {name: value for name, value in values.items() if record.current.get(name) != value}
    if not differing:
        return Outcome("acted", "unchanged")
    return Outcome("acted", deed=Deed(look.change(record, differing), seen=record.version))


def _assignments(written: Mapping[str, Any], target: str, here: str, schema: Schema) -> Sequence[Assignment]:
    problems: list[Problem] = []
    assignments = read_assignments(written, target, here, schema, problems)
    if problems:  # the objects have changed since the definition was checked
        raise InvalidInput(problems)
    return assignments


def _related(look: Look, schema: Schema) -> Path | None:
    """The path to the reference that names the record to update; None for the record itself."""
    text = look.step.params.get("related")
    if not text:
        return None
    path = resolve(text, look.record.key.object, schema)
    if isinstance(path, str):
        raise InvalidInput([Problem("related", "known_field", path)])
    if path.field.type != "reference" or path.field.object not in schema:
        raise InvalidInput([Problem("related", "reference", f"{path} is no reference to a known object")])
    return path
