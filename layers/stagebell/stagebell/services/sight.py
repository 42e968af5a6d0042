"""Sight: what the values of an action are worked out from: the record, all that it refers to, and its own zone."""

from dataclasses import dataclass, replace

from stagebell.domain.expressions import Sight
from stagebell.domain.message_text import one_line
from stagebell.ports.records import Records
from stagebell.services.action import Look
from stagebell.services.catalog import Catalog
from stagebell.services.compose import Composer
from stagebell.services.look import Lookout
from stagebell.services.people import RelatedRecords

WHY_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Sights:
    """Opens sights. Records that are referred to are read when a value asks for them, each once."""

    catalog: Catalog
    records: Records
    composer: Composer

    def open(self, look: Look, *, local: bool) -> Sight:
        """`local`: dates are reckoned or shown, so that the record's zone must be known (rule 12)."""
        related = RelatedRecords(self.records)
        view = replace(look.view, related=related)
        if local:
            view = replace(view, zone=Lookout(self.catalog, self.records).zone(view, look.scenario))
        placed = replace(look, view=view)
        return Sight(view, lambda template: self.composer.text(placed, template, related))

    def reason(self, look: Look) -> str:
        """The `why` of a step, in words for the record's history; empty where it has none."""
        template = look.step.params.get("why")
        return one_line(self.open(look, local=True).render(template))[:WHY_LIMIT] if template else ""
