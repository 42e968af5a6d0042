"""What happens to deals while Stagebell dies: between them the stories use every port call there is."""

from datetime import timedelta

from stagebell.domain.errors import DeliveryThrottled
from tests.crashes.crashing import ByHand, Ordered, Story, Told
from tests.stage import LADDER, QUOTATION, UNASSIGNED, WON, Stage, mail, scenario


def text(name, at, **more):
    return {
        "name": name,
        "type": "send_sms",
        "at": at,
        "text": f"{name}: {{{{ deal.name }}}}",
        "to": [{"role": "desk"}],
        **more,
    }


def a_desk(stage: Stage) -> None:
    for user, phone in (("u1", "+4930901820"), ("u2", "+4930901821"), ("u3", "nonsense 1")):
        stage.user(
            user, name=user, email=f"{user}@example.com", roles=["desk"], **({"phone": phone} if user != "u3" else {})
        )


def a_desk_and_a_suppressed_address(stage: Stage) -> None:
    a_desk(stage)
    stage.offline.suppressions.add("email", "u2@example.com", "bounced", stage.now)


def a_provider_that_is_busy_at_first(stage: Stage) -> None:
    a_desk(stage)
    refusals = iter([True, False, True])

    def fault(_: object) -> None:
        if next(refusals, False):
            raise DeliveryThrottled("slow down")

    stage.offline.mailer._fault = fault


LADDER_STORY = Story(
    "five minutes, two hours, six hours, left and come back",
    (LADDER,),
    (
        Told(0, "deal-1", {"type_": "created", "stage": UNASSIGNED, "name": "Acme"}),
        Told(60, "deal-1", {"stage": QUOTATION}),
        Told(70, "deal-2", {"type_": "created", "stage": UNASSIGNED}),
        Told(90, "deal-1", {"stage": UNASSIGNED}),
        Told(600, "deal-2", {"type_": "deleted"}),
    ),
)

GROUP_STORY = Story(
    "several people by e-mail and SMS, one after the other",
    (
        scenario(
            steps=[
                mail("mail", {"after": "10 minutes"}, to=[{"role": "desk"}, {"address": "boss@example.com"}]),
                text("sms", {"after": "1 hour", "from": "previous_step"}),
                mail("cond", {"after": "2 hours"}, only_if={"field": "amount", "op": "gt", "value": 5}),
            ]
        ),
    ),
    (Told(0, "deal-1", {"stage": UNASSIGNED, "name": "Acme"}), Told(30, "deal-1", {"amount": 3})),
    prepare=a_desk_and_a_suppressed_address,
)

DATE_STORY = Story(
    "a date that moves, an entry that restarts, a condition that cancels",
    (
        scenario("due", steps=[mail("remind", {"date": "due_on", "offset": "-1 day", "time": "09:00"})]),
        scenario("idle", trigger={"on": "saved"}, reentry="restart", steps=[mail("nudge", {"after": "3 days"})]),
        scenario(
            "won",
            stage={"field": "stage", "is": WON},
            cancel_if={"field": "amount", "op": "changed"},
            steps=[
                mail("left", {"after": "1 hour", "from": "stage_left"}),
                mail("congratulate", {"after": "1 day"}, cancel_if={"field": "urgent", "op": "eq", "value": True}),
            ],
        ),
        scenario("once", trigger={"on": "created"}, reentry="once", steps=[mail("welcome", {"after": "0 minutes"})]),
    ),
    (
        Told(0, "deal-1", {"type_": "created", "stage": UNASSIGNED, "due_on": "2026-03-20"}),
        Told(10, "deal-1", {"due_on": "2026-03-25"}),
        Told(20, "deal-1", {"due_on": None, "stage": WON}),
        Told(30, "deal-1", {"due_on": "2026-03-10"}),
        Told(40, "deal-1", {"urgent": True}),
        Told(50, "deal-1", {"stage": UNASSIGNED}),
        Told(60, "deal-1", {"stage": WON}),
        Told(70, "deal-1", {"amount": 9}),
    ),
)

LONG_STORY = Story(
    "a wait that outlives executions",
    (scenario(steps=[mail("first", {"after": "320 days"}), mail("second", {"after": "2 years"})]),),
    (Told(0, "deal-1", {"stage": UNASSIGNED}),),
    until=timedelta(days=900),
)

BROKEN_STORY = Story(
    "a step that cannot be done, and a provider that is busy",
    (
        scenario(
            steps=[
                mail("broken", {"after": "1 minute"}) | {"text": "{{ 1 / deal.count }}"},
                mail("busy", {"after": "1 hour", "from": "previous_step"}, to=[{"role": "desk"}]),
            ]
        ),
    ),
    (Told(0, "deal-1", {"stage": UNASSIGNED, "count": 0}),),
    prepare=a_provider_that_is_busy_at_first,
)

QUIET_STORY = Story(
    "quiet hours and nobody to write to",
    (
        scenario(
            steps=[
                mail("night", {"after": "13 hours"}, quiet_hours={"from": "20:00", "to": "08:00"}),
                mail("nobody", {"after": "2 days"}, to=[{"field": "owner"}]),
            ]
        ),
    ),
    (Told(0, "deal-1", {"stage": UNASSIGNED}), Told(0, "deal-2", {"stage": UNASSIGNED, "mode_": "quiet"})),
)

OPERATOR_STORY = Story(
    "paused, resumed, cancelled by an operator",
    (LADDER, scenario("other", steps=[mail("later", {"after": "1 day"})])),
    (
        Told(0, "deal-1", {"stage": UNASSIGNED}),
        Told(1, "deal-2", {"stage": UNASSIGNED}),
        Ordered(3, "pause", "unassigned"),
        Ordered(60, "resume", "unassigned"),
        Ordered(180, "cancel", "unassigned"),
        Ordered(181, "cancel", "other"),
    ),
)

BY_HAND_STORY = Story(
    "started by hand",
    (
        scenario(
            "by-hand",
            trigger={"on": "manual"},
            reentry="restart",
            steps=[mail("now", {"after": "0 minutes"}), mail("later", {"after": "1 hour"})],
        ),
    ),
    (
        Told(0, "deal-1", {"type_": "created", "name": "Acme"}),
        ByHand(10, "deal-1", "by-hand"),
        Told(20, "deal-1", {"name": "Acme Ltd"}),
        ByHand(30, "deal-1", "by-hand"),
    ),
)

STORIES = (LADDER_STORY, GROUP_STORY, DATE_STORY, LONG_STORY, BROKEN_STORY, QUIET_STORY, OPERATOR_STORY, BY_HAND_STORY)
