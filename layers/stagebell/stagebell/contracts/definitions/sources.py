"""Sources as written. Their secrets are kept elsewhere, never here."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.web_addresses import WebAddress
from stagebell.contracts.model import DefinitionModel, Description, Label, Name

RESERVED = ("stagebell", "api", "manual")


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise PydanticCustomError(
            "reserved", "{name} means changes that are made here; choose another name", {"name": name}
        )
    return name


type SourceName = Annotated[
    Name, AfterValidator(_not_reserved), Field(json_schema_extra={"not": {"enum": [*RESERVED]}})
]


class Source(DefinitionModel):
    """One system that posts changes."""

    kind: Literal["source"]
    name: SourceName
    label: Label | None = None
    description: Description | None = None
    format: Annotated[Literal["stagebell"], Field(description="How its webhooks look")] = "stagebell"
    authoritative: Annotated[bool, Field(description="Its changes count even where a record is locked")] = False
    write_back: Annotated[
        WebAddress | None, Field(description="The https address that is told of changes made here")
    ] = None
