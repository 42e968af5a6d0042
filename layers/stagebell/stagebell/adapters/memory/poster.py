"""Posting in memory: it takes what may be posted, and keeps it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stagebell.domain.addresses import target_of
from stagebell.ports.calls import Posted


@dataclass(frozen=True, slots=True)
class Post:
    """One request as it was posted."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def taken(_: Post) -> Posted:
    return Posted(204)


class MemoryPoster:
    """`answer` says what an endpoint answers, or raises what a connection would. Addresses are read as by the real one;
    names lead nowhere, so networks are not looked at. With `keep` False nothing is kept."""

    def __init__(
        self, *, answer: Callable[[Post], Posted] = taken, any_address: bool = False, keep: bool = True
    ) -> None:
        self.posted: list[Post] = []
        self.answer = answer
        self._any_address, self._keep = any_address, keep

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        target_of(url, any_address=self._any_address)
        post = Post(url, dict(headers), body)
        if self._keep:
            self.posted.append(post)
        return self.answer(post)
