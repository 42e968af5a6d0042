"""Functions as written: Lambda functions of the company that actions may run."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from stagebell.contracts.definitions.objects import FIELD_LIMIT, OwnFieldName
from stagebell.contracts.model import DefinitionModel, Description, FieldName, Label, Name

TIMEOUT_LIMIT = 60

type Arn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]{1,30}:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?$"
    ),
]


class Function(DefinitionModel):
    """A Lambda function of the company that run_function may call."""

    kind: Literal["function"]
    name: Name
    label: Label | None = None
    description: Description | None = None
    arn: Annotated[Arn, Field(description="Its ARN, with an alias or version where one is meant")]
    timeout: Annotated[int, Field(ge=1, le=TIMEOUT_LIMIT, description="Seconds until its answer counts as lost")] = 10
    sets: Annotated[
        dict[FieldName, Annotated[list[OwnFieldName], Field(min_length=1, max_length=FIELD_LIMIT)]] | None,
        Field(min_length=1, max_length=100, description="By object: the fields its answer may set; none if absent"),
    ] = None
