"""An address that bounces is not written to again."""

from typing import Any

import pytest

from local.waiting import until
from tests.local.whole import PATIENCE, Whole

BOUNCES = "bounce@simulator.amazonses.com"

ANSWER = {
    "kind": "scenario",
    "name": "acknowledge",
    "object": "incident",
    "trigger": {"on": "created"},
    "only_if": {"field": "contact_type", "op": "eq", "value": "Email"},
    "steps": [
        {
            "name": "thanks",
            "at": {"after": "0 minutes"},
            "type": "send_email",
            "to": [{"field": "caller_id"}],
            "subject": "We have your incident {{ incident.id }}",
            "text": "Thank you.",
        }
    ],
}


@pytest.fixture(scope="module")
def acknowledging(whole: Whole) -> None:
    whole.activate([ANSWER])
    whole.source.post([whole.change("user", "gone", name="Gone Away", email=BOUNCES)])
    whole.settle()


def written(whole: Whole, state: str) -> dict[str, Any]:
    """The delivery of a new incident by e-mail, once it is in this state."""
    incident = whole.incident(contact_type="Email", caller_id="gone")
    whole.source.post([incident])

    def found() -> dict[str, Any] | None:
        deliveries = whole.deliveries(f"incident/{incident['id']}")
        return next((delivery for delivery in deliveries if delivery["state"] == state), None)

    return until(found, f"The delivery's being {state}", seconds=PATIENCE)


@pytest.mark.usefixtures("acknowledging")
def test_a_bounce_suppresses_the_address(whole: Whole) -> None:
    first = written(whole, "bounced")
    second = written(whole, "suppressed")

    assert first["recipient"] == second["recipient"] == BOUNCES
    assert whole.api.get(f"/v1/suppressions?channel=email&address={BOUNCES}")["reason"]
    assert second["message_id"] == ""
    assert whole.words_about(second["record"]["id"]) == []
