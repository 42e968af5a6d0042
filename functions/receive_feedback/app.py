"""SES events: bounces, complaints and deliveries become delivery states; dead addresses are suppressed."""

from typing import Any

from stagebell.domain.feedback import read_feedback
from stagebell.runtime import wiring
from stagebell.runtime.observability import log_outcome, observed


@observed
def lambda_handler(event: dict[str, Any], context: object) -> None:
    for feedback in read_feedback(event):
        delivery = wiring.feedback_desk().book(feedback)
        known = delivery.key if delivery else None
        log_outcome("feedback_booked", kind=feedback.kind, delivery=known, message_id=feedback.message_id)
