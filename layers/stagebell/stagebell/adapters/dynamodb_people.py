"""People data in DynamoDB: suppressed addresses."""

from datetime import datetime

from stagebell.adapters.dynamodb_items import key_text
from stagebell.adapters.dynamodb_tables import Client, Table
from stagebell.domain.fields import instant_text


class DynamoSuppressions:
    """Addresses are compared without their case."""

    def __init__(self, client: Client, people: str) -> None:
        self._people = Table(client, people)

    def reason(self, channel: str, address: str) -> str | None:
        stored = self._people.get(_key(channel, address))
        return stored["reason"]["S"] if stored is not None else None

    def add(self, channel: str, address: str, reason: str, at: datetime) -> None:
        self._people.put(_key(channel, address) | {"reason": reason, "at": instant_text(at)})

    def remove(self, channel: str, address: str) -> None:
        self._people.delete(_key(channel, address))


def _key(channel: str, address: str) -> dict[str, str]:
    return {"pk": f"suppressed#{channel}", "sk": key_text(address.lower())}
