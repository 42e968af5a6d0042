"""What a source could not be told, told once more over the API.

All of it is listed first, then replayed one by one, the oldest first. What has been replayed is not listed any more, so
that whoever was interrupted says the same again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stagebell.cli.client import Client, path_of, quoted
from stagebell.cli.failures import ApiRefused

NOT_ITS_FAULT = (0, 401, 403, 429)
"""Where no write-back would fare better: nobody is there, the key is not allowed to, or we ask too often."""

type Letter = Mapping[str, Any]


@dataclass(slots=True)
class Replayed:
    """What came of a replay, by the state in which each write-back is now, and why some could not be replayed."""

    source: str
    states: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        if not self.states and not self.refused:
            return [f"There is nothing that {self.source} could not be told."]
        overtaken, told = self.states["suppressed"], self.states.total() - self.states["suppressed"]
        parts = [f"{told} will be told to {self.source} once more"]
        parts += [f"{overtaken} will not, as newer values have replaced them"] if overtaken else []
        parts += [f"{len(self.refused)} could not be replayed:"] if self.refused else []
        return ["; ".join(parts), *self.refused]


def replay(api: Client, source: str) -> Replayed:
    """Raises ApiRefused where there is no such source, and where the API cannot go on; that says how far it came."""
    api.get(path_of("definitions", "source", source))
    made = Replayed(source)
    for letter in reversed([letter for letter in _given_up(api) if letter["source"] == source]):
        try:
            answer = api.post(path_of("write-backs", letter["key"], "replay"), {})
            made.states[answer["state"]] += 1
        except ApiRefused as error:
            if error.status in NOT_ITS_FAULT:
                done = f"{made.states.total()} were replayed before; say the same again to go on"
                raise ApiRefused(f"{error}\n{done}", error.status) from error
            made.refused.append(_refusal(letter, error))
    return made


def _given_up(api: Client) -> Iterator[Letter]:
    """Those of all sources, newest first, page by page."""
    path = f"{path_of('write-backs')}?state=failed"
    page = api.get(path)
    yield from page["items"]
    while page["cursor"]:
        page = api.get(f"{path}&cursor={quoted(page['cursor'])}")
        yield from page["items"]


def _refusal(letter: Letter, error: ApiRefused) -> str:
    record = letter["record"]
    return f"  {record['object']}/{record['id']}, change {letter['change']}: {error}"
