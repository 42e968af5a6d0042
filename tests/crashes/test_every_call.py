"""Every AWS call of apply_change, write_back and each action may be the last of its process, before it and after it.

The cases are generated: for each action kind one calm run writes down the calls its handlers make, and for every one of
them, before and after, the same story is played with a death there. What died is delivered again. At the end everything
stored must be as in the calm run; what went out, went out once. Only between the note that a message is being sent and
the note that it was may nobody know: then its outcome is `unknown` and said so, or it is sent again where `on_unknown`
asks for that. A service may also fail instead of the process: it is too busy, or its answer is lost.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from stagebell.adapters.documents import change_document
from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.contracts.definitions.kinds import read_definition
from stagebell.domain.changes import Change, RecordKey
from tests.crashes.crashing import Failing, Fuse, How, deaths
from tests.crashes.deployment import START, Deployment, Stack, tables
from tests.stage import ACCOUNT, DEAL, QUOTATION, UNASSIGNED

ADDRESS = "https://crm.example.com/stagebell"
SOURCE = {"kind": "source", "name": "crm", "write_back": ADDRESS}
FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:credit-check"
FUNCTION = {"kind": "function", "name": "credit", "arn": FUNCTION_ARN, "sets": {"deal": ["count"]}}
DESK = [{"role": "desk"}]
NO_IDEMPOTENCY = ("email", "sms", "function")
"""Channels whose receiver cannot tell a repetition: a death may leave an outcome unknown."""


STORED = ("records", "people", "posted")


def workflow(name: str, *actions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    trigger = {"trigger": {"on": "created"}} if "trigger" not in more else {}
    return {"kind": "workflow", "name": name, "object": "deal", **trigger, "actions": list(actions), **more}


def follows(field: str) -> dict[str, Any]:
    """A workflow that the action's change starts: what it starts must not be lost either."""
    action = {"name": "note", "type": "create_sales_record", "entry": "note", "text": f"{field} changed"}
    return workflow("follows", action, trigger={"on": "updated", "fields": [field]})


@dataclass(frozen=True)
class Kind:
    """One action kind at work: its parameters, and definitions it works with."""

    type: str
    params: Mapping[str, Any]
    beside: tuple[Mapping[str, Any], ...] = ()
    answer: Any = None
    then: tuple[Mapping[str, Any], ...] = ()
    on_unknown: str = "leave"

    @property
    def definitions(self) -> tuple[Mapping[str, Any], ...]:
        action = {"name": "first", "type": self.type, **self.params}
        acts = workflow("acts", action, *self.then, on_unknown=self.on_unknown)
        return (SOURCE, ACCOUNT, DEAL, FUNCTION, acts, *self.beside)


MARK = {"name": "mark", "type": "update_field", "set": {"urgent": True}}
KINDS = (
    Kind("notify", {"to": DESK, "via": ["inbox", "email"], "subject": "New", "body": "{{ deal.name }}"}),
    Kind(
        "update_field",
        {"set": {"count": {"add": 1}, "stage": QUOTATION}},
        (follows("count"),),
        then=({"name": "last", "type": "update_field", "set": {"name": "seen"}},),
    ),
    Kind("update_field", {"related": "account", "set": {"employees": {"add": 1}}}),
    Kind("send_sms", {"to": DESK, "text": "{{ deal.name }}"}),
    Kind("send_email", {"to": DESK, "subject": "New", "text": "{{ deal.name }}"}),
    Kind(
        "start_process",
        {"process": "other"},
        (
            workflow(
                "other", {"name": "mark", "type": "update_field", "set": {"urgent": True}}, trigger={"on": "manual"}
            ),
        ),
    ),
    Kind("lock_record", {"why": "checked"}),
    Kind("unlock_record", {"why": "open again"}, then=({"name": "shut", "type": "lock_record"},)),
    Kind("assign_owner", {"among": DESK, "by": "round_robin"}, (follows("owner"),)),
    Kind("assign_owner", {"among": DESK, "by": "least_open"}),
    Kind(
        "create_task",
        {
            "title": "Call {{ deal.name }}",
            "assignee": DESK,
            "due": "2 days",
            "remind": [{"before_due": "1 hour"}, {"after_due": "1 hour", "via": ["inbox", "email"]}],
        },
    ),
    Kind("create_event", {"title": "Meet", "starts": "3 days", "attendees": DESK}),
    Kind("create_sales_record", {"entry": "note", "text": "{{ deal.name }}"}),
    Kind("run_function", {"function": "credit"}, (follows("count"),), {"set": {"count": 9}}),
    Kind("call_webhook", {"url": "https://partner.example.com/hook", "secret": "partner"}),
    Kind("set_stage", {"field": "stage", "to": QUOTATION}, (follows("stage"),)),
    Kind("send_email", {"to": DESK, "subject": "New", "text": "{{ deal.name }}"}, on_unknown="resend"),
    Kind("send_sms", {"to": DESK, "text": "{{ deal.name }}"}, on_unknown="resend"),
    Kind("run_function", {"function": "credit"}, (follows("count"),), {"set": {"count": 9}}, on_unknown="resend"),
)


