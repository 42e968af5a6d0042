"""Bounded waiting for something that another process does."""

import time
from collections.abc import Callable

from local.place import LocalStackError


def until[T](look: Callable[[], T | None], what: str, *, seconds: float, pause: float = 0.1) -> T:
    """What `look` returns as soon as it is neither None nor false; an error after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise LocalStackError(f"{what} did not happen within {seconds:g} seconds.")
        time.sleep(pause)
