"""Messages as written: notices, e-mails and SMS."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.action import Action
from stagebell.contracts.definitions.recipients import RECIPIENT_LIMIT, Recipients
from stagebell.contracts.definitions.templates import Html, Subject, Text
from stagebell.contracts.model import Name, together
from stagebell.domain.sms import is_sender_id


def _with_a_letter(text: str) -> str:
    if not is_sender_id(text):
        raise PydanticCustomError("form", "a sender needs at least one letter")
    return text


type To = Annotated[Recipients, Field(description="Whom it reaches: each person gets a message of their own")]
type SenderId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9-]{3,11}$"),
    AfterValidator(_with_a_letter),
    Field(description="Who the SMS comes from: 3 to 11 letters, digits or hyphens, one of them a letter"),
]


def different(words: list[str]) -> list[str]:
    """Refuses a list that says the same twice."""
    if double := next((word for word in words if words.count(word) > 1), None):
        raise PydanticCustomError("unique", "{word} is listed twice", {"word": double})
    return words


class Notify(Action):
    """Rings people: a notice in their inbox, an e-mail, or both."""

    type: Literal["notify"]
    to: To
    via: Annotated[
        list[Literal["inbox", "email"]],
        AfterValidator(different),
        Field(min_length=1, max_length=2, description="Where they find it", json_schema_extra={"uniqueItems": True}),
    ] = ["inbox"]  # noqa: RUF012  # pydantic copies it
    template: Annotated[Name | None, Field(description="The name of a template for inbox, or for email")] = None
    subject: Annotated[Subject | None, Field(description="What it is about; an e-mail needs one")] = None
    body: Annotated[
        Text | None, Field(description="Plain text, with {{ fields }}; a notice of more than 500 characters is cut")
    ] = None

    @together
    def _one_way_to_say_it(self) -> Iterator[PydanticCustomError]:
        own = self.subject is not None or self.body is not None
        if (self.template is not None) == own:
            yield PydanticCustomError("one_content", "give either a template, or a body (and a subject)")
        elif own and self.body is None:
            yield PydanticCustomError("one_content", "a notice without a template needs a body")
        elif own and self.subject is None and "email" in self.via:
            yield PydanticCustomError("needs_subject", "an e-mail needs a subject: give one, or notify via inbox only")


class SendEmail(Action):
    """Sends an e-mail, by a template or with a subject and text of its own."""

    type: Literal["send_email"]
    to: To
    cc: Annotated[Recipients | None, Field(description="Who gets a copy, of the first message that goes out")] = None
    bcc: Annotated[Recipients | None, Field(description="Who gets one that the others do not see")] = None
    reply_to: Annotated[Recipients | None, Field(description="Where answers go; to the sender where absent")] = None
    template: Annotated[Name | None, Field(description="The name of an e-mail template")] = None
    subject: Subject | None = None
    html: Html | None = None
    text: Text | None = None

    @together
    def _as_a_whole(self) -> Iterator[PydanticCustomError]:
        own = self.subject is not None or self.html is not None or self.text is not None
        if (self.template is not None) == own:
            yield PydanticCustomError("one_content", "give either a template, or a subject with html or text")
        elif own and (self.subject is None or (self.html is None and self.text is None)):
            yield PydanticCustomError("one_content", "an e-mail without a template needs a subject, and html or text")
        written = sum(len(part or ()) for part in (self.to, self.cc, self.bcc))
        if written > RECIPIENT_LIMIT:
            yield PydanticCustomError(
                "recipient_limit",
                "an e-mail names at most {limit} recipients in to, cc and bcc together, not {written}",
                {"limit": RECIPIENT_LIMIT, "written": written},
            )


class SendSms(Action):
    """Sends an SMS, by a template or with a text of its own."""

    type: Literal["send_sms"]
    to: To
    template: Annotated[Name | None, Field(description="The name of an SMS template")] = None
    text: Text | None = None
    sender_id: SenderId | None = None
    transactional: Annotated[bool, Field(description="false: promotional, cheaper and less urgent")] = True

    @together
    def _one_way_to_say_it(self) -> Iterator[PydanticCustomError]:
        if (self.template is None) == (self.text is None):
            yield PydanticCustomError("one_content", "give either a template or a text")
