"""Objects as written: fields and what each type of field takes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.conditions import Condition
from stagebell.contracts.model import DefinitionModel, Description, FieldName, Label, Model, written
from stagebell.domain.fields import FIELD_TYPES

FIELD_LIMIT = 500
OPTION_LIMIT = 1_000
RECORD_URL = r"^https?://[^\s/?#@{}]+([/?#].*)?$"

type Option = Annotated[str, StringConstraints(min_length=1, max_length=500)]


def _different(options: list[str]) -> list[str]:
    if len(set(options)) != len(options):
        double = next(option for option in options if options.count(option) > 1)
        raise PydanticCustomError("unique_option", "option {option} is listed twice", {"option": double})
    return options


type Options = Annotated[list[Option], AfterValidator(_different), Field(min_length=1, max_length=OPTION_LIMIT)]


class AnyField(Model):
    label: Label | None = None
    description: Description | None = None
    required: bool = False


class PlainField(AnyField):
    """A field of a type that needs nothing else."""

    type: Literal["text", "integer", "decimal", "boolean", "date", "datetime", "email", "phone", "url"]


class SelectField(AnyField):
    """One option, or several."""

    type: Literal["select", "multi_select"]
    options: Annotated[Options | None, Field(description="The options; any word where absent")] = None


class CurrencyField(AnyField):
    """An amount of money."""

    type: Literal["currency"]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217, such as EUR")]


class ReferenceField(AnyField):
    """The id of a record of another object."""

    type: Literal["reference"]
    object: FieldName


def _type(value: Any) -> str | None:
    kind = written(value).get("type")
    if kind in ("select", "multi_select"):
        return "<select>"
    if kind in ("currency", "reference"):
        return f"<{kind}>"
    return "<plain>" if kind in FIELD_TYPES else None


type ObjectField = Annotated[
    Annotated[PlainField, Tag("<plain>")]
    | Annotated[SelectField, Tag("<select>")]
    | Annotated[CurrencyField, Tag("<currency>")]
    | Annotated[ReferenceField, Tag("<reference>")],
    Discriminator(
        _type,
        custom_error_type="field_type",
        custom_error_message="a field is a mapping with a type; the types are {types}",
        custom_error_context={"types": ", ".join(FIELD_TYPES)},
    ),
]


def _not_id(name: str) -> str:
    if name == "id":
        raise PydanticCustomError("reserved", "no field is called id: every record has one of its own")
    return name


type OwnFieldName = Annotated[FieldName, AfterValidator(_not_id)]


class Object(DefinitionModel):
    """A kind of record."""

    kind: Literal["object"]
    name: FieldName
    label: Label | None = None
    description: Description | None = None
    alias: Annotated[
        str | None,
        StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$"),
        Field(description="A second name in templates, such as Project for {{ Project.name }}"),
    ] = None
    title: Annotated[
        str | None, StringConstraints(min_length=1, max_length=1_000), Field(description='Such as "{{ name }}"')
    ] = None
    owner_field: Annotated[FieldName | None, Field(description="A reference to a user: who the record belongs to")] = (
        None
    )
    record_url: Annotated[
        str | None,
        StringConstraints(pattern=RECORD_URL, max_length=2_048),
        Field(description="Where people see a record, such as https://crm.example.com/deals/{{ id }}"),
    ] = None
    closed_if: Annotated[
        Condition | None, Field(description="When a record is no longer open work of its owner; own fields only")
    ] = None
    fields: Annotated[dict[OwnFieldName, ObjectField], Field(min_length=1, max_length=FIELD_LIMIT)]
