"""Making: what the actions that make follow-ups share: whom one belongs to, its texts, its times, its record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from stagebell.domain.changes import Change
from stagebell.domain.conditions import View
from stagebell.domain.errors import InvalidValue, RenderFailed
from stagebell.domain.fields import Field, Value, canonical
from stagebell.domain.follow_ups import FollowUp, follow_up_key
from stagebell.domain.recipients import Recipient, read_recipients
from stagebell.domain.records import Record
from stagebell.domain.timing import planned, read_time
from stagebell.services.action import Look
from stagebell.services.catalog import Catalog
from stagebell.services.compose import NOBODY, Composer
from stagebell.services.look import Lookout
from stagebell.services.people import Directories, Directory, Missing, Person, unreached


@dataclass(frozen=True, slots=True)
class Making:
    """One follow-up in the making. `missing` are the recipients that led to nobody so far."""

    look: Look
    composer: Composer
    directory: Directory
    missing: list[Missing]

    @property
    def catalog(self) -> Catalog:
        return self.composer.catalog

    def people(self, key: str) -> list[Person]:
        """Who is written under a key, in that order."""
        written = self.look.step.params.get(key) or ()
        return self._found(read_recipients([written] if isinstance(written, Mapping) else written))

    def user(self, key: str) -> Person | None:
        """The first active user written under a key: the others stand in."""
        return self._first(self.people(key))

    def user_or_owner(self, key: str) -> Person | None:
        """The same; where nothing is written, the owner of the record."""
        owner = self.catalog.schema[self.look.record.key.object].owner_field
        if self.look.step.params.get(key) or not owner:
            return self.user(key)
        return self._first(self._found([Recipient("field", owner)]))

    def text(self, key: str, person: Person | None = None) -> str:
        """Empty where nothing is written."""
        source = self.look.step.params.get(key)
        return self.composer.text(self.look, source, self.directory.related, person or NOBODY) if source else ""

    def words(self, key: str, person: Person | None = None) -> str:
        """Raises RenderFailed where nothing comes out."""
        text = self.text(key, person)
        if not text:
            raise RenderFailed(f"the {key} came out empty: it needs some text")
        return text

    def moment(self, key: str) -> datetime | None:
        """The time written under a key, reckoned from now. Raises InvalidValue for one that cannot be."""
        written = self.look.step.params.get(key)
        if not written:
            return None
        at = read_time(written, self.look.record.key.object, self.catalog.schema)
        return planned(at, self.look.view.at, self.local)

    @property
    def local(self) -> View:
        """What the step sees, with every reference, in the zone and by the calendar of its scenario."""
        view, scenario = replace(self.look.view, related=self.directory.related), self.look.scenario
        lookout = Lookout(self.catalog, self.directory.records)
        return replace(view, zone=lookout.zone(view, scenario), calendar=self.catalog.calendar(scenario.calendar))

    def change(self, kind: FollowUp, fields: Mapping[str, object]) -> Change:
        """The change that makes the record, about that of the step. Raises InvalidValue, naming the field."""
        about = self.look.record.key
        fields = {**fields, "record_object": about.object, "record_id": about.id}
        known = self.catalog.schema[kind].fields
        checked = {name: _canonical(known[name], value) for name, value in fields.items() if value not in (None, "")}
        key = follow_up_key(kind, self.look.run.id, self.look.step.name)
        return self.look.change(Record(key), checked, "created")

    def told(self) -> Mapping[str, Any] | None:
        """Who led to nobody, as a step keeps it."""
        return unreached(self.missing)

    def _found(self, recipients: Sequence[Recipient]) -> list[Person]:
        found = self.directory.resolve(recipients, self.look.record, self.look.view.after)
        self.missing.extend(entry for entry in found if isinstance(entry, Missing))
        return [entry for entry in found if isinstance(entry, Person)]

    def _first(self, people: Sequence[Person]) -> Person | None:
        strangers = [person for person in people if not person.id]
        self.missing.extend(Missing(person.email or person.phone, "no_user") for person in strangers)
        return next((person for person in people if person.id), None)


@dataclass(frozen=True, slots=True)
class Maker:
    """Opens the making of a follow-up for a step."""

    composer: Composer
    directories: Directories

    def open(self, look: Look) -> Making:
        return Making(look, self.composer, self.directories.open(), [])


def _canonical(field: Field, value: object) -> Value:
    try:
        return canonical(field, value)
    except InvalidValue as error:
        raise InvalidValue(f"{field.name}: {error.message}") from error
