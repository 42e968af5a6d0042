"""People: who a step's recipients are at the moment of sending. Nobody is an outcome with a reason, not an error."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from stagebell.domain.changes import RecordKey
from stagebell.domain.deliveries import Channel
from stagebell.domain.fields import Value
from stagebell.domain.objects import Schema
from stagebell.domain.paths import Path, resolve
from stagebell.domain.recipients import Recipient, read_recipients
from stagebell.domain.records import Record
from stagebell.ports.records import Records
from stagebell.services.action import Look
from stagebell.services.catalog import Catalog

type Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to write to: a user (`id`), or only an address (`id` is empty)."""

    id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    locale: str = ""
    timezone: str = ""

    def address(self, channel: Channel) -> str:
        """Where the channel reaches them; an inbox has the user's id."""
        if channel == "inbox":
            return self.id
        return self.email if channel == "email" else self.phone

    def __str__(self) -> str:
        if self.id:
            return f"user {self.id}"
        return f"address {self.email}" if self.email else f"phone {self.phone}"


@dataclass(frozen=True, slots=True)
class Missing:
    """A written recipient that led to nobody, and why: `not_set`, `no_such_user`, `inactive_user`,
    `empty_group`, `no_email`, `no_phone`, `no_inbox` (only an address), `record_deleted` (told by what the deletion
    started); `user` is who it was meant for."""

    recipient: str
    reason: str
    user: str = ""


SHOWN = 20  # of those who led to nobody: as many are kept on a step


def unreached(missing: Sequence[Missing]) -> Mapping[str, Any] | None:
    """Who led to nobody and why, for the step: the first of them, and how many `more` there are."""
    if not missing:
        return None
    told = [{"recipient": entry.recipient, "user": entry.user, "reason": entry.reason} for entry in missing[:SHOWN]]
    shown = [{name: word for name, word in entry.items() if word} for entry in told]
    return {"missing": shown} | ({"more": len(missing) - SHOWN} if len(missing) > SHOWN else {})


_UNREACHABLE: Mapping[Channel, str] = MappingProxyType({"email": "no_email", "sms": "no_phone", "inbox": "no_inbox"})


@dataclass(slots=True)
class RelatedRecords:
    """Reads records that are referred to, each once, when they are needed."""

    records: Records
    _known: dict[RecordKey, Record] = field(default_factory=dict)

    def __call__(self, object_name: str, record: str) -> Fields | None:
        key = RecordKey(object_name, record)
        self.fetch([key])
        return self._known[key].current if key in self._known else None

    def fetch(self, keys: Iterable[RecordKey]) -> None:
        missing = [key for key in keys if key not in self._known]
        if missing:
            self._known |= self.records.many(missing)


@dataclass(frozen=True, slots=True)
class Directory:
    """Resolves recipients for one record."""

    schema: Schema
    records: Records
    related: RelatedRecords

    def reachable(self, look: Look, key: str, channel: Channel) -> tuple[list[Person], list[Missing]]:
        """Whom a step's `key` (to, cc …) names and a channel reaches, and what led to nobody. Each address once: the
        user it belongs to before the bare address."""
        found = self.resolve(read_recipients(look.step.params.get(key)), look.record, look.view.after)
        missing = [entry for entry in found if isinstance(entry, Missing)]
        people: dict[str, Person] = {}
        for person in (entry for entry in found if isinstance(entry, Person)):
            if address := person.address(channel):
                same = address.lower() if channel == "email" else address
                people[same] = person if same not in people or not people[same].id else people[same]
            else:
                missing.append(Missing(str(person), _UNREACHABLE[channel]))
        return list(people.values()), missing

    def resolve(self, recipients: Sequence[Recipient], record: Record, fields: Fields) -> list[Person | Missing]:
        """The people behind the recipients, each once, in writing order, and what led to nobody."""
        found = [entry for recipient in recipients for entry in self._one(recipient, record, fields)]
        return list(dict.fromkeys(found))

    def _one(self, recipient: Recipient, record: Record, fields: Fields) -> Iterator[Person | Missing]:
        match recipient.kind:
            case "address":
                yield Person(email=recipient.value)
            case "phone":
                yield Person(phone=recipient.value)
            case "user":
                yield self._user(recipient, recipient.value)
            case "creator":
                yield self._user(recipient, record.created_by)
            case "role" | "department":
                yield from self._group(recipient)
            case _:
                yield from self._at_path(recipient, record, fields)

    def _group(self, recipient: Recipient) -> Iterator[Person | Missing]:
        members = self.records.people(recipient.kind, recipient.value)
        self.related.fetch(RecordKey("user", member) for member in members)
        if not members:
            yield Missing(str(recipient), "empty_group")
        for member in members:
            yield self._user(recipient, member)

    def _at_path(self, recipient: Recipient, record: Record, fields: Fields) -> Iterator[Person | Missing]:
        suffix = ".manager" if recipient.kind == "manager_of" else ""
        path = resolve(recipient.value + suffix, record.key.object, self.schema)
        value = None if isinstance(path, str) else self._value(path, fields)
        if isinstance(path, str) or not isinstance(value, str | list):
            yield Missing(str(recipient), "not_set")
        elif isinstance(value, list):  # such as the attendees of an event: user ids and addresses
            yield from (self._named(recipient, word) for word in value)
        elif path.field.type == "email":
            yield Person(email=value)
        elif path.field.type == "phone":
            yield Person(phone=value)
        else:
            yield self._user(recipient, value)

    def _named(self, recipient: Recipient, word: str) -> Person | Missing:
        """Whoever a word of a list names. The id of a user may look like an address, and need not be theirs."""
        return Person(email=word) if "@" in word and not self.related("user", word) else self._user(recipient, word)

    def _value(self, path: Path, fields: Fields | None) -> Value:
        for name, target in path.hops:
            reference = fields.get(name) if fields else None
            fields = self.related(target, reference) if isinstance(reference, str) else None
        return fields.get(path.field.name) if fields else None

    def _user(self, recipient: Recipient, user: str | None) -> Person | Missing:
        if not user:
            return Missing(str(recipient), "not_set")
        fields = self.related("user", user)
        if not fields:
            return Missing(str(recipient), "no_such_user", user)
        if fields.get("active") is False:
            return Missing(str(recipient), "inactive_user", user)
        text = {name: str(fields.get(name) or "") for name in ("name", "email", "phone", "locale", "timezone")}
        return Person(id=user, **text)


@dataclass(frozen=True, slots=True)
class Directories:
    """Opens a directory for a task; it reads each related record once."""

    catalog: Catalog
    records: Records

    def open(self) -> Directory:
        return Directory(self.catalog.schema, self.records, RelatedRecords(self.records))
