"""One record, one workflow, all kinds of action: defined, posted and looked at over HTTP, as an integrator would."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from local.place import ROOT
from local.stack import Stack
from local.waiting import until
from local.webhooks import Source
from stagebell.cli.client import path_of
from stagebell.contracts.definitions.actions import ACTION_MODELS
from tests.local.receiver import Receiver, receiving
from tests.local.whole import PATIENCE, Whole

OFFER, ID = "offer", "offer-1"
OFFERS = {
    "kind": "object",
    "name": OFFER,
    "title": "{{ name }}",
    "record_url": "https://crm.example.com/offers/{{ id }}",
    "owner_field": "owner",
    "fields": {
        "name": {"type": "text"},
        "amount": {"type": "currency", "currency": "EUR"},
        "tier": {"type": "select", "options": ["gold", "basic"]},
        "credit": {"type": "select", "options": ["Approved", "On hold"]},
        "credit_limit": {"type": "currency", "currency": "EUR"},
        "stage": {"type": "select", "options": ["New", "Won"]},
        "calls": {"type": "integer"},
        "owner": {"type": "reference", "object": "user"},
        "contact": {"type": "email"},
        "mobile": {"type": "phone"},
        "ready": {"type": "boolean"},
    },
}
SECOND = {
    "kind": "workflow",
    "name": "second",
    "object": OFFER,
    "trigger": {"on": "manual"},
    "actions": [{"name": "rename", "type": "update_field", "set": {"name": {"template": "{{ offer.name }}!"}}}],
}
ACTIONS: list[dict[str, Any]] = [
    {
        "type": "notify",
        "to": [{"field": "owner"}],
        "via": ["inbox", "email"],
        "subject": "{{ offer.name }}: look",
        "body": "It is ready.",
    },
    {"type": "send_email", "to": [{"field": "contact"}], "subject": "{{ offer.name }}: hello", "text": "Hello."},
    {"type": "send_sms", "to": [{"field": "mobile"}], "text": "{{ offer.name }}: call us"},
    {"type": "update_field", "set": {"calls": {"add": 1}}},
    {"type": "set_stage", "field": "stage", "to": "Won"},
    {"type": "assign_owner", "to": {"user": "carla"}},
    {"type": "start_process", "process": "second"},
    {"type": "create_task", "title": "Call", "assignee": [{"field": "owner"}], "due": "90 days"},
    {"type": "create_event", "title": "Meet", "starts": "90 days", "attendees": [{"field": "contact"}]},
    {"type": "create_sales_record", "entry": "note", "text": "Won at last"},
    {"type": "run_function", "function": "credit-check", "parameters": {"tier": {"field": "tier"}}},
    {
        "type": "call_webhook",
        "secret": "partner",
        "body": {"is": "{{ offer.name }}", "of": "{{ offer.owner.name }}"},
    },
    {"type": "lock_record", "why": "It is won"},
    {"type": "unlock_record", "why": "Nobody minds"},
]

MADE = {"calls": 3, "stage": "Won", "owner": "carla", "name": "Pumps!", "credit": "Approved", "credit_limit": "5000"}
"""What becomes of the offer, here and in the CRM."""


@dataclass(frozen=True)
class Story:
    """What happened, and who was told."""

    whole: Whole
    crm: Source
    receiver: Receiver
    partner_secret: str
    run: dict[str, Any]

    def record(self) -> Any:
        return self.whole.api.get(path_of("records", OFFER, ID))

    def told(self) -> dict[str, Any]:
        """The fields that the CRM was told of, the newest values last."""
        messages = [post.verified(self.crm.secret) for post in self.receiver.at("/crm")]
        return {name: value for message in messages for name, value in message["data"]["fields"].items()}


@pytest.fixture(scope="module")
def story(whole: Whole) -> Iterator[Story]:
    with receiving() as receiver:
        api = whole.api
        for document in (OFFERS, SECOND, function(whole.stack), source(receiver), workflow(receiver)):
            whole.activate([document])
        secret = api.post(path_of("sources", "crm", "secrets"), {})["secret"]
        partner_secret = api.post(path_of("webhooks", "partner", "secrets"), {})["secret"]
        crm = Source(whole.stack.api_url, "crm", secret)
        crm.post([user(whole, "Anna"), user(whole, "Carla")])
        whole.settle()
        crm.post([offer(whole, "created")])
        whole.settle()
        crm.post([whole.change(OFFER, ID, "updated", ready=True)])
        run = until(lambda: ended(whole), "The end of the run", seconds=2 * PATIENCE)
        yield Story(whole, crm, receiver, partner_secret, run)


def workflow(receiver: Receiver) -> dict[str, Any]:
    named = [{"name": action["type"].replace("_", "-"), **action} for action in ACTIONS]
    address = {"url": receiver.url("/partner")}
    actions = [{**action, **address} if action["type"] == "call_webhook" else action for action in named]
    trigger = {"on": "updated", "fields": ["ready"]}
    return {"kind": "workflow", "name": "everything", "object": OFFER, "trigger": trigger, "actions": actions}


def source(receiver: Receiver) -> dict[str, Any]:
    return {"kind": "source", "name": "crm", "authoritative": True, "write_back": receiver.url("/crm")}


def user(whole: Whole, name: str) -> dict[str, Any]:
    return whole.change("user", name.lower(), name=name, email=f"{name.lower()}@example.com")


def offer(whole: Whole, type: str) -> dict[str, Any]:
    fields = {"name": "Pumps", "amount": "4800", "tier": "basic", "stage": "New", "calls": 2, "owner": "anna"}
    return whole.change(OFFER, ID, type, **fields, contact="cleo@example.com", mobile="+491713920099")


def function(stack: Stack) -> dict[str, Any]:
    """The customer's function of the examples, deployed by the customer."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(ROOT / "functions" / "examples" / "credit_check" / "handler.py", "handler.py")
    with closing(stack.client("lambda")) as functions:
        made = functions.create_function(
            FunctionName="credit-check",
            Runtime="python3.13",
            Handler="handler.lambda_handler",
            Role="arn:aws:iam::000000000000:role/credit-check",
            Code={"ZipFile": archive.getvalue()},
            Timeout=8,
        )
    sets = {OFFER: ["credit", "credit_limit"]}
    return {"kind": "function", "name": "credit-check", "arn": made["FunctionArn"], "sets": sets}


