"""The action `send_email`: one message for each recipient, in their language; copies go with the first one."""

from collections.abc import Mapping
from dataclasses import dataclass

from stagebell.domain.runs import Run
from stagebell.ports import Email, Mailer, Suppressions
from stagebell.services.act import Look, Outcome
from stagebell.services.compose import Composer
from stagebell.services.deliver import Courier, Parcel
from stagebell.services.people import Directories, Directory, Person, RelatedRecords


@dataclass(frozen=True, slots=True)
class SendEmail:
    """`sender` is the verified address all mail comes from."""

    composer: Composer
    courier: Courier
    mailer: Mailer
    suppressions: Suppressions
    directories: Directories
    sender: str

    def act(self, look: Look) -> Outcome:
        directory = self.directories.open()
        people, missing = directory.reachable(look, "to", "email")
        copies = {key: self._addresses(directory, look, key) for key in ("cc", "bcc", "reply_to")}
        later = {**copies, "cc": (), "bcc": ()}
        parcels = [
            self._parcel(look, person, directory.related, later if index else copies)
            for index, person in enumerate(people)
        ]
        return self.courier.deliver(look, "email", parcels, missing)

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.courier.give_up(run, step, reason)

    def _addresses(self, directory: Directory, look: Look, key: str) -> tuple[str, ...]:
        people, _ = directory.reachable(look, key, "email")
        return tuple(p.email for p in people if key == "reply_to" or not self.suppressions.reason("email", p.email))

    def _parcel(
        self, look: Look, person: Person, related: RelatedRecords, copies: Mapping[str, tuple[str, ...]]
    ) -> Parcel:
        refused = "quiet_import" if look.run.quiet else self.suppressions.reason("email", person.email) or ""
        words = self.composer.email(look, person, related)

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
                )
            )

        return Parcel(person.email, person.id, send, refused, copies["cc"] + copies["bcc"])


def unsubscribe(sender: str) -> Mapping[str, str]:
    """RFC 2369 header of marketing mail."""
    return {"List-Unsubscribe": f"<mailto:{sender}?subject=unsubscribe>"}
