"""Changes of records as written: fields, stages, owners, locks, and the processes that are started."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from stagebell.contracts.definitions.action import Action
from stagebell.contracts.definitions.objects import Option, OwnFieldName
from stagebell.contracts.definitions.recipients import Recipient, Recipients
from stagebell.contracts.definitions.templates import Short
from stagebell.contracts.definitions.values import Value
from stagebell.contracts.model import FieldName, FieldPath, Name, together

FIELDS_LIMIT = 50

type Why = Annotated[Short | None, Field(description="Shown with the lock and in the history, with {{ fields }}")]


class UpdateField(Action):
    """Sets fields of the record, or of a record that it refers to."""

    type: Literal["update_field"]
    set: Annotated[
        dict[OwnFieldName, Value],
        Field(min_length=1, max_length=FIELDS_LIMIT, description="Each field and its new value"),
    ]
    related: Annotated[
        FieldPath | None, Field(description="References to the record that is updated instead, such as account.parent")
    ] = None


class SetStage(Action):
    """Moves the record to a stage."""

    type: Literal["set_stage"]
    field: Annotated[FieldName, Field(description="The select field that holds the stage")]
    to: Annotated[Option, Field(description="One of its options")]


class AssignOwner(Action):
    """Gives the record to a person, or to the next in a group."""

    type: Literal["assign_owner"]
    to: Annotated[Recipient | None, Field(description="A person")] = None
    among: Annotated[Recipients | None, Field(description="Or a group, with by")] = None
    by: Annotated[
        Literal["round_robin", "least_open"] | None,
        Field(description="In turn; or to whom the fewest open records of this object belong"),
    ] = None
    rotation: Annotated[
        Name | None, Field(description="Definitions that name the same rotation take turns together")
    ] = None
    field: Annotated[FieldName | None, Field(description="The object's owner_field where absent")] = None

    @together
    def _a_person_or_a_group(self) -> Iterator[PydanticCustomError]:
        if (self.to is None) == (self.among is None):
            yield PydanticCustomError("to_or_among", "give either a person in to, or a group in among")
        elif (self.among is None) != (self.by is None):
            yield PydanticCustomError("to_or_among", "among and by go together: among whom, and by which rule")
        elif self.rotation is not None and self.among is None:
            yield PydanticCustomError("to_or_among", "a rotation needs a group in among")


class LockRecord(Action):
    """Locks the record: its fields stay as they are until it is unlocked."""

    type: Literal["lock_record"]
    why: Why = None


class UnlockRecord(Action):
    """Unlocks the record."""

    type: Literal["unlock_record"]
    why: Why = None


class StartProcess(Action):
    """Starts another active workflow or scenario of the same object for this record."""

    type: Literal["start_process"]
    process: Annotated[Name, Field(description="The name of the workflow or scenario")]
