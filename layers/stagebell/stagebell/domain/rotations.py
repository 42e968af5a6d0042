"""Rotations: whose turn it is to be assigned a record. Pure; what was decided is stored together with the assignment,
so that nobody is skipped by a retry and two at the same time do not choose the same person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stagebell.domain.changes import RecordKey

LAG = timedelta(minutes=5)
"""How long an assignment may be missing from the index that counts a person's records."""

REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Given:
    """A record that was given to somebody; `load` is how many open ones they had with it (0: nobody counted)."""

    user: str
    record: RecordKey
    at: datetime
    load: int = 0


@dataclass(frozen=True, slots=True)
class Rotation:
    """Who was last, and what was given lately. `revision` counts its stored states (0: never stored)."""

    name: str
    revision: int = 0
    last: str = ""
    lately: tuple[Given, ...] = ()


def next_in_turn(rotation: Rotation, group: Sequence[str]) -> str:
    """The member after the last one, in the order of their ids; the group is not empty."""
    ordered = sorted(group)
    return next((user for user in ordered if user > rotation.last), ordered[0])


def loads(rotation: Rotation, counted: Mapping[str, int], now: datetime) -> Mapping[str, int]:
    """How many open records each member has: as counted, but no fewer than when they were given one lately, which may
    not be counted yet."""
    known = dict(counted)
    for given in rotation.lately:
        if given.user in known and now - given.at <= LAG:
            known[given.user] = max(known[given.user], given.load)
    return known


def least_loaded(rotation: Rotation, loads: Mapping[str, int]) -> str:
    """The member with the fewest records; among equals the one whose turn it is."""
    fewest = min(loads.values())
    return next_in_turn(rotation, [user for user, load in loads.items() if load == fewest])


def given(rotation: Rotation, user: str, record: RecordKey, now: datetime, load: int = 0) -> Rotation:
    """The rotation after an assignment."""
    recent = [old for old in rotation.lately if now - old.at <= LAG and old.record != record]
    lately = (*recent, Given(user, record, now, load))[-REMEMBERED:]
    return replace(rotation, revision=rotation.revision + 1, last=user, lately=lately)