def stack(number: int) -> Stack:
    documents = []
    for document in KINDS[number].definitions:
        read = read_definition(document)
        assert read.document is not None, read.problems
        documents.append(read.document)
    return Stack(KINDS[number].answer, _people, *documents)


def play(stack: Stack, fuse: Fuse) -> dict[str, Any]:
    """The story of a kind to its end: a deal is made, and whatever follows; what there is then."""
    deal = {"name": "Acme", "stage": UNASSIGNED, "account": "a1", "count": 1}
    with stack.deployed(fuse) as made:
        made.change(change_document(_change(10, "deal", "deal-1", deal)), 10)
        return _found(made)


def _people(made: Deployment) -> None:
    users = {"u1": "+4930901820", "u2": "+4930901821"}
    changes = [
        _change(n, "user", user, {"name": user, "email": f"{user}@example.com", "phone": phone, "roles": ["desk"]})
        for n, (user, phone) in enumerate(users.items())
    ]
    changes.append(_change(3, "account", "a1", {"name": "Acme", "employees": 5}))
    for number, change in enumerate(changes):
        made.change(change_document(change), number)


def _change(number: int, kind: str, record: str, fields: Mapping[str, Any]) -> Change:
    return Change(f"crm:{number}", "crm", RecordKey(kind, record), "created", START, fields)


def _found(made: Deployment) -> dict[str, Any]:
    """Everything stored and sent."""
    with made.fuse.ignored():
        stored = tables()
    return {
        "records": _by_key(stored["RecordsTable"], "pk", "sk"),
        "runs": _by_key(stored["RunsTable"], "id"),
        "people": _by_key(stored["PeopleTable"], "pk", "sk"),
        "deliveries": _by_key(stored["DeliveriesTable"], "key"),
        "posted": sorted({headers["webhook-id"] for headers in made.outside.posted}),
        "invoked": [payload["id"] for payload in made.outside.invoked],
        "mailed": made.mailed(),
        "deaths": made.deaths,
    }


def _by_key(items: list[Mapping[str, Any]], *names: str) -> dict[tuple[str, ...], Mapping[str, Any]]:
    return {tuple(item[name]["S"] for name in names): _comparable(item) for item in items}


