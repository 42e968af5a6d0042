"""The action `call_webhook`: posts the record, or a body of its own, to an address; signed, and once for the receiver.

The receiver knows a message by its id, which is the delivery's key, and so takes one that comes twice for one. An
address that answers 410 (gone) is not posted to again, by any step, until an operator takes it off the list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stagebell.domain.errors import ChannelMisconfigured, RenderFailed
from stagebell.domain.runs import Run
from stagebell.ports.deliveries import Suppressions
from stagebell.ports.secrets import Secrets
from stagebell.services.action import Look, Outcome
from stagebell.services.deliver import Courier, Parcel
from stagebell.services.sight import Sights
from stagebell.services.webhooks import BODY_LIMIT, GONE, Webhooks, encoded, message, refusal


@dataclass(frozen=True, slots=True)
class CallWebhook:
    sights: Sights
    courier: Courier
    webhooks: Webhooks
    secrets: Secrets
    suppressions: Suppressions

    def act(self, look: Look) -> Outcome:
        url, secret = look.step.params["url"], look.step.params["secret"]
        body = encoded(self._body(look))
        refused = "quiet_import" if look.run.quiet else self.suppressions.reason("webhook", url) or ""

        def send(key: str) -> str:
            return self._post(url, key, body, secret)

        return self.courier.deliver(look, "webhook", [Parcel(url, "", send, refused, repeatable=True)], ())

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.courier.give_up(run, step, reason)

    def _post(self, url: str, key: str, body: bytes, secret: str) -> str:
        """Nothing to keep: the receiver gives no id of its own."""
        secrets = self.secrets.of_webhook(secret)
        if not secrets:
            raise ChannelMisconfigured(
                f"there is no webhook secret {secret}: make one with `stagebell secrets rotate {secret} --webhook` and "
                "give it to the receiver"
            )
        posted = self.webhooks.post(url, key, body, secrets)
        if posted.status == GONE:
            self.suppressions.add("webhook", url, "gone", self.courier.clock.now())
        if error := refusal(posted):
            raise error
        return ""

    def _body(self, look: Look) -> dict[str, Any]:
        own = look.step.params.get("body")
        if own is None:
            return _told(look)
        return dict(_Rendering(self.sights.open(look, local=True).render).all(own))


def _told(look: Look) -> dict[str, Any]:
    """The record as it is, and which step of which run says so."""
    run, step, record = look.run, look.step.name, look.record.key
    data = {
        "object": record.object,
        "id": record.id,
        "fields": dict(look.view.after),
        "run": run.id,
        "definition": run.definition,
        "step": step,
    }
    return message(f"stagebell.{run.definition}.{step}", run.state(step).due_at or run.triggered_at, data)


@dataclass(slots=True)
class _Rendering:
    """Renders the texts of a body. Many small ones may not make more together than one may alone."""

    render: Callable[[str], str]
    size: int = 0

    def all(self, written: Any) -> Any:
        match written:
            case str():
                return self._text(written)
            case Mapping():
                return {key: self.all(value) for key, value in written.items()}
            case list():
                return [self.all(value) for value in written]
        return written

    def _text(self, template: str) -> str:
        text = self.render(template)
        self.size += len(text)
        if self.size > BODY_LIMIT:
            raise RenderFailed(f"the texts of the body came out with more than {BODY_LIMIT:,} characters")
        return text
