"""Steps: actions of any kind, each with its time."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union

from pydantic import Discriminator, Field, GetCoreSchemaHandler, Tag, create_model
from pydantic_core import CoreSchema

from stagebell.contracts.definitions.action import Action
from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.contracts.definitions.conditions import Condition
from stagebell.contracts.definitions.moments import At, QuietHours
from stagebell.contracts.model import Model, written


class Held(Model):
    """What may keep an action from acting at its time."""

    unless_changed: Annotated[bool, Field(description="Skip when the stage field has changed since entry")] = False
    cancel_if: Annotated[Condition | None, Field(description="A later change that takes this step out")] = None
    quiet_hours: QuietHours | None = None


class Timed(Held):
    """What a scenario adds to an action: its time, and what keeps it from acting."""

    at: At


class MaybeTimed(Held):
    """What a workflow may add to an action: a time of its own, and what keeps it from acting then."""

    at: Annotated[At | None, Field(description="At once where absent, or on the date of the trigger")] = None


@cache
def variants(timing: type[Held]) -> Mapping[str, type[Model]]:
    """Each kind of action with its timing; made when they are first needed."""
    bases: Mapping[str, tuple[type[Model], ...]] = {kind: (model, timing) for kind, model in ACTION_MODELS.items()}
    return {
        kind: create_model(f"{base[0].__name__}{timing.__name__}", __base__=base, __doc__=base[0].__doc__)
        for kind, base in bases.items()
    }


class _OneOf:
    """Says to pydantic that an action is one of the kinds with this timing, told by its `type`."""

    def __init__(self, timing: type[Held], called: str) -> None:
        self._timing = timing
        self._called = called

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        models = variants(self._timing)
        union: Any = Union[tuple(Annotated[model, Tag(f"<{kind}>")] for kind, model in models.items())]  # noqa: UP007
        return handler.generate_schema(Annotated[union, self._discriminator()])

    def _discriminator(self) -> Discriminator:
        return Discriminator(
            _kind_of,
            custom_error_type="action_type",
            custom_error_message=f"{self._called} is a mapping with a type; the types are {{types}}",
            custom_error_context={"types": ", ".join(ACTION_MODELS)},
        )


def _kind_of(value: Any) -> str | None:
    kind = written(value).get("type")
    return f"<{kind}>" if isinstance(kind, str) and kind in ACTION_MODELS else None


type Step = Annotated[Action, _OneOf(Timed, "a step")]
type WorkflowAction = Annotated[Action, _OneOf(MaybeTimed, "an action")]
