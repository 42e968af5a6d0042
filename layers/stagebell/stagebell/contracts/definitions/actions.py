"""Actions as written: what every action has, and the parameters of each kind."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.conditions import Condition
from stagebell.contracts.definitions.recipients import RECIPIENT_LIMIT, Recipients
from stagebell.contracts.definitions.templates import Html, Subject, Text
from stagebell.contracts.model import Label, Model, Name
from stagebell.domain.sms import is_sender_id


def _with_a_letter(text: str) -> str:
    if not is_sender_id(text):
        raise PydanticCustomError("form", "a sender needs at least one letter")
    return text


type SenderId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9-]{3,11}$"),
    AfterValidator(_with_a_letter),
    Field(description="Who the SMS comes from: 3 to 11 letters, digits or hyphens, one of them a letter"),
]


class Action(Model):
    """What every action has, whatever its kind."""

    name: Annotated[Name, Field(description="Unique among the steps; runs and reports show it")]
    label: Annotated[Label | None, Field(description="A longer name for people")] = None
    only_if: Annotated[Condition | None, Field(description="Looked at when the time has come; else skipped")] = None
    on_failure: Annotated[
        Literal["continue", "stop"], Field(description="Whether later steps still run when this one fails")
    ] = "continue"


class SendEmail(Action):
    """Sends an e-mail, by a template or with a subject and text of its own."""

    type: Literal["send_email"]
    to: Recipients
    cc: Recipients | None = None
    bcc: Recipients | None = None
    reply_to: Recipients | None = None
    template: Annotated[Name | None, Field(description="The name of an e-mail template")] = None
    subject: Subject | None = None
    html: Html | None = None
    text: Text | None = None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        own = self.subject is not None or self.html is not None or self.text is not None
        if (self.template is not None) == own:
            raise PydanticCustomError("one_content", "give either a template, or a subject with html or text")
        if own and (self.subject is None or (self.html is None and self.text is None)):
            raise PydanticCustomError("one_content", "an e-mail without a template needs a subject, and html or text")
        return self

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        written = sum(len(part or ()) for part in (self.to, self.cc, self.bcc))
        if written > RECIPIENT_LIMIT:
            raise PydanticCustomError(
                "recipient_limit",
                "an e-mail names at most {limit} recipients in to, cc and bcc together, not {written}",
                {"limit": RECIPIENT_LIMIT, "written": written},
            )
        return self


class SendSms(Action):
    """Sends an SMS, by a template or with a text of its own."""

    type: Literal["send_sms"]
    to: Recipients
    template: Annotated[Name | None, Field(description="The name of an SMS template")] = None
    text: Text | None = None
    sender_id: SenderId | None = None
    transactional: Annotated[bool, Field(description="false: promotional, cheaper and less urgent")] = True

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.template is None) == (self.text is None):
            raise PydanticCustomError("one_content", "give either a template or a text")
        return self


ACTION_MODELS: dict[str, type[Action]] = {"send_email": SendEmail, "send_sms": SendSms}
