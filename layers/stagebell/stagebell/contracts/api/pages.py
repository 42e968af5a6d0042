"""What all answers of the API share."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from stagebell.domain.changes import RecordKey


class Shape(BaseModel):
    """The base of everything the API answers; times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")


type Cursor = Annotated[
    str | None, Field(description="Where the listing goes on: give it back as `cursor`; null on the last page")
]


class Page[T](Shape):
    """One page of a listing."""

    items: tuple[T, ...]
    cursor: Cursor = None


class RecordName(Shape):
    """Names one record."""

    object: str = Field(examples=["deal"])
    id: str = Field(examples=["deal-7"])

    @classmethod
    def from_domain(cls, key: RecordKey) -> Self:
        return cls(object=key.object, id=key.id)


class Health(Shape):
    """That the API answers, and in which version."""

    status: str = "ok"
    version: str = Field(examples=["0.1.0"])