def ended(whole: Whole) -> dict[str, Any] | None:
    runs = whole.runs(OFFER, ID, "everything")
    return next((run for run in runs if run["status"] != "running"), None)


def test_the_workflow_has_every_kind_of_action() -> None:
    assert {action["type"] for action in ACTIONS} == set(ACTION_MODELS)


def test_every_action_has_acted(story: Story) -> None:
    steps = {step["name"]: (step["status"], step["reason"]) for step in story.run["steps"]}

    assert steps == {action["type"].replace("_", "-"): ("acted", "") for action in ACTIONS}
    assert story.run["status"] == "completed"


def test_the_record_is_as_the_actions_leave_it(story: Story) -> None:
    record = until(lambda: _when(story.record(), name="Pumps!"), "The other workflow's end", seconds=PATIENCE)

    assert {name: record["fields"][name] for name in MADE} == MADE
    assert record["lock"] is None


def test_people_were_told_where_they_look(story: Story) -> None:
    (notice,) = story.whole.api.get(path_of("users", "anna", "inbox"))["items"]
    words = until(lambda: sorted(story.whole.words_about("Pumps")), "The messages", seconds=PATIENCE)

    assert (notice["subject"], notice["url"]) == ("Pumps: look", "https://crm.example.com/offers/offer-1")
    assert words == ["Pumps: call us", "Pumps: hello", "Pumps: look"]


def test_follow_ups_are_listed_under_the_record(story: Story) -> None:
    items = story.whole.api.get(path_of("records", OFFER, ID, "follow-ups"))["items"]

    assert sorted(item["object"] for item in items) == ["calendar_event", "sales_record", "task"]


def test_every_message_stands_in_the_ledger(story: Story) -> None:
    found = story.whole.api.get(path_of("runs", story.run["id"], "deliveries"))["items"]

    channels = sorted(delivery["channel"] for delivery in found if delivery["channel"] != "write_back")
    assert channels == ["email", "email", "function", "inbox", "sms", "webhook"]
    assert {delivery["state"] for delivery in found} <= {"sent", "delivered"}


def test_the_partner_gets_a_signed_webhook(story: Story) -> None:
    (post,) = story.receiver.at("/partner")

    assert post.verified(story.partner_secret) == {"is": "Pumps!", "of": "Carla"}


def test_the_crm_is_told_and_its_echo_starts_nothing(story: Story) -> None:
    until(lambda: story.told() == MADE, "Telling the CRM", seconds=PATIENCE)
    before, runs = story.record(), story.whole.api.get(path_of("records", OFFER, ID, "runs"))

    told = len(story.receiver.at("/crm"))
    story.crm.post([story.whole.change(OFFER, ID, "updated", **MADE)])
    story.whole.settle()

    assert story.record()["fields"] == before["fields"]
    assert story.whole.api.get(path_of("records", OFFER, ID, "runs")) == runs
    assert len(story.receiver.at("/crm")) == told


def _when(record: dict[str, Any], **fields: Any) -> dict[str, Any] | None:
    return record if fields.items() <= record["fields"].items() else None
