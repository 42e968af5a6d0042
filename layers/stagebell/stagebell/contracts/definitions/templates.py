"""Templates as written."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from stagebell.contracts.model import DefinitionModel, Description, Label, Name, together

SOURCE_LIMIT = 100_000  # characters of a template

type Subject = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000), Field(description="Subject line, with {{ fields }}")
]
type Html = Annotated[
    str, StringConstraints(min_length=1, max_length=SOURCE_LIMIT), Field(description="HTML, with {{ fields }}")
]
type Text = Annotated[
    str, StringConstraints(min_length=1, max_length=SOURCE_LIMIT), Field(description="Plain text, with {{ fields }}")
]
type Short = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000), Field(description="A line, with {{ fields }}")
]
type Channel = Literal["email", "sms", "inbox", "wechat_official", "wechat_mini_program"]

USABLE_CHANNELS = ("email", "sms", "inbox")


class Template(DefinitionModel):
    """A message to be filled with the fields of a record."""

    kind: Literal["template"]
    name: Name
    label: Label | None = None
    description: Description | None = None
    channel: Annotated[Channel, Field(description="What it is for; this version sends email, sms and inbox")]
    subject: Subject | None = None
    html: Html | None = None
    text: Annotated[Text | None, Field(description="Plain text; made from the HTML where it is absent")] = None
    marketing: Annotated[bool, Field(description="true: unsubscribe headers, and the suppression list applies")] = False

    @field_validator("channel")
    @classmethod
    def _usable(cls, channel: str) -> str:
        if channel not in USABLE_CHANNELS:
            raise PydanticCustomError(
                "available", "channel {channel} is not available in this version", {"channel": channel}
            )
        return channel

    @together
    def _parts_of_its_channel(self) -> Iterator[PydanticCustomError]:
        if self.channel == "email" and (self.subject is None or (self.html is None and self.text is None)):
            yield PydanticCustomError("template_parts", "an e-mail template needs a subject, and html or text")
        if self.channel == "sms" and (self.text is None or self.subject is not None or self.html is not None):
            yield PydanticCustomError("template_parts", "an SMS template needs text, and has no subject or html")
        if self.channel == "inbox" and (self.text is None or self.html is not None):
            yield PydanticCustomError("template_parts", "an inbox template needs text, may have a subject, and no html")
