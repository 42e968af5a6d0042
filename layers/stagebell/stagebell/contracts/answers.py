"""The answer of a customer's function: null, or fields to set and a message; nothing else."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from stagebell.contracts.model import FieldName, Model
from stagebell.contracts.problems import problems_of
from stagebell.domain.errors import InvalidInput, Problem
from stagebell.domain.fields import describe

FIELD_LIMIT = 50
MESSAGE_LIMIT = 500


class Answer(Model):
    """`fields` are values as they came; the object's own rules say what they must be."""

    fields: Annotated[dict[FieldName, Any] | None, Field(alias="set", max_length=FIELD_LIMIT)] = None
    message: Annotated[str | None, Field(max_length=MESSAGE_LIMIT)] = None


def read_answer(answer: object) -> Answer:
    """Raises InvalidInput with everything that is wrong with its form."""
    if answer is None:
        return Answer()
    if not isinstance(answer, Mapping):
        text = f'expected null, or {{"set": …, "message": …}}, got {describe(answer)}'
        raise InvalidInput([Problem("answer", "mapping", text)])
    try:
        return Answer.model_validate(answer)
    except ValidationError as error:
        raise InvalidInput(problems_of(error)) from error
