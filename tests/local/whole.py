"""The deployed stack, and what tests do with it."""

import uuid
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local import outbox
from local.clock import clock_of
from local.outbox import Message
from local.replay import SOURCE
from local.seed import Seeded
from local.stack import Stack
from local.waiting import until
from local.webhooks import Source
from stagebell.cli.client import Client, path_of, quoted
from stagebell.contracts.definitions.kinds import KINDS
from stagebell.domain.fields import instant_text
from stagebell.ports.clock import Clock

PATIENCE = 40  # seconds; a busy machine is slow, but it comes to an end


@dataclass(frozen=True)
class Whole:
    stack: Stack
    api: Client
    source: Source
    clock: Clock

    @classmethod
    def of(cls, stack: Stack) -> "Whole":
        seeded = Seeded.read(stack.place)
        assert seeded is not None
        source = Source(stack.api_url, SOURCE, seeded.secret)
        return cls(stack, Client(stack.api_url, seeded.key), source, clock_of(stack.place))

    def change(self, object_name: str, id: str, type: str = "created", **fields: Any) -> dict[str, Any]:
        """A change that happens now."""
        moment = instant_text(self.clock.now())
        return {"object": object_name, "id": id, "type": type, "occurred_at": moment, "fields": fields}

    def incident(self, type: str = "created", id: str = "", **fields: Any) -> dict[str, Any]:
        id = id or f"INC-{uuid.uuid4().hex[:10]}"
        state = {"incident_state": "Active"} if type == "created" else {}
        return self.change("incident", id, type, **state, **fields)

    def activate(self, definitions: Iterable[dict[str, Any]]) -> None:
        documents = sorted(definitions, key=lambda document: [*KINDS].index(document["kind"]))
        for document in documents:
            self.api.put(path_of("definitions", document["kind"], document["name"]), document)
        for document in documents:
            self.api.post(path_of("definitions", document["kind"], document["name"], "activate"), {})

    def deliveries(self, record: str) -> list[dict[str, Any]]:
        """The deliveries of a record (`object/id`), oldest first."""
        found: list[dict[str, Any]] = self.api.get(f"/v1/deliveries?record={quoted(record)}")["items"]
        return found[::-1]

    def runs(self, object_name: str, id: str, scenario: str) -> list[dict[str, Any]]:
        items = self.api.get(path_of("records", object_name, id, "runs"))["items"]
        return [run for run in items if run["definition"] == scenario][::-1]

    def outbox(self) -> dict[str, Message]:
        return outbox.sent(self.stack)

    def words_about(self, id: str) -> list[str]:
        """What the emulator sent that names a record."""
        return [message.words for message in self.outbox().values() if id in message.words]

    def settle(self) -> None:
        """Wait until every accepted change has been applied."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def empty() -> bool:
            url = self.stack.outputs["ChangesQueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return all(found[name] == "0" for name in names)

        with closing(self.stack.client("sqs")) as sqs:
            until(empty, "Applying all changes", seconds=PATIENCE)

    def pass_time(self, **span: float) -> None:
        """Wait until the clock shows so much more."""
        later = self.clock.now() + timedelta(**span)
        until(lambda: self.clock.now() >= later, f"The passing of {span}", seconds=60, pause=0.02)
