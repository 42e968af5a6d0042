"""Warning: what definitions would do to each other, told when they are checked and switched on. Nothing is refused.

Only what a definition's writes can reach is read: the shelf of its own object, those of the objects that are written
from there, and so on, each once; for a function, the shelves of the objects that it may set fields of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

from stagebell.domain.collisions import collisions
from stagebell.domain.errors import Problem
from stagebell.domain.interplay import Finding, Interplay
from stagebell.domain.objects import Schema, read_object, with_built_ins
from stagebell.domain.scenario_documents import read_scenario
from stagebell.domain.scenarios import Scenario
from stagebell.domain.writes import Allowed, touched
from stagebell.services.checks.world import Document, Key, Known
from stagebell.services.shelves import RUNNING, scenarios_of

INVOLVED = (*RUNNING, "function")

FINDING_LIMIT = 100
"""As many findings are told at once; mending those brings up the rest."""

UNTOLD = Finding("unfinished", (), f"only the first {FINDING_LIMIT} are told: mend those, then check again")


def warnings_about(documents: Mapping[Key, Document], known: Known) -> tuple[Finding, ...]:
    """The findings that involve one of these definitions, taken together with what is active beside them. A function
    takes part through those that run it: what it may set is what they write."""
    return _Looking(documents, known).findings() if any(kind in INVOLVED for kind, _ in documents) else ()


@dataclass(frozen=True)
class _Looking:
    documents: Mapping[Key, Document]
    known: Known

    def findings(self) -> tuple[Finding, ...]:
        scenarios = self._reachable()
        interplay = Interplay(scenarios, self.schema, self.allowed)
        roots = self._names | {scenario.name for scenario in scenarios if self._runs_one(scenario)}
        found = chain(interplay.cycles(roots), collisions(interplay, roots, self.schema))
        told = list(islice(found, FINDING_LIMIT + 1))
        if len(told) > FINDING_LIMIT:
            told[FINDING_LIMIT:] = [UNTOLD]
        return tuple(sorted(told, key=lambda finding: finding.rule == "unfinished"))

    def _runs_one(self, scenario: Scenario) -> bool:
        """Whether it runs a function of the set."""
        run = (step.params.get("function") for step in scenario.steps if step.kind == "run_function")
        return any(("function", str(name)) in self.documents for name in run)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(name for kind, name in self.documents if kind in RUNNING)

    @cached_property
    def schema(self) -> Schema:
        return with_built_ins({name: read_object(document) for name, document in self._all("object").items()})

    @cached_property
    def allowed(self) -> Allowed:
        functions = self._all("function")
        return {name: document.get("sets") or {} for name, document in functions.items()}

    def _all(self, kind: str) -> dict[str, Document]:
        """What is active of a kind, and what the set says instead."""
        active = {definition.name: definition.document for definition in self.known.active(kind)}
        return active | {name: document for (k, name), document in self.documents.items() if k == kind}

    def _reachable(self) -> list[Scenario]:
        found: list[Scenario] = []
        waiting = sorted(self._objects())
        for name in waiting:
            shelf = list(self._shelf(name))
            found += shelf
            written = {target for s in shelf for target, _ in touched(s, self.schema, self.allowed)}
            waiting += sorted(written.difference(waiting))
        return found

    def _objects(self) -> set[str]:
        """Those whose records the set may write by itself: of its definitions, and of what its functions may set."""
        running = {document["object"] for (kind, _), document in self.documents.items() if kind in RUNNING}
        sets = (document.get("sets") or () for (kind, _), document in self.documents.items() if kind == "function")
        return running.union(*sets)

    def _shelf(self, object_name: str) -> Iterator[Scenario]:
        active = (d.document for d in self.known.active(scenarios_of(object_name)) if d.name not in self._names)
        for document in chain(active, self._own(object_name)):
            problems: list[Problem] = []
            scenario = read_scenario(document, 0, self.schema, problems)
            if scenario is not None and not problems:
                yield scenario

    def _own(self, object_name: str) -> Iterable[Document]:
        own = (document for (kind, _), document in self.documents.items() if kind in RUNNING)
        return (document for document in own if document["object"] == object_name)
