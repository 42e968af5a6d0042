"""Pages of a listing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a listing; `cursor` is None on the last one."""

    items: tuple[T, ...]
    cursor: str | None = None
