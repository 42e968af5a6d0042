"""Transactions: how one commit fits the limits of the store, the same for every adapter.

A transaction holds at most 100 items. Runs that end may be written ahead of the others, because ending them twice
is harmless: what a crash leaves undone, the redelivered change plans again. Everything else stands or falls together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched

from stagebell.adapters.memberships import Membership, memberships
from stagebell.domain.errors import StagebellError
from stagebell.domain.runs import Enrolment, Run
from stagebell.ports.records import Commit

ITEMS = 100
_AHEAD = 49  # pairs of run and enrolment, beside two checks


@dataclass(frozen=True, slots=True)
class Ending:
    """A run that ends, with its enrolment where that is written too."""

    run: Run
    enrolment: Enrolment | None


@dataclass(frozen=True, slots=True)
class Split:
    """`ahead` are written first, each batch in a transaction of its own; the rest follows in one."""

    ahead: Sequence[Sequence[Ending]]
    updated: Sequence[Run]
    enrolments: Sequence[Enrolment]


def joined(commit: Commit) -> tuple[frozenset[Membership], frozenset[Membership]]:
    """The groups a user joins and those it leaves."""
    if commit.after.key.object != "user":
        return frozenset(), frozenset()
    before, after = memberships(commit.before), memberships(commit.after)
    return after - before, before - after


def moves(commit: Commit) -> bool:
    """Whether the mirror is written: not for a stale change."""
    return commit.after.version != commit.before.version


def fixed_items(commit: Commit) -> int:
    """Mirror, change, started runs, group entries, and what an action adds: its run, a rotation, what is to be told."""
    acting = 3 if commit.settling is not None else 0
    rotation = 1 if commit.rotation is not None else 0
    return 2 + len(commit.started) + sum(map(len, joined(commit))) + acting + rotation + len(commit.outbox)


def split(commit: Commit) -> Split:
    """Raises StagebellError where even what must stand together is over the limit."""
    size = fixed_items(commit) + len(commit.updated) + len(commit.enrolments)
    if size <= ITEMS:
        return Split((), commit.updated, commit.enrolments)
    endings = list(_endings(commit))
    moved = {ending.run.id for ending in endings}
    rest = Split(
        ahead=tuple(batched(endings, _AHEAD, strict=False)),
        updated=tuple(run for run in commit.updated if run.id not in moved),
        enrolments=tuple(e for e in commit.enrolments if e.run not in moved),
    )
    size = fixed_items(commit) + len(rest.updated) + len(rest.enrolments)
    if size > ITEMS:
        raise StagebellError(
            f"one change to {commit.after.key} would write {size} items at once, more than {ITEMS}: "
            "let fewer scenarios start or follow the same change"
        )
    return rest


def _endings(commit: Commit) -> Iterator[Ending]:
    enrolments = {enrolment.run: enrolment for enrolment in commit.enrolments}
    for run in commit.updated:
        if not run.open and run.id != commit.acting:  # its step and its change are stored together
            yield Ending(run, enrolments.get(run.id))
