"""The action `set_stage`: moves the record to another stage of one of its fields."""

from dataclasses import dataclass

from stagebell.domain.errors import InvalidInput, InvalidValue, Problem
from stagebell.domain.fields import Field, Value, canonical
from stagebell.domain.runs import Run
from stagebell.services.action import Look, Outcome
from stagebell.services.catalog import Catalog
from stagebell.services.update_field import edited


@dataclass(frozen=True, slots=True)
class SetStage:
    """Every option of the field may follow every other."""

    catalog: Catalog

    def act(self, look: Look) -> Outcome:
        field, stage = self._move(look)
        return edited(look, look.record, {field.name: stage})

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """Nothing is left undecided: the move is stored together with the step's end."""

    def _move(self, look: Look) -> tuple[Field, Value]:
        """The stage field, and where in it the record is to go."""
        kind, name = self.catalog.schema[look.record.key.object], look.step.params["field"]
        field = kind.fields.get(name)
        if field is None:
            raise InvalidInput([Problem("field", "known_field", f"{kind.name} has no field {name}")])
        try:
            return field, canonical(field, look.step.params["to"])
        except InvalidValue as error:
            raise InvalidInput([Problem("to", field.type, error.message)]) from error
