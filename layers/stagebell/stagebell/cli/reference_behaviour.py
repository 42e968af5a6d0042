"""What each kind of action does, what a retry of it does, and what is left where its process dies: in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Behaviour(NamedTuple):
    """`before` and `after`: the process dies before the effect, and after it. `between`: when nobody can tell."""

    does: str
    retry: str
    before: str
    after: str
    between: str = ""


_SETTLED = (
    "The change and the step's end are stored together or not at all. Where somebody else changes the record at the "
    "same moment, the step looks again and starts from what the record is then; where others are faster each time "
    "(`record_busy`), the machine comes again, for up to an hour. A step that has ended is never done a second time."
)
_NOTHING_YET = "nothing happened, and it is done when the task comes again"
_CARRIED_ON = (
    "the task that comes again finds the step settled: the change is not made twice, only what it started is carried on"
)


def _stored(does: str) -> Behaviour:
    """Of an action that changes records."""
    return Behaviour(does, _SETTLED, _NOTHING_YET, _CARRIED_ON)


def _handed_over(does: str, provider: str) -> Behaviour:
    """Of an action that hands messages to a provider who does not know the same message when it comes twice."""
    return Behaviour(
        does,
        f"Where {provider} asks to slow down (`delivery_throttled`) or cannot be reached (`delivery_unavailable`), "
        "nothing was sent, and the machine comes again for up to an hour; those that were written to already are not "
        "written to again.",
        "nothing was sent; it is sent when the task comes again",
        "the outcome is known; nothing is sent again",
        f"between the record and the answer of {provider} nobody knows whether it went out: the delivery is `unknown`; "
        "`on_unknown: leave` leaves it, `resend` sends again",
    )


BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "notify": Behaviour(
            "Each person gets one entry in their inbox, with the way back to the record, or one e-mail, or both; a "
            "text of more than 500 characters is cut to 499 and `…`, and the delivery says so. Who has only an "
            "address gets the e-mail and no entry.",
            "An entry has the delivery's key as its id, so that putting it in twice is putting it in once. Its e-mails "
            "are tried again as those of [`send_email`](send_email.md).",
            "nothing was told; it is told when the task comes again",
            "the outcome is known; nothing is told again",
            "an entry of which nobody knows whether it is in the inbox is put in again, and is there once; of an "
            "e-mail the delivery is `unknown`, and `on_unknown` decides",
        ),
        "send_email": _handed_over(
            "One message for each recipient, in their language and time zone. `cc` and `bcc` go with the first message "
            "that goes out; who gets a message or a copy gets no second one. A suppressed address is recorded and not "
            "written to, and the step says who was not reached. Without `text`, it is made from the HTML.",
            "SES",
        ),
        "send_sms": _handed_over(
            "One text message for each number. Numbers are brought into E.164; one that is none is recorded and not "
            "sent to. Plain texts have 160 characters a part, others 70.",
            "SNS",
        ),
        "update_field": _stored(
            "All fields are set in one change, or none: a value that breaks the rule of its field leaves the old "
            "values, fails the step and lets later steps go on. Values are worked out from the record as it is at "
            "that moment, numbers in decimals; products and quotients of money are rounded to its smallest unit. Where "
            "nothing would differ, nothing is changed (`unchanged`). With `related`, the record that the path leads to "
            "is changed instead; no such record skips the step. The change is written back to the systems that the "
            "record came from."
        ),
        "set_stage": _stored(
            "Scenarios and workflows of the new stage start, those of the old one notice. A record that is in the "
            "stage already stays as it is (`unchanged`). The change is written back to the systems that the record "
            "came from."
        ),
        "assign_owner": _stored(
            "Only active users are given records; nobody to give it to skips the step with the reason. `round_robin` "
            "takes the next in the order of their ids; `least_open` the one with the fewest open records of this "
            "object (see `closed_if`), in turn among equals. Whose turn it was is stored together with the "
            "assignment, so that nobody is skipped or asked twice. The change is written back to the systems that the "
            "record came from."
        ),
        "lock_record": _stored(
            "Until it is unlocked, actions and edits of the record's data are refused with `record_locked`; "
            "authoritative sources are still mirrored. A record that is locked already stays so (`already_locked`)."
        ),
        "unlock_record": _stored("A record that is not locked stays as it is (`not_locked`)."),
        "start_process": _stored(
            "The other one is started as if by hand, whatever its trigger is; its `only_if` and `reentry` count, and "
            "a step that started nothing says why (`not_matched`, `once_only`, `already_running`). One that is not "
            "active any more fails the step with `inactive_process`. What it does carries on the chain of changes, so "
            "that loops end (`loop_stopped`)."
        ),
        "create_task": _stored(
            "The task belongs to the first active user of `assignee`; the others stand in. It is a record of object "
            "`task`, listed with its record's follow-ups. Reminders move with its due time, and end when it is "
            "done; once all are out, a task that is put off is reminded of anew."
        ),
        "create_event": _stored(
            "It is a record of object `calendar_event`, listed with its record's follow-ups. With `invite`, its "
            "attendees get it by e-mail as an `.ics` file, and again when it is moved or called off; where `invite` is "
            "turned off later, it is taken out of their calendars. These letters follow from the record, each with a "
            "delivery of its own. Without a date to start on the step is skipped (`no_start`)."
        ),
        "create_sales_record": _stored(
            "It is a record of object `sales_record`, with the moment and its author, listed with its record's "
            "follow-ups."
        ),
        "run_function": Behaviour(
            'The function gets the record, the run and the parameters, and may answer `{"set": {field: value}, '
            '"message": text}`, or nothing; what it may set stands in its definition. An answer that says more than '
            "it may, an error and a time-out are outcomes of the step. A number with a point in a parameter stays one.",
            "A function that could not be started (`delivery_throttled`, `delivery_unavailable`) did not run, and the "
            "machine comes again for up to an hour. It gets the same `id` at every attempt, to know one that it has "
            "done already.",
            "the function did not run; it is run when the task comes again",
            "its answer is kept with the delivery: what it sets is set, and the function is not run again",
            "between the call and its answer nobody knows whether it ran: the delivery is `unknown`; "
            "`on_unknown: leave` leaves it, `resend` runs it again",
        ),
        "call_webhook": Behaviour(
            "The key of the signature is the webhook secret of that name. Without `body`, the receiver is told "
            "the record with its fields, the run and the step. An answer other than 2xx fails the step; after 410 "
            "(gone) the address is not called by any step until an operator takes it off the list. Private addresses "
            "are not called.",
            "Answers 408, 425, 429 and 5xx, and a receiver that cannot be reached, are tried again by the machine for "
            "up to an hour, with the same `webhook-id`: a receiver that keeps it takes the message once.",
            "nothing was posted; it is posted when the task comes again",
            "the outcome is known; nothing is posted again",
            "it is posted again with the same `webhook-id`, so that the receiver knows it",
        ),
    }
)
