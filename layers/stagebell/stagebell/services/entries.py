"""Entries: what one change writes: the mirror, its place in the indexes, its history entry, and whom to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stagebell.domain import echoes, follow_ups, users, write_backs
from stagebell.domain.echoes import Echo
from stagebell.domain.orders import Tell
from stagebell.domain.planning import Plan
from stagebell.domain.records import Comparison, Record
from stagebell.ports.clock import Clock
from stagebell.ports.records import Applied, Commit, Filing, Stored
from stagebell.services.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Entries:
    """Makes commits; writes nothing itself."""

    catalog: Catalog
    clock: Clock

    def refused(self, comparison: Comparison, note: str) -> Commit:
        """A change that cannot be stored: kept in the record's history, and nowhere else."""
        unmoved = replace(comparison, after=comparison.before, changed=frozenset())
        applied = replace(_entry(unmoved, Plan(), self.clock), event="refused", note=note)
        return Commit(unmoved.before, unmoved.after, applied)

    def commit(self, stored: Stored, comparison: Comparison, plan: Plan, note: str = "") -> Commit:
        """All that a change and its plan write."""
        comparison, tells = self._telling(comparison)
        applied = _entry(comparison, plan, self.clock, tells, note or _overtaken(comparison) or _unknown(comparison))
        return Commit(
            comparison.before,
            comparison.after,
            applied,
            plan.enrolments,
            plan.started,
            plan.updated,
            stored.enrolments,
            filing=self._filing(comparison.after),
            outbox=tells,
        )

    def _telling(self, comparison: Comparison) -> tuple[Comparison, tuple[Tell, ...]]:
        """Whom to tell of a change made here: the sources that reported the record and want to know. What they are told
        they may repeat, which is no news then."""
        change, after = comparison.change, comparison.after
        if not change.is_own or after.version == comparison.before.version or comparison.event in ("saved", "manual"):
            return comparison, ()
        sources = [source for source in after.sources if self._listens(source)]
        if not sources:
            return comparison, ()
        told = {name: after.fields.get(name) for name in comparison.changed}
        expected = [Echo(source, change.id, change.occurred_at, told, change.causes) for source in sources]
        listening = echoes.expect(after.echoes, expected, change.occurred_at)
        tells = tuple(Tell(after.key, source, after.version) for source in sources)
        return replace(comparison, after=replace(after, echoes=listening)), tells

    def _listens(self, source: str) -> bool:
        document = self.catalog.document("source", source)
        return document is not None and bool(document.get("write_back"))

    def _filing(self, record: Record) -> Filing:
        kind = self.catalog.schema.get(record.key.object)
        if kind is None or not record.exists:
            return Filing()
        about = follow_ups.about(record.key, record.fields)
        user = record.fields.get(kind.owner_field) if kind.owner_field else None
        closed = self.catalog.is_closed(record, self.clock.now())
        if not isinstance(user, str) or (closed and kind.name not in follow_ups.FOLLOW_UPS):
            return Filing(about=about)
        owner = follow_ups.shelf(kind.name, user, closed=closed)
        return Filing(owner, follow_ups.order(record.key, record.fields), about)


def _overtaken(comparison: Comparison) -> str:
    """A source's newer value has replaced one that it is still being told: the newer one wins."""
    if comparison.change.is_own or not comparison.before.echoes:
        return ""
    source, at = comparison.change.source, comparison.change.occurred_at
    told = [e for e in comparison.before.echoes if e.source == source and at - e.at <= write_backs.KEPT_TRYING]
    return "overtakes_write_back" if comparison.changed & {name for echo in told for name in echo.fields} else ""


def _unknown(comparison: Comparison) -> str:
    """A user got a zone or locale that is none: whatever would need it goes without."""
    news = comparison.changed & users.READING if comparison.event in ("created", "updated") else ()
    user = comparison.after
    return "unknown_zone_or_locale" if news and user.key.object == "user" and not users.reads(user.fields) else ""


def _entry(comparison: Comparison, plan: Plan, clock: Clock, tells: Sequence[Tell] = (), note: str = "") -> Applied:
    before: Mapping[str, Any] = {name: comparison.known.get(name) for name in sorted(comparison.changed)}
    return Applied(
        change=comparison.change,
        applied_at=clock.now(),
        event=comparison.event or "stale",
        before=before,
        after=comparison.after.current,
        outdated=comparison.outdated,
        evaluations=tuple(evaluation.document() for evaluation in plan.evaluations),
        dispatch=(*plan.dispatch, *tells),
        note=note,
    )
