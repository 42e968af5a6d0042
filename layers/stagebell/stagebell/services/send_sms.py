"""The action `send_sms`: one text message for each phone number."""

from dataclasses import dataclass

from stagebell.domain import sms
from stagebell.domain.errors import RenderFailed
from stagebell.domain.runs import Run
from stagebell.ports.deliveries import Suppressions
from stagebell.ports.messages import Phones, Sms, Texter
from stagebell.services.action import Look, Outcome
from stagebell.services.compose import Composer, Words
from stagebell.services.deliver import Courier, Parcel
from stagebell.services.people import Directories, Person


@dataclass(frozen=True, slots=True)
class SendSms:
    """`sender_id` and `region` (of numbers without a country code) are the stack's; a step may name its own sender."""

    composer: Composer
    courier: Courier
    texter: Texter
    suppressions: Suppressions
    directories: Directories
    phones: Phones
    sender_id: str
    region: str

    def act(self, look: Look) -> Outcome:
        directory = self.directories.open()
        people, missing = directory.reachable(look, "to", "sms")
        parcels: dict[str, Parcel] = {}
        for person in people:
            parcel = self.parcel(look, person, self.composer.sms(look, person, directory.related))
            parcels.setdefault(parcel.address, parcel)
        return self.courier.deliver(look, "sms", list(parcels.values()), missing)

    def give_up(self, run: Run, step: str, reason: str) -> None:
        self.courier.give_up(run, step, reason)

    def parcel(self, look: Look, person: Person, words: Words) -> Parcel:
        """One text message, whatever its words come from."""
        number = self.phones(person.phone, self.region or None)
        text = sms.plain_spaces(words.text)
        size = sms.measure(text)
        if sms.too_long(text):
            raise RenderFailed(f"the SMS has {size.parts} parts ({size.encoding}); at most 10 can be sent: shorten it")

        def send(key: str) -> str:
            transactional = look.step.params.get("transactional", True)
            sender = look.step.params.get("sender_id") or self.sender_id
            return self.texter.send(Sms(key, str(number), text, sender, transactional))

        return Parcel(number or person.phone, person.id, send, self._refusal(look, number), parts=size.parts)

    def _refusal(self, look: Look, number: str | None) -> str:
        if number is None:
            return "not_a_phone_number"
        return "quiet_import" if look.run.quiet else self.suppressions.reason("sms", number) or ""
