"""Every error Stagebell raises by name.

A class name is a contract: Step Functions matches it in `Retry` and `Catch`, so a test holds the names used in the
machines against this module. `code` is the stable word that APIs, logs and the ledger show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class StagebellError(Exception):
    """Root of all errors; the message is plain English: what happened, what to do."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with some input: `path` names the field (`changes[3].fields.amount`), `rule` the broken rule."""

    path: str
    rule: str
    message: str


class InvalidValue(StagebellError):
    """A single value breaks its rule."""

    code = "invalid_value"


class InvalidInput(StagebellError):
    """Input with one or more problems, all of them named at once."""

    code = "invalid_input"

    def __init__(self, problems: Sequence[Problem], message: str | None = None) -> None:
        super().__init__(message or _summary(problems))
        self.problems = tuple(problems)


def _summary(problems: Sequence[Problem]) -> str:
    first = problems[0]
    rest = len(problems) - 1
    more = f" (and {rest} more problem{'s' if rest > 1 else ''})" if rest else ""
    at = f"{first.path}: " if first.path else ""
    return f"{at}{first.message}{more}"


class MalformedBody(StagebellError):
    """The request body is not JSON in UTF-8."""

    code = "malformed_body"


class BodyTooLarge(StagebellError):
    """The request body is over the limit."""

    code = "body_too_large"


class SignatureRejected(StagebellError):
    """The webhook's signature is missing, wrong, or too old."""

    code = "signature_rejected"


class NotFound(StagebellError):
    """What was asked for does not exist."""

    code = "not_found"


class Conflict(StagebellError):
    """The state of the thing does not allow what was asked."""

    code = "conflict"


class Forbidden(StagebellError):
    """The API key's role does not allow this."""

    code = "forbidden"


class TemplateError(StagebellError):
    """A template is not acceptable; `line` counts from 1 where it is known."""

    code = "template_error"

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class RenderFailed(StagebellError):
    """A template broke a bound or failed while it was rendered."""

    code = "render_failed"


class DefinitionBroken(StagebellError):
    """A stored definition does not fit the objects as they are now."""

    code = "definition_broken"


class RecordLocked(StagebellError):
    """The record's data is locked: actions and edits are refused until it is unlocked."""

    code = "record_locked"


class RecordBusy(StagebellError):
    """The record or run was changed by others each time we tried; trying again later is safe."""

    code = "record_busy"


class QueueUnavailable(StagebellError):
    """Changes could not be queued; nothing is lost when the same request is sent again."""

    code = "queue_unavailable"


class DeliveryThrottled(StagebellError):
    """The provider asked us to slow down; nothing was sent; the machine tries again."""

    code = "delivery_throttled"


class DeliveryUnavailable(StagebellError):
    """The provider could not be reached before anything was sent; the machine tries again."""

    code = "delivery_unavailable"


class DeliveryRejected(StagebellError):
    """The provider refused this message for good."""

    code = "delivery_rejected"


class RecipientUnreachable(StagebellError):
    """The provider will never reach this recipient."""

    code = "recipient_unreachable"


class ChannelMisconfigured(StagebellError):
    """The channel cannot send at all until an operator mends its settings."""

    code = "channel_misconfigured"


class DeliveryUnknown(StagebellError):
    """The provider's answer was lost: the message may or may not have gone out."""

    code = "delivery_unknown"


RETRIED_BY_MACHINES = (DeliveryThrottled, DeliveryUnavailable, RecordBusy)
