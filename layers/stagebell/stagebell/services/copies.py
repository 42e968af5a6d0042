"""Copies: who else gets an e-mail, and who gets its answers: each address once, and why somebody is left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from stagebell.ports.deliveries import Suppressions
from stagebell.services.action import Look
from stagebell.services.people import Directory, Missing, Person

CARRIED = 49
"""How many copies one message takes along: SES sends a message to 50 at most, and one of them is whom it is for."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Addresses beside the one that a message is for."""

    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Who gets a copy."""
        return self.cc + self.bcc

    @property
    def carried(self) -> "Copies":
        """As many as one message takes along."""
        return Copies(self.cc[:CARRIED], self.bcc[: max(CARRIED - len(self.cc), 0)], self.reply_to)

    @property
    def rest(self) -> "Copies":
        """What the next message has, once one has taken those along."""
        return Copies(self.cc[CARRIED:], self.bcc[max(CARRIED - len(self.cc), 0) :], self.reply_to)

    @property
    def missing(self) -> Sequence[Missing]:
        """Nobody is left to take these along."""
        kinds = (("cc", self.cc), ("bcc", self.bcc))
        return [Missing(f"{kind}: {address}", "too_many_copies") for kind, addresses in kinds for address in addresses]


@dataclass(slots=True)
class Copying:
    """Looks up the copies of a step's messages. `written_to` are the addresses that get a message or a copy already;
    `missing` is told who gets none."""

    look: Look
    directory: Directory
    suppressions: Suppressions
    written_to: set[str]
    missing: list[Missing] = field(default_factory=list)

    def copies(self) -> Copies:
        answers = tuple(person.email for person in self._people("reply_to"))
        return Copies(self._addresses("cc"), self._addresses("bcc"), answers)

    def _addresses(self, key: str) -> tuple[str, ...]:
        new = [person for person in self._people(key) if person.email.lower() not in self.written_to]
        self.written_to.update(person.email.lower() for person in new)
        return tuple(person.email for person in new if not self._refused(key, person))

    def _refused(self, key: str, person: Person) -> bool:
        reason = self.suppressions.reason("email", person.email)
        if reason:
            self.missing.append(Missing(f"{key}: {person}", reason, person.id))
        return bool(reason)

    def _people(self, key: str) -> Sequence[Person]:
        found, lost = self.directory.reachable(self.look, key, "email")
        self.missing.extend(replace(entry, recipient=f"{key}: {entry.recipient}") for entry in lost)
        return found
