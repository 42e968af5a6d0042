"""Composing: the words of a message for one person, from a template or from the step itself."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import DefinitionBroken, InvalidValue, RenderFailed
from stagebell.domain.fields import Field, Value, parse_instant
from stagebell.domain.follow_ups import about
from stagebell.domain.message_text import one_line, text_from_html
from stagebell.domain.objects import ObjectType, Schema
from stagebell.domain.views import Fields, Money, fold
from stagebell.ports.messages import Renderer
from stagebell.services.action import Look
from stagebell.services.catalog import Catalog
from stagebell.services.links import Link, record_url
from stagebell.services.people import Person, RelatedRecords

DEFAULT_LOCALE = "en"
RECORD_URL = "record_url"
NOBODY = Person()


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered message; an SMS has only `text`."""

    subject: str = ""
    html: str = ""
    text: str = ""
    marketing: bool = False


@dataclass(frozen=True, slots=True)
class Composer:
    """Renders messages in the recipient's locale and time zone."""

    catalog: Catalog
    renderer: Renderer

    def email(self, look: Look, person: Person, related: RelatedRecords) -> Words:
        source, render = self._source(look), self._render(look, person, related)
        html = render(source.get("html") or "", html=True)
        text = render(source.get("text") or "", html=False) or text_from_html(html)
        subject = one_line(render(source.get("subject") or "", html=False))
        if not subject or not (text.strip() or html.strip()):
            raise RenderFailed("the message came out empty: its subject and its body need some text")
        return Words(subject, html, text, bool(source.get("marketing")))

    def sms(self, look: Look, person: Person, related: RelatedRecords) -> Words:
        text = self._render(look, person, related)(self._source(look).get("text") or "", html=False).strip()
        if not text:
            raise RenderFailed("the message came out empty: an SMS needs some text")
        return Words(text=text)

    def text(self, look: Look, source: str, related: RelatedRecords, person: Person = NOBODY) -> str:
        """A text outside any message, such as the title of a task; in the language and zone of `person`, if any."""
        return self._render(look, person, related)(source, html=False).strip()

    def notice(self, look: Look, person: Person, related: RelatedRecords) -> Words:
        """A notification: a text, and a subject, which may be empty."""
        source, render = self._source(look), self._render(look, person, related)
        text = render(source.get("body") or source.get("text") or "", html=False)
        text = text.strip() or text_from_html(render(source.get("html") or "", html=True))
        if not text:
            raise RenderFailed("the notification came out empty: it needs some text")
        return Words(one_line(render(source.get("subject") or "", html=False)), text=text)

    def link(self, look: Look, related: RelatedRecords) -> Link:
        """Where people see the record; of a follow-up without a place of its own, the record it is about."""
        key, fields = look.record.key, look.view.after
        link = self._link_to(key, fields, related)
        origin = about(key, fields)
        if link.url or origin is None or origin.object not in self.catalog.schema:
            return link
        return self._link_to(origin, related(origin.object, origin.id) or {}, related)

    def _link_to(self, key: RecordKey, fields: Mapping[str, Value], related: RelatedRecords) -> Link:
        kind = self.catalog.schema[key.object]
        url = record_url(kind, key.id, fields, self.renderer)
        return Link(url, self._record(key, fields, related).title) if url else Link()

    def _record(self, key: RecordKey, fields: Mapping[str, Value], related: RelatedRecords) -> "RecordView":
        schema = self.catalog.schema
        return RecordView(schema[key.object], {"id": key.id, **fields}, schema, related, self.renderer)

    def _source(self, look: Look) -> Mapping[str, Any]:
        name = look.step.params.get("template")
        if not name:
            return look.step.params
        document = self.catalog.document("template", name)
        if document is None:
            raise DefinitionBroken(f"template {name} is not active: activate it, or name another one in the step")
        return document

    def _render(self, look: Look, person: Person, related: RelatedRecords) -> "_Render":
        zone = self._zone(person, look)
        variables = self._variables(look, person, related)
        locale = person.locale or DEFAULT_LOCALE
        return _Render(self.renderer, variables, locale, zone, lambda: self.link(look, related).url)

    def _zone(self, person: Person, look: Look) -> ZoneInfo:
        try:
            return self.catalog.zone_named(person.timezone) if person.timezone else look.view.zone
        except InvalidValue:
            return look.view.zone

    def _variables(self, look: Look, person: Person, related: RelatedRecords) -> Mapping[str, object]:
        kind = self.catalog.schema[look.record.key.object]
        record = self._record(look.record.key, look.view.after, related)
        names = {kind.name: record, "record": record} | ({kind.alias: record} if kind.alias else {})
        recipient = Fields({name: getattr(person, name) for name in ("id", "name", "email", "phone", "locale")})
        return names | {"recipient": recipient, "entered_at": look.run.triggered_at, "run": look.run.id}


@dataclass(frozen=True, slots=True)
class _Render:
    """`url` is worked out for the templates that speak of it: few do."""

    renderer: Renderer
    variables: Mapping[str, object]
    locale: str
    zone: ZoneInfo
    url: Callable[[], str]

    def __call__(self, source: str, *, html: bool) -> str:
        if not source:
            return ""
        variables = self.variables
        if RECORD_URL in fold(source):
            variables = {**variables, RECORD_URL: self.url()}
        return self.renderer.render(source, variables, html=html, locale=self.locale, zone=self.zone)


class RecordView(Fields):
    """A record for templates: typed values, and related records read when they are used. Shown by its title."""

    __slots__ = ("_fields", "_kind", "_names", "_related", "_renderer", "_schema")

    def __init__(
        self, kind: ObjectType, fields: Mapping[str, Value], schema: Schema, related: RelatedRecords, renderer: Renderer
    ) -> None:
        self._kind, self._fields, self._schema = kind, fields, schema
        self._related, self._renderer = related, renderer
        self._names = {fold(name): name for name in ("id", *kind.fields)}

    def __getitem__(self, name: str) -> object:
        own = self._names[fold(name)]
        value, field = self._fields.get(own), self._kind.fields.get(own)
        if value is None or field is None:
            return value
        return self._typed(field, value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._names)

    @property
    def title(self) -> str:  # type: ignore[override]  # a slot in Fields, worked out when it is used here
        if not self._kind.title:
            return str(self._fields.get("name") or self._fields.get("id") or "")
        names = {name: self[name] for name in self._names.values() if self._is_plain(name)}
        variables = {**names, self._kind.name: Fields(names)}
        return self._renderer.render(self._kind.title, variables, html=False, locale=DEFAULT_LOCALE, zone=_UTC)

    def _is_plain(self, name: str) -> bool:
        return name == "id" or self._kind.fields[name].type != "reference"

    def _typed(self, field: Field, value: Value) -> object:
        match field.type:
            case "reference" if isinstance(value, str):
                return self._reference(field, value)
            case "currency" if isinstance(value, int | str):
                return Money(Decimal(value), field.currency) if field.currency else Decimal(value)
            case "decimal" if isinstance(value, int | str):
                return Decimal(value)
            case "date" if isinstance(value, str):
                return date.fromisoformat(value)
            case "datetime":
                return parse_instant(value)
            case _:
                return value

    def _reference(self, field: Field, value: str) -> object:
        kind = self._schema.get(field.object)
        fields = self._related(field.object, value)
        if kind is None or not fields:
            return value
        return RecordView(kind, {"id": value, **fields}, self._schema, self._related, self._renderer)


_UTC = ZoneInfo("UTC")
