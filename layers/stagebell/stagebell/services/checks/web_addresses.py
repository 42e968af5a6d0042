"""Checking web addresses that Stagebell posts to: https, and not into a private network.

What a name leads to is looked at when it is called; here is told what can be known beforehand."""

from collections.abc import Iterator

from stagebell.domain.addresses import is_public, target_of
from stagebell.domain.errors import DeliveryRejected, Problem
from stagebell.services.checks.world import Document, Tools

_PRIVATE_NAMES = tuple(f".{last}" for last in ("localhost", "local", "internal"))


def address_problems(url: str, at: str, tools: Tools) -> Iterator[Problem]:
    """Nothing where the stack may call any address."""
    wrong = "" if tools.any_address else _wrong(url)
    if wrong:
        yield Problem(at, "address", wrong)


def source_problems(document: Document, tools: Tools) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of a source definition."""
    if document.get("write_back"):
        yield from address_problems(document["write_back"], "write_back", tools)


def _wrong(url: str) -> str:
    try:
        target = target_of(url)
    except DeliveryRejected as error:
        return error.message
    if target.is_number and not is_public(target.host):
        return f"{target.host} is in no public network: Stagebell calls public addresses only"
    if not target.is_number and ("." not in target.host or target.host.endswith(_PRIVATE_NAMES)):
        return f"{target.host} is no name of the public internet: Stagebell calls public addresses only"
    return ""
