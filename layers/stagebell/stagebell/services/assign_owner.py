"""The action `assign_owner`: gives the record to a person, or to one of a group whose turn it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stagebell.domain import rotations
from stagebell.domain.errors import InvalidInput, Problem
from stagebell.domain.fields import canonical
from stagebell.domain.recipients import read_recipients
from stagebell.domain.rotations import Rotation
from stagebell.domain.runs import Run
from stagebell.ports.records import Records
from stagebell.services.action import Look, Outcome
from stagebell.services.catalog import Catalog
from stagebell.services.people import Directories, Missing, Person, unreached
from stagebell.services.update_field import edited

COUNTED = 1_000
"""Who has so many open records has as many as anybody."""


@dataclass(frozen=True, slots=True)
class AssignOwner:
    """Only active users are given records. Whose turn it was is stored together with the record: of two steps at the
    same time one looks again, and nobody is skipped or asked twice."""

    catalog: Catalog
    records: Records
    directories: Directories

    def act(self, look: Look) -> Outcome:
        name = self._field(look)
        users, missing = self._users(look)
        if not users:
            return Outcome("skipped", missing[0].reason if missing else "no_such_user", why=unreached(missing))
        return replace(self._assigned(look, name, users), why=unreached(missing))

    def _assigned(self, look: Look, name: str, users: Sequence[str]) -> Outcome:
        if look.step.params.get("to"):
            return self._given(look, name, users[0])
        rotation = self.records.rotation(_rotation_name(look))
        chosen, load = self._chosen(look, rotation, users)
        outcome = self._given(look, name, chosen)
        if outcome.deed is None:  # it is theirs already: that is nobody's turn
            return outcome
        turn = rotations.given(rotation, chosen, look.record.key, look.view.at, load)
        return replace(outcome, deed=replace(outcome.deed, rotation=turn))

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """Nothing is left undecided: the assignment is stored together with the step's end."""

    def _field(self, look: Look) -> str:
        kind = self.catalog.schema[look.record.key.object]
        name = look.step.params.get("field") or kind.owner_field
        if name not in kind.fields:
            told = f"{kind.name} has no field {name}" if name else f"{kind.name} has no owner_field: name a field"
            raise InvalidInput([Problem("field", "known_field", told)])
        return str(name)

    def _users(self, look: Look) -> tuple[Sequence[str], Sequence[Missing]]:
        """The ids of the active users that are named, and what led to none."""
        params = look.step.params
        written = read_recipients([params["to"]] if params.get("to") else params["among"])
        found = self.directories.open().resolve(written, look.record, look.view.after)
        users = [person.id for person in found if isinstance(person, Person) and person.id]
        return list(dict.fromkeys(users)), [entry for entry in found if isinstance(entry, Missing)]

    def _chosen(self, look: Look, rotation: Rotation, users: Sequence[str]) -> tuple[str, int]:
        """Whose turn it is, and how many open records they have with this one (0: nobody counted)."""
        if look.step.params["by"] == "round_robin":
            return rotations.next_in_turn(rotation, users), 0
        loads = rotations.loads(rotation, self._counted(look, users), look.view.at)
        chosen = rotations.least_loaded(rotation, loads)
        return chosen, loads[chosen] + 1

    def _counted(self, look: Look, users: Sequence[str]) -> Mapping[str, int]:
        kind = look.record.key.object
        return {user: self.records.count_owned(kind, user, COUNTED) for user in users}

    def _given(self, look: Look, name: str, user: str) -> Outcome:
        field = self.catalog.schema[look.record.key.object].fields[name]
        return edited(look, look.record, {name: canonical(field, user)})


def _rotation_name(look: Look) -> str:
    return look.step.params.get("rotation") or f"{look.scenario.name}.{look.step.name}"
