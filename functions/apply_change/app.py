"""The queue's consumer: applies changes to records, and carries out commands on many runs."""

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from stagebell.domain.changes import Change
from stagebell.runtime import wiring
from stagebell.runtime.observability import log_outcome, observed


@observed
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    wiring.catalog().refresh()
    # a change that cannot be applied holds back its own record only; other records go on
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    return dict(process_partial_response(event, _carry_out, processor, context))


def _carry_out(record: SQSRecord) -> None:
    message = wiring.read_message(record.body)
    if isinstance(message, Change):
        applied = wiring.applier().apply(message)
        log_outcome("change_applied", change=message.id, record=str(message.key), event=applied.event)
    else:
        runs = wiring.commander().carry_out(message)
        log_outcome("command_carried_out", verb=message.verb, definition=message.definition, runs=runs)