def _comparable(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the count of attempts, and whatever id the provider gave."""
    given = {"message_id": "some"} if "message_id" in item else {}
    return {key: value for key, value in item.items() if key not in ("attempts", "message_id")} | given


@cache
def calm(number: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a kind's story ends in when nothing dies, and the calls it made."""
    fuse = Fuse()
    with closing(stack(number)) as made:
        return play(made, fuse), tuple(fuse.calls)


def every_death() -> list[Any]:
    return [
        pytest.param(number, place, when, id=f"{kind.type}-{number}-{place}-{when}-{call}")
        for number, kind in enumerate(KINDS)
        for place, call, when in deaths(calm(number)[1])
        if not _reads(call) or (when == "before" and _first_read(number, place))
    ]


def every_failure() -> list[Any]:
    """Outside AWS a call may fail as well: what is made of that, the tests of webhooks and functions show."""
    return [
        pytest.param(number, place, how, id=f"{kind.type}-{number}-{place}-{how}-{call}")
        for number, kind in enumerate(KINDS)
        for place, call in enumerate(calm(number)[1])
        for how in _failures(call)
        if not _reads(call) or _first_read(number, place)
        if call != "secretsmanager.GetSecretValue" or kind.type == "call_webhook"  # a write-back waits for its turn
    ]


def _failures(call: str) -> tuple[How, ...]:
    if call.startswith(("poster.", "functions.")):
        return ()
    if _reads(call):
        return ("busy",)
    return ("busy", "lost", "conflict") if call == "dynamodb.TransactWriteItems" else ("busy", "lost")


def _reads(call: str) -> bool:
    return call.partition(".")[2].startswith(("Get", "Query", "Batch"))


def _first_read(number: int, place: int) -> bool:
    """Calls that only read leave nothing behind: dying at any of several in a row is dying before the first of them."""
    return not (place and _reads(calm(number)[1][place - 1]))


SENDING = ("sesv2.SendEmail", "sns.Publish", "functions.invoke")


def in_doubt(number: int, place: int, side: int) -> bool:
    """Whether the process was between the note that something is sent and the note that it was."""
    calls = calm(number)[1]
    for sent in (n for n, call in enumerate(calls) if call in SENDING):
        noted = next(n for n in range(sent - 1, -1, -1) if not _reads(calls[n]))
        settled = next(n for n in range(sent + 1, len(calls)) if not _reads(calls[n]))
        if (noted, 1) <= (place, side) <= (settled, -1):
            return True
    return False


class Stacks:
    """One stack at a time: it holds the whole process."""

    def __init__(self) -> None:
        self._number, self._stack = -1, None

    def __call__(self, number: int) -> Stack:
        if number != self._number:
            self.close()
            self._number, self._stack = number, stack(number)
        return self._stack

    def close(self) -> None:
        if self._stack is not None:
            self._stack.close()
        self._number, self._stack = -1, None


@pytest.fixture(scope="module")
def stacks() -> Iterator[Stacks]:
    with closing(Stacks()) as made:
        yield made


@pytest.mark.parametrize("number", range(len(KINDS)), ids=lambda number: f"{KINDS[number].type}-{number}")
def test_undisturbed_each_kind_acts_and_so_does_what_follows(number):
    found, calls = calm(number)

    steps = [step for run in found["runs"].values() for step in _steps(run)]
    assert {step["status"] for step in steps} <= {"acted", "waiting"} or KINDS[number].type == "lock_record", steps
    assert "dynamodb.TransactWriteItems" in calls


@pytest.mark.parametrize(("number", "place", "when"), every_death())
def test_a_death_at_any_call_leaves_nothing_undone_and_nothing_done_twice(stacks, number, place, when):
    found = play(stacks(number), Fuse(place, when))

    assert found["deaths"] == 1
    assert_as_calm(number, found, in_doubt=in_doubt(number, place, -1 if when == "before" else 1))


@pytest.mark.parametrize(("number", "place", "how"), every_failure())
def test_a_service_that_fails_once_leaves_nothing_undone_and_nothing_done_twice(stacks, number, place, how):
    fuse = Failing(place, how)

    found = play(stacks(number), fuse)

    assert fuse.burnt
    sending = calm(number)[1][place] in SENDING
    busy_when_sending = sending and how == "busy"  # then nothing was sent, and that is known
    doubt = in_doubt(number, place, 1 if how == "lost" else -1) and not busy_when_sending
    assert_as_calm(number, found, in_doubt=doubt)


def assert_as_calm(number: int, found: Mapping[str, Any], *, in_doubt: bool) -> None:
    expected, kind = calm(number)[0], KINDS[number]
    unknown = [item for item in found["deliveries"].values() if item["state"]["S"] == "unknown"]
    assert len(unknown) <= (in_doubt and kind.on_unknown == "leave")
    assert all(item["channel"]["S"] in NO_IDEMPOTENCY for item in unknown)
    if not (unknown and kind.type == "run_function"):  # its answer would have changed the record
        assert {part: found[part] for part in STORED} == {part: expected[part] for part in STORED}
        assert found["deliveries"].keys() == expected["deliveries"].keys()
    twice = in_doubt and kind.on_unknown == "resend"
    for what, one in (("invoked", "a function was invoked twice"), ("mailed", "a message went out twice")):
        assert len(found[what]) <= len(set(found[what])) + twice, one
    if not unknown:
        assert found["deliveries"] == expected["deliveries"]
        assert found["runs"] == expected["runs"]
        assert set(found["mailed"]) == set(expected["mailed"])
        assert set(found["invoked"]) == set(expected["invoked"])


def _steps(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(json.loads(run["steps"]["S"]))


def test_every_kind_there_is_is_played():
    assert {kind.type for kind in KINDS} == set(ACTION_MODELS)
