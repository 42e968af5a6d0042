"""The action `send_email`: one message for each recipient, in their language; copies go with the first one sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stagebell.domain.deliveries import Delivery
from stagebell.domain.runs import Run
from stagebell.ports.deliveries import Suppressions
from stagebell.ports.messages import Attachment, Email, Mailer
from stagebell.services.action import Look, Outcome
from stagebell.services.compose import Composer, Words
from stagebell.services.copies import Copies, Copying
from stagebell.services.deliver import Courier, Parcel
from stagebell.services.invite import INVITATION, Inviter, Letter
from stagebell.services.people import Directories, Missing, Person

NO_COPIES = Copies()


@dataclass(frozen=True, slots=True)
class SendEmail:
    """`sender` is the verified address all mail comes from; `inviter` writes the letters of a step that invites."""

    composer: Composer
    courier: Courier
    mailer: Mailer
    suppressions: Suppressions
    directories: Directories
    sender: str
    inviter: Inviter

    def act(self, look: Look) -> Outcome:
        if look.step.params.get(INVITATION):
            return self._invite(look)
        directory = self.directories.open()
        people, missing = directory.reachable(look, "to", "email")
        letters = [(person, self.composer.email(look, person, directory.related)) for person in people]
        copying = Copying(look, directory, self.suppressions, {person.email.lower() for person in people})
        done, left = self._sent(look, letters, copying.copies())
        return self.courier.outcome(done, [*missing, *copying.missing, *left])

    def _sent(
        self, look: Look, letters: Sequence[tuple[Person, Words]], copies: Copies
    ) -> tuple[Sequence[Delivery], Sequence[Missing]]:
        """Whether a message went out is told by the ledger, so that a retry leaves the copies with the same one."""
        done: list[Delivery] = []
        for person, words in letters:
            done.append(self.courier.send(look, "email", self.parcel(look, person, words, copies.carried)))
            copies = copies if done[-1].state == "suppressed" else copies.rest
        written = any(delivery.state != "suppressed" for delivery in done)
        return done, copies.missing if written else ()

    def _invite(self, look: Look) -> Outcome:
        letters, missing = self.inviter.letters(look, self.directories.open())
        return self.courier.deliver(look, "email", [self._enclosed(look, letter) for letter in letters], missing)

    def _enclosed(self, look: Look, letter: Letter) -> Parcel:
        copies = Copies(reply_to=letter.reply_to)
        return replace(self.parcel(look, letter.person, letter.words, copies, letter.attachments), detail=letter.detail)

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.courier.give_up(run, step, reason)

    def parcel(
        self,
        look: Look,
        person: Person,
        words: Words,
        copies: Copies = NO_COPIES,
        attachments: Sequence[Attachment] = (),
    ) -> Parcel:
        """One mail, whatever its words come from."""
        refused = "quiet_import" if look.run.quiet else self.suppressions.reason("email", person.email) or ""

        def send(key: str) -> str:
            return self.mailer.send(
                Email(
                    key=key,
                    sender=self.sender,
                    to=person.email,
                    subject=words.subject,
                    text=words.text,
                    html=words.html,
                    cc=copies.cc,
                    bcc=copies.bcc,
                    reply_to=copies.reply_to,
                    headers=unsubscribe(self.sender) if words.marketing else {},
                    attachments=tuple(attachments),
                )
            )

        return Parcel(person.email, person.id, send, refused, copies.all)


def unsubscribe(sender: str) -> Mapping[str, str]:
    """RFC 2369 header of marketing mail."""
    return {"List-Unsubscribe": f"<mailto:{sender}?subject=unsubscribe>"}
