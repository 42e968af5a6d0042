"""Copies of an e-mail: each address once, with the first message that goes out, and why somebody gets none."""

from typing import Any

import pytest

from stagebell.domain.errors import DeliveryThrottled
from stagebell.domain.executions import Task
from stagebell.ports.messages import Email
from stagebell.services.copies import CARRIED
from tests.stage import START, UNASSIGNED, Stage, mail, scenario

ADA, BOB = {"user": "ada"}, {"user": "bob"}
DESK = {"address": "desk@example.com"}


def staffed(**step: Any) -> Stage:
    """Ada and Bob are bosses; Cy has left; Di has no address."""
    stage = Stage(scenario(steps=[mail("m", {"after": "0 minutes"}, **step)]))
    stage.user("ada", name="Ada", email="ada@example.com", roles=["boss"])
    stage.user("bob", name="Bob", email="Bob@example.com", roles=["boss"])
    stage.user("cy", name="Cy", email="cy@example.com", active=False)
    stage.user("di", name="Di")
    return stage


def suppress(stage: Stage, *addresses: str) -> None:
    for address in addresses:
        stage.offline.suppressions.add("email", address, "bounced", stage.now)


def sent(stage: Stage) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(email.to, email.cc, email.bcc) for email in stage.offline.mailer.sent]


def entered(stage: Stage) -> Stage:
    stage.post(stage=UNASSIGNED)
    stage.advance(minutes=0)
    return stage


@pytest.mark.parametrize(
    ("written", "expected", "reason"),
    [
        ({"to": [ADA], "cc": [BOB, DESK]}, ("ada@example.com", ("Bob@example.com", "desk@example.com"), ()), "both"),
        ({"to": [ADA], "cc": [ADA, {"role": "boss"}]}, ("ada@example.com", ("Bob@example.com",), ()), "once for Ada"),
        (
            {"to": [ADA], "cc": [BOB], "bcc": [{"address": "BOB@example.com"}]},
            ("ada@example.com", ("Bob@example.com",), ()),
            "in cc already",
        ),
        (
            {"to": [DESK], "bcc": [{"role": "boss"}, BOB]},
            ("desk@example.com", (), ("ada@example.com", "Bob@example.com")),
            "a group",
        ),
    ],
)
def test_everybody_gets_one_message_or_one_copy(written, expected, reason):
    stage = entered(staffed(**written))

    assert sent(stage) == [expected], reason


def test_copies_go_with_the_next_message_where_the_first_may_not_go_out():
    stage = staffed(to=[ADA, BOB], cc=[DESK])
    suppress(stage, "ada@example.com")

    entered(stage)

    assert sent(stage) == [("Bob@example.com", ("desk@example.com",), ())]
    assert {d.recipient: (d.state, d.copies) for d in stage.deliveries} == {
        "ada@example.com": ("suppressed", ()),
        "Bob@example.com": ("sent", ("desk@example.com",)),
    }


@pytest.mark.parametrize(
    ("key", "recipient", "missing"),
    [
        ("cc", {"user": "cy"}, {"recipient": "cc: user cy", "user": "cy", "reason": "inactive_user"}),
        ("bcc", {"user": "di"}, {"recipient": "bcc: user di", "reason": "no_email"}),
        ("cc", {"role": "clerk"}, {"recipient": "cc: role clerk", "reason": "empty_group"}),
        ("cc", DESK, {"recipient": "cc: address desk@example.com", "reason": "bounced"}),
        (
            "reply_to",
            {"user": "nobody"},
            {"recipient": "reply_to: user nobody", "user": "nobody", "reason": "no_such_user"},
        ),
    ],
)
def test_the_step_says_who_got_no_copy_and_why(key, recipient, missing):
    stage = staffed(to=[ADA], **{key: [recipient]})
    suppress(stage, "desk@example.com")

    entered(stage)

    step = stage.runs()[0].steps[0]
    assert (step.status, step.why) == ("acted", {"missing": [missing]})
    assert sent(stage) == [("ada@example.com", (), ())]


@pytest.mark.parametrize("suppressed_first", [False, True])
def test_copies_go_out_once_although_who_may_be_written_to_changes_between_two_attempts(suppressed_first):
    stage = staffed(to=[ADA, BOB, {"address": "three@example.com"}], cc=[DESK])
    busy = {"three@example.com"}
    stage.offline.mailer._fault = lambda email: throttled(email, busy)
    if suppressed_first:
        suppress(stage, "ada@example.com")
    stage.post(stage=UNASSIGNED)
    task = Task(stage.runs()[0].id, "m", 1, START)
    with pytest.raises(DeliveryThrottled):
        stage.offline.actor.act(task, stage.offline.actions["send_email"])

    busy.clear()
    if suppressed_first:
        stage.offline.suppressions.remove("email", "ada@example.com")
    else:
        suppress(stage, "ada@example.com")
    stage.offline.actor.act(task, stage.offline.actions["send_email"])

    with_copies = [(to, cc) for to, cc, _ in sent(stage) if cc]
    assert with_copies == [("Bob@example.com" if suppressed_first else "ada@example.com", ("desk@example.com",))]


def throttled(email: Email, busy: set[str]) -> None:
    if email.to in busy:
        raise DeliveryThrottled("slow down")


def test_more_copies_than_one_message_may_have_go_with_the_next_one_and_the_step_says_who_got_none():
    stage = staffed(to=[ADA, BOB], cc=[{"role": "team"}], bcc=[DESK])
    for number in range(110):
        stage.user(f"t{number:03}", email=f"t{number:03}@example.com", roles=["team"])

    entered(stage)

    assert [(to, len(cc), len(bcc)) for to, cc, bcc in sent(stage)] == [
        ("ada@example.com", CARRIED, 0),
        ("Bob@example.com", CARRIED, 0),
    ]
    assert sent(stage)[1][1][0] == "t049@example.com"
    missing = stage.runs()[0].steps[0].why["missing"]
    assert [(entry["recipient"], entry["reason"]) for entry in missing] == [
        *((f"cc: t{number:03}@example.com", "too_many_copies") for number in range(98, 110)),
        ("bcc: desk@example.com", "too_many_copies"),
    ]
