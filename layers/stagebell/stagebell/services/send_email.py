"""The action `send_email`: one message for each recipient, in their language; copies go with the first one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from stagebell.domain.runs import Run
from stagebell.ports import Attachment, Email, Mailer, Suppressions
from stagebell.services.act import Look, Outcome
from stagebell.services.compose import Composer, Words
from stagebell.services.deliver import Courier, Parcel
from stagebell.services.invite import INVITATION, Inviter
from stagebell.services.people import Directories, Directory, Person

NO_COPIES: Mapping[str, tuple[str, ...]] = MappingProxyType({"cc": (), "bcc": (), "reply_to": ()})


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
        copies = {key: self._addresses(directory, look, key) for key in ("cc", "bcc", "reply_to")}
        later = {**copies, "cc": (), "bcc": ()}
        parcels = [
            self.parcel(look, person, self.composer.email(look, person, directory.related), later if index else copies)
            for index, person in enumerate(people)
        ]
        return self.courier.deliver(look, "email", parcels, missing)

    def _invite(self, look: Look) -> Outcome:
        letters, missing = self.inviter.letters(look, self.directories.open())
        parcels = [
            self.parcel(look, one.person, one.words, {**NO_COPIES, "reply_to": one.reply_to}, one.attachments)
            for one in letters
        ]
        return self.courier.deliver(look, "email", parcels, missing)

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.courier.give_up(run, step, reason)

    def _addresses(self, directory: Directory, look: Look, key: str) -> tuple[str, ...]:
        people, _ = directory.reachable(look, key, "email")
        return tuple(p.email for p in people if key == "reply_to" or not self.suppressions.reason("email", p.email))

    def parcel(
        self,
        look: Look,
        person: Person,
        words: Words,
        copies: Mapping[str, tuple[str, ...]] = NO_COPIES,
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
                    cc=copies["cc"],
                    bcc=copies["bcc"],
                    reply_to=copies["reply_to"],
                    headers=unsubscribe(self.sender) if words.marketing else {},
                    attachments=tuple(attachments),
                )
            )

        return Parcel(person.email, person.id, send, refused, copies["cc"] + copies["bcc"])


def unsubscribe(sender: str) -> Mapping[str, str]:
    """RFC 2369 header of marketing mail."""
    return {"List-Unsubscribe": f"<mailto:{sender}?subject=unsubscribe>"}
