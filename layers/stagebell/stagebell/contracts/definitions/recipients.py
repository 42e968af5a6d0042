"""Recipients as written: exactly one key each."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from stagebell.contracts.model import FieldPath, Model, together
from stagebell.domain.recipients import RECIPIENT_KINDS

RECIPIENT_LIMIT = 50

type Words = Annotated[str, StringConstraints(min_length=1, max_length=320)]


def _one_key(schema: dict[str, Any]) -> None:
    schema |= {"minProperties": 1, "maxProperties": 1}


class Recipient(Model):
    """Someone to write to; who that is, is looked up at the moment of sending."""

    model_config = ConfigDict(json_schema_extra=_one_key)

    field: Annotated[FieldPath | None, Field(description="A path to a user, an e-mail address or a phone number")] = (
        None
    )
    user: Annotated[Words | None, Field(description="The id of a user")] = None
    role: Annotated[Words | None, Field(description="Everyone who has this role")] = None
    department: Annotated[Words | None, Field(description="Everyone in this department")] = None
    manager_of: Annotated[FieldPath | None, Field(description="The manager of the user at this path")] = None
    address: Annotated[Words | None, Field(description="A given e-mail address")] = None
    phone: Annotated[Words | None, Field(description="A given phone number")] = None
    creator: Annotated[Literal[True] | None, Field(description="Who created the record")] = None

    @together
    def _exactly_one(self) -> Iterator[PydanticCustomError]:
        if sum(getattr(self, kind) is not None for kind in RECIPIENT_KINDS) != 1:
            kinds = ", ".join(RECIPIENT_KINDS)
            yield PydanticCustomError("exactly_one", "a recipient has exactly one of {kinds}", {"kinds": kinds})


type Recipients = Annotated[list[Recipient], Field(min_length=1, max_length=RECIPIENT_LIMIT)]
