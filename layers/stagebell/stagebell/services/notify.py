"""The action `notify`: tells people of a record in their inbox, by e-mail or both, with the way back to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Literal, Protocol

from stagebell.domain.errors import RenderFailed
from stagebell.domain.runs import Run
from stagebell.ports.inbox import Inbox, Notice
from stagebell.services.action import Look, Outcome
from stagebell.services.compose import Composer, Words
from stagebell.services.deliver import Courier, Parcel
from stagebell.services.links import Link
from stagebell.services.people import Directories, Directory, Missing, Person

TEXT_LIMIT = 500  # characters of a notification

type Via = Literal["inbox", "email", "sms"]


class Carrier(Protocol):
    """An action that sends words of others', as it sends its own."""

    def parcel(self, look: Look, person: Person, words: Words) -> Parcel: ...


@dataclass(frozen=True, slots=True)
class Notify:
    """`email` and `sms` carry what does not go into an inbox; reminders alone may ask for SMS."""

    composer: Composer
    courier: Courier
    inbox: Inbox
    directories: Directories
    email: Carrier
    sms: Carrier

    def act(self, look: Look) -> Outcome:
        directory = self.directories.open()
        link = self.composer.link(look, directory.related)
        parcels: dict[tuple[Via, str], Parcel] = {}
        missing: list[Missing] = []
        for via in _ways(look):
            people, lost = directory.reachable(look, "to", via)
            missing += lost
            for person in people:
                parcel = self._parcel(look, via, person, self._note(look, person, directory, link))
                parcels.setdefault((via, parcel.address), parcel)
        done = [self.courier.send(look, via, parcel) for (via, _), parcel in parcels.items()]
        return self.courier.outcome(done, list(dict.fromkeys(missing)))

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.courier.give_up(run, step, reason)

    def _note(self, look: Look, person: Person, directory: Directory, link: Link) -> "_Note":
        return _Note(self.composer.notice(look, person, directory.related), link)

    def _parcel(self, look: Look, via: Via, person: Person, note: "_Note") -> Parcel:
        if via == "inbox":
            parcel = self._entry(look, person, note)
        elif via == "email":
            parcel = self.email.parcel(look, person, note.letter)
        else:
            parcel = self.sms.parcel(look, person, replace(note.words, text=note.text))
        return replace(parcel, detail=note.detail)

    def _entry(self, look: Look, person: Person, note: "_Note") -> Parcel:
        """Putting it in twice is putting it in once, so when in doubt it is put in again."""

        def send(key: str) -> str:
            self.inbox.put(
                Notice(
                    id=key,
                    user=person.id,
                    at=look.view.at,
                    subject=note.words.subject,
                    body=note.text,
                    record=look.record.key,
                    url=note.link.url,
                    run=look.run.id,
                    definition=look.scenario.name,
                )
            )
            return ""

        return Parcel(person.id, person.id, send, "quiet_import" if look.run.quiet else "", repeatable=True)


def _ways(look: Look) -> Sequence[Via]:
    return look.step.params.get("via") or ("inbox",)


@dataclass(frozen=True, slots=True)
class _Note:
    """What one person is told, and the way back to the record."""

    words: Words
    link: Link

    @property
    def text(self) -> str:
        whole = self.words.text
        return whole if len(whole) <= TEXT_LIMIT else whole[: TEXT_LIMIT - 1] + "…"

    @property
    def detail(self) -> str:
        size = len(self.words.text)
        return f"the text had {size:,} characters and was cut to {TEXT_LIMIT}" if size > TEXT_LIMIT else ""

    @property
    def letter(self) -> Words:
        """As an e-mail. Raises RenderFailed without a subject."""
        if not self.words.subject:
            raise RenderFailed("the subject came out empty: a notification by e-mail needs one")
        text = f"{self.text}\n\n{self.link.url}" if self.link.url else self.text
        return replace(self.words, text=text, html="".join(map(_paragraph, self.text.split("\n\n"))) + self._anchor)

    @property
    def _anchor(self) -> str:
        url, title = self.link.url, self.link.title or self.link.url
        return f'<p><a href="{escape(url)}">{escape(title)}</a></p>' if url else ""


def _paragraph(text: str) -> str:
    return f"<p>{escape(text.strip()).replace('\n', '<br>')}</p>" if text.strip() else ""
