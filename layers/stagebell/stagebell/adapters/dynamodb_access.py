"""API keys and remembered answers in DynamoDB."""

from datetime import datetime

from stagebell.adapters.dynamodb_items import Item, packed_text, values_of
from stagebell.adapters.dynamodb_tables import PAGE_SIZE, Client, Expression, Listing, Table
from stagebell.adapters.retention import ANSWERS, IN_PROGRESS, expiry
from stagebell.domain.fields import instant_text
from stagebell.ports.access import ApiKey, Remembered
from stagebell.ports.clock import Clock
from stagebell.ports.pages import Page

_API_KEYS = "api-keys"


class DynamoApiKeys:
    def __init__(self, client: Client, access: str, *, page_size: int = PAGE_SIZE) -> None:
        self._access = Table(client, access)
        self._page_size = page_size

    def get(self, id: str) -> ApiKey | None:
        stored = self._access.get({"pk": _API_KEYS, "sk": id})
        return _api_key(stored) if stored is not None else None

    def save(self, key: ApiKey) -> None:
        self._access.put(
            {
                "pk": _API_KEYS,
                "sk": key.id,
                "label": key.label,
                "role": key.role,
                "hash": key.hash,
                "created_at": instant_text(key.created_at),
                "revoked_at": instant_text(key.revoked_at) if key.revoked_at else None,
            }
        )

    def all(self, cursor: str | None = None) -> Page[ApiKey]:
        listing = Listing(Expression("#pk = :pk", pk=_API_KEYS), key=("pk", "sk"), name="api keys")
        page = self._access.page(listing, cursor, self._page_size)
        return Page(tuple(map(_api_key, page.items)), page.cursor)


def _api_key(stored: Item) -> ApiKey:
    values = values_of(stored)
    revoked = values.get("revoked_at")
    return ApiKey(
        id=values["sk"],
        label=values.get("label", ""),
        role=values["role"],
        hash=values["hash"],
        created_at=datetime.fromisoformat(values["created_at"]),
        revoked_at=datetime.fromisoformat(revoked) if revoked else None,
    )


class DynamoRequests:
    def __init__(self, client: Client, access: str, clock: Clock) -> None:
        self._access = Table(client, access)
        self._clock = clock

    def begin(self, key: str, fingerprint: str) -> Remembered | None:
        """An expired item may still be there: time to live is not punctual."""
        now = int(self._clock.real_now().timestamp())
        free = Expression("attribute_not_exists(#pk) OR #expires_at <= :now", now=now)
        entry = {"fingerprint": fingerprint, "status": 0, "expires_at": expiry(self._clock, IN_PROGRESS)}
        if self._access.put(_request_key(key) | entry, free):
            return None
        stored = self._access.get(_request_key(key))
        return _remembered(stored) if stored is not None else Remembered(fingerprint, 0, "")

    def finish(self, key: str, status: int, body: str) -> None:
        """Does nothing where the key was forgotten."""
        self._access.update(
            _request_key(key),
            Expression(
                "SET #status = :status, #body = :body, #expires_at = :expires_at",
                status=status,
                body=packed_text(body),
                expires_at=expiry(self._clock, ANSWERS),
            ),
            Expression("attribute_exists(#pk)"),
        )

    def forget(self, key: str) -> None:
        self._access.delete(_request_key(key))


def _request_key(key: str) -> dict[str, str]:
    return {"pk": f"request#{key}", "sk": "request"}


def _remembered(stored: Item) -> Remembered:
    values = values_of(stored, ("body",))
    return Remembered(values["fingerprint"], values["status"], values.get("body", ""))
