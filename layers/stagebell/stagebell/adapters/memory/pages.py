"""Pages of listings that are kept in memory, with the cursors of the real ones."""

from collections.abc import Callable, Iterable

from stagebell.adapters.cursors import read_cursor, write_cursor
from stagebell.domain.errors import InvalidInput, Problem
from stagebell.ports.pages import Page

PAGE_SIZE = 50


def page_of[T](
    items: Iterable[T],
    position: Callable[[T], tuple[str, ...]],
    query: str,
    cursor: str | None,
    *,
    size: int,
    newest_first: bool = True,
) -> Page[T]:
    """The page after the cursor; `position` is what the listing is sorted by, unique per item."""
    ordered = sorted(items, key=position, reverse=newest_first)
    if cursor is not None:
        after = _position(query, cursor)
        ordered = [item for item in ordered if (position(item) < after if newest_first else position(item) > after)]
    more = len(ordered) > size
    shown = tuple(ordered[:size])
    return Page(shown, write_cursor(query, position(shown[-1])) if more else None)


def _position(query: str, cursor: str) -> tuple[str, ...]:
    position = read_cursor(query, cursor)
    if not isinstance(position, list) or not all(isinstance(part, str) for part in position):
        raise InvalidInput([Problem("cursor", "cursor", "this is no cursor")])
    return tuple(position)
