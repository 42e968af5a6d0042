"""Sources as written. Their secrets are kept elsewhere, never here."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from stagebell.contracts.model import DefinitionModel, Description, Label, Name


class Source(DefinitionModel):
    """One system that posts changes."""

    kind: Literal["source"]
    name: Name
    label: Label | None = None
    description: Description | None = None
    format: Annotated[Literal["stagebell"], Field(description="How its webhooks look")] = "stagebell"
    authoritative: Annotated[bool, Field(description="Its changes count even where a record is locked")] = False
    write_back: Annotated[
        str | None,
        StringConstraints(pattern=r"^https://[^\s/?#@]+(/[^\s#]*)?$", max_length=2_048),
        Field(description="The https address that is told of changes made here"),
    ] = None
