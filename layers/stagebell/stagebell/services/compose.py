"""Composing: the words of a message for one person, from a template or from the step itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from stagebell.domain.errors import DefinitionBroken, InvalidValue, RenderFailed
from stagebell.domain.fields import Field, Value, parse_instant
from stagebell.domain.message_text import one_line, text_from_html
from stagebell.domain.objects import ObjectType, Schema
from stagebell.domain.views import Fields, Money, fold
from stagebell.ports import Renderer
from stagebell.services.act import Look
from stagebell.services.catalog import Catalog
from stagebell.services.people import Person, RelatedRecords

DEFAULT_LOCALE = "en"


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
        return _Render(self.renderer, variables, person.locale or DEFAULT_LOCALE, zone)

    def _zone(self, person: Person, look: Look) -> ZoneInfo:
        try:
            return self.catalog.zone_named(person.timezone) if person.timezone else look.view.zone
        except InvalidValue:
            return look.view.zone

    def _variables(self, look: Look, person: Person, related: RelatedRecords) -> Mapping[str, object]:
        schema = self.catalog.schema
        kind = schema[look.record.key.object]
        fields = look.view.after
        record = RecordView(kind, {"id": look.record.key.id, **fields}, schema, related, self.renderer)
        names = {kind.name: record, "record": record} | ({kind.alias: record} if kind.alias else {})
        recipient = Fields({"name": person.name, "email": person.email, "phone": person.phone, "locale": person.locale})
        return names | {"recipient": recipient, "entered_at": look.run.triggered_at, "run": look.run.id}


@dataclass(frozen=True, slots=True)
class _Render:
    renderer: Renderer
    variables: Mapping[str, object]
    locale: str
    zone: ZoneInfo

    def __call__(self, source: str, *, html: bool) -> str:
        if not source:
            return ""
        return self.renderer.render(source, self.variables, html=html, locale=self.locale, zone=self.zone)


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
