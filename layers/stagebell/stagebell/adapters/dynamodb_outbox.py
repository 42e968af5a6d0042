"""The outbox in DynamoDB: items beside a record's mirror, written with the change that is to be told."""

from collections.abc import Sequence

from stagebell.adapters.dynamodb_record_keys import outbox_key
from stagebell.adapters.dynamodb_tables import Client, Expression, Listing, Table
from stagebell.domain.changes import RecordKey
from stagebell.ports import Letter


class DynamoOutbox:
    def __init__(self, client: Client, records: str) -> None:
        self._records = Table(client, records)

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
