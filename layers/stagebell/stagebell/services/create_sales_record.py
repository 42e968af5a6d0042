"""The action `create_sales_record`: a visit, a call or a note, as an entry under the record."""

from dataclasses import dataclass

from stagebell.domain.fields import instant_text
from stagebell.domain.runs import Run
from stagebell.services.action import Look, Outcome
from stagebell.services.apply import Deed
from stagebell.services.make import Maker


@dataclass(frozen=True, slots=True)
class CreateSalesRecord:
    """The entry has an author where one is written, or the record has an owner."""

    maker: Maker

    def act(self, look: Look) -> Outcome:
        making = self.maker.open(look)
        author = making.user_or_owner("author")
        fields = {
            "kind": look.step.params["entry"],
            "text": making.words("text", author),
            "occurred_at": instant_text(look.view.at),
            "author": author.id if author else None,
        }
        return Outcome("acted", deed=Deed(making.change("sales_record", fields)), why=making.told())

    def give_up(self, run: Run, step: str, reason: str) -> None:
        """An entry that was not made leaves nothing behind."""
