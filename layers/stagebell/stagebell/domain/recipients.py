"""Recipients: who a step writes to, as the definition names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

type RecipientKind = Literal["field", "user", "role", "department", "manager_of", "address", "phone", "creator"]

RECIPIENT_KINDS: tuple[RecipientKind, ...] = get_args(RecipientKind.__value__)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One written recipient. `value` is what the kind needs: a field path, an id, a name, an address or a number;
    empty for `creator`."""

    kind: RecipientKind
    value: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.value}".rstrip()


def read_recipients(documents: Sequence[Mapping[str, Any]] | None) -> tuple[Recipient, ...]:
    """The recipients of a validated list such as `[{field: owner}, {role: manager}, {creator: true}]`."""
    return tuple(_read(document) for document in documents or ())


def _read(document: Mapping[str, Any]) -> Recipient:
    kind = next(kind for kind in RECIPIENT_KINDS if document.get(kind) is not None)
    return Recipient(kind, "" if kind == "creator" else str(document[kind]))
