"""The outbox in DynamoDB: items beside a record's mirror, written with the change that is to be told."""

from collections.abc import Sequence

from stagebell.adapters.dynamodb_items import Item, values_of
from stagebell.adapters.dynamodb_record_keys import late_key, outbox_key
from stagebell.adapters.dynamodb_tables import Client, Expression, Listing, Table
from stagebell.adapters.record_documents import echo_document, echo_from
from stagebell.adapters.retention import expiry
from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import WINDOW, Echo, expect
from stagebell.ports.clock import Clock
from stagebell.ports.outbox import Letter


class DynamoOutbox:
    def __init__(self, client: Client, records: str, clock: Clock) -> None:
        self._records = Table(client, records)
        self._clock = clock

    def waiting(self, key: RecordKey, source: str, limit: int) -> Sequence[Letter]:
        first, last = f"outbox#{source}#", f"outbox#{source}$"  # `$` follows `#`
        condition = Expression("#pk = :pk AND #sk BETWEEN :first AND :last", pk=str(key), first=first, last=last)
        page = self._records.page(Listing(condition, key=("pk", "sk")), None, limit)
        return [
            Letter(key, source, int(stored["sk"]["S"].rpartition("#")[2]), stored["change"]["S"])
            for stored in page.items
        ]

    def done(self, letter: Letter) -> None:
        self._records.delete(outbox_key(letter.key, letter.source, letter.version))

    def put_back(self, letter: Letter) -> None:
        self._records.put(outbox_key(letter.key, letter.source, letter.version) | {"change": letter.change})

    def told_late(self, key: RecordKey, echo: Echo) -> None:
        """Nobody else writes what is kept of a record and source: they are told by one consumer at a time."""
        place = late_key(key, echo.source)
        kept = expect(late_from(self._records.get(place)), [echo], echo.at)
        told = {"echoes": [echo_document(each) for each in kept], "expires_at": expiry(self._clock, WINDOW)}
        self._records.put(place | told)


def late_from(stored: Item | None) -> Sequence[Echo]:
    return tuple(map(echo_from, values_of(stored, ("echoes",))["echoes"])) if stored is not None else ()
