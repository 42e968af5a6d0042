"""The page of actions: what each kind takes, and what a retry or a crash does to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stagebell.cli.markdown import code, page, table, yaml
from stagebell.cli.reference_definitions import keys
from stagebell.contracts.definitions.actions import ACTION_MODELS


class Behaviour(NamedTuple):
    """What the code of an action does, in words."""

    example: str
    effect: str
    provider: str


BEHAVIOURS: Mapping[str, Behaviour] = {
    "send_email": Behaviour(
        """
- name: first-mail
  at: {after: 2 hours}
  unless_changed: true
  type: send_email
  to: [{field: owner}, {role: sales_manager}]
  cc: [{manager_of: owner}]
  subject: "{{ deal.name }} waits"
  text: "{{ deal.name }} has been waiting since {{ entered_at | datetime }}."
""",
        "One message for each recipient, in their language and time zone; `cc` and `bcc` go with the first one. A "
        "suppressed address is recorded and not written to. Without `text`, it is made from the HTML.",
        "SES",
    ),
    "send_sms": Behaviour(
        """
- name: last-sms
  at: {after: 6 hours}
  type: send_sms
  to: [{field: owner}, {phone: "+49 30 901820"}]
  text: "{{ deal.name }} has had no salesperson for 6 hours."
""",
        "One text message for each number. Numbers are brought into E.164; one that is none is recorded and not sent "
        "to. Plain texts have 160 characters a part, others 70.",
        "SNS",
    ),
}


def _section(kind: str) -> str:
    told = BEHAVIOURS[kind]
    rows: Sequence[Sequence[str]] = (
        ("before the delivery is recorded", "nothing was sent; it is sent when the task comes again"),
        (
            f"between the record and the answer of {told.provider}",
            "nobody knows whether it went out: the delivery is `unknown`; `on_unknown: leave` leaves it, `resend` "
            "sends again",
        ),
        ("after the answer is recorded", "the outcome is known; nothing is sent again"),
    )
    return "\n\n".join(
        [
            f"## {code(kind)}",
            (ACTION_MODELS[kind].__doc__ or "").strip() + " " + told.effect,
            keys(ACTION_MODELS[kind]),
            yaml(told.example),
            f"A retry: where {told.provider} asks to slow down (`delivery_throttled`) or cannot be reached "
            "(`delivery_unavailable`), nothing was sent, and the machine comes again for up to an hour; those that "
            "were written to already are not written to again. A crash:",
            table(("the process dies", "what follows"), rows),
        ]
    )


def actions_page() -> str:
    return page(
        "Actions",
        "A step is an action with a time (see [definitions](definitions.md)). Every effect is recorded before it is "
        "made, under one key for the run, the step, the channel and the recipient.",
        *(_section(kind) for kind in ACTION_MODELS),
    )
