"""Explaining: rule 13. For a record, a change and a definition: which condition said what, with the values it saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import NotFound
from stagebell.domain.records import Comparison, Record
from stagebell.domain.scenarios import Scenario, Trigger
from stagebell.ports.records import Applied, Records
from stagebell.services.catalog import Catalog
from stagebell.services.look import Lookout, needs_zone


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains what was decided; and for a definition that was not even looked at, why its trigger did not fire."""

    catalog: Catalog
    records: Records

    def explain(self, key: RecordKey, change: str, definition: str | None = None) -> list[dict[str, Any]]:
        """The recorded evaluations of a change, or the one of `definition`, worked out again from the recorded values
        where it was none of them. References are followed as they stand today."""
        applied = self.records.applied(key, change)
        if applied is None:
            raise NotFound(f"record {key.shown} has no change {change}, or its history has aged out")
        if definition is None:
            return [dict(evaluation) for evaluation in applied.evaluations]
        recorded = [dict(e) for e in applied.evaluations if e["definition"] == definition]
        return recorded or [self._again(self._scenario(key, definition), applied)]

    def _scenario(self, key: RecordKey, name: str) -> Scenario:
        scenario = self.catalog.index(key.object).scenarios.get(name)
        if scenario is None:
            raise NotFound(f"no scenario or workflow {name} is active for {key.object}")
        return scenario

    def _again(self, scenario: Scenario, applied: Applied) -> dict[str, Any]:
        comparison = _comparison(applied)
        shown = {"definition": scenario.name, "version": scenario.version, "recorded": False}
        if applied.change.mode == "record_only" or not scenario.trigger.fires(comparison):
            return shown | {"outcome": "not_triggered", "why": _trigger_words(scenario, applied)}
        lookout = Lookout(self.catalog, self.records)
        at, kind = applied.change.occurred_at, applied.change.key.object
        zoned = needs_zone([scenario], self.catalog.schema)
        after = comparison.known if comparison.event == "deleted" else comparison.after.current
        view = lookout.view(kind, comparison.known, after, at, scenario.entry_paths, zoned)
        why = scenario.only_if.explain(lookout.fitted(view, scenario))
        return shown | {"outcome": "matches" if why.result else "not_matched", "why": why.document()}


def _comparison(applied: Applied) -> Comparison:
    before: Mapping[str, Any] = {**applied.after, **applied.before}
    event: Any = None if applied.event == "stale" else applied.event
    key = applied.change.key
    return Comparison(
        before=Record(key, fields=before, exists=True),
        after=Record(key, fields=applied.after, exists=applied.event != "deleted"),
        change=applied.change,
        event=event,
        changed=frozenset(applied.before),
        outdated=applied.outdated,
        known=before,
    )


def _trigger_words(scenario: Scenario, applied: Applied) -> dict[str, Any]:
    told = {"result": False, "event": applied.event, "changed": ", ".join(sorted(applied.before)) or "nothing"}
    if applied.change.mode == "record_only":
        return {"condition": "mode: a change that is record_only starts nothing", **told}
    return {"condition": f"trigger: {_asked(scenario.trigger)}", **told}


def _asked(trigger: Trigger) -> str:
    match trigger.on:
        case "stage" | "left":
            return f"stage {trigger.fields[0]} {'entered' if trigger.on == 'stage' else 'left'} {list(trigger.values)}"
        case "date":
            return f"date {trigger.fields[0]} set"
    return f"{trigger.on} of {', '.join(trigger.fields)}" if trigger.fields else trigger.on
