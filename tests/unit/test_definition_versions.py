"""Storing versions of definitions, and switching them on and off."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stagebell.adapters.memory.definitions import MemoryDefinitions
from stagebell.cli.files import load_valid
from stagebell.cli.tools import offline_tools
from stagebell.contracts.definitions.kinds import KINDS
from stagebell.domain.errors import Conflict, InvalidInput, NotFound
from stagebell.services.checks.counterparts import counterparts
from stagebell.services.define import Definer

EXAMPLES = Path(__file__).parents[2] / "examples"
NAME = "salesperson-not-assigned"


class TickingClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def real_now(self) -> datetime:
        return self.now()

    def real(self, moment: datetime) -> datetime:
        return moment


@pytest.fixture(scope="module")
def documents() -> Mapping[str, dict[str, Any]]:
    return {document["name"]: document for document in load_valid(EXAMPLES / "deals")}


@pytest.fixture
def definer() -> Definer:
    return Definer(MemoryDefinitions(page_size=3), offline_tools(), TickingClock())


@pytest.fixture
def deals(definer: Definer, documents: Mapping[str, dict[str, Any]]) -> Definer:
    """The example of the deals, all of it active."""
    ordered = sorted(documents.values(), key=lambda d: [*KINDS].index(d["kind"]))
    for document in ordered:
        definer.put(document, by="ada")
    for document in ordered:
        definer.activate(document["kind"], document["name"], by="ada")
    return definer


def without(document: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {**document, "fields": {name: spec for name, spec in document["fields"].items() if name != field}}


def test_a_first_version_is_stored_with_who_and_when(definer: Definer, documents: Any) -> None:
    stored = definer.put(documents["office"], by="ada")

    assert (stored.version, stored.saved_by, stored.saved_at.year) == (1, "ada", 2026)
    assert definer.definitions.version("calendar", "office", 1) == stored


def test_the_same_definition_again_makes_no_new_version(definer: Definer, documents: Any) -> None:
    definer.put(documents["office"], by="ada")

    again = definer.put({**documents["office"], "label": None}, by="bob")

    assert again.version == 1
    assert len(definer.versions("calendar", "office").items) == 1


def test_a_changed_definition_is_a_new_version_and_the_active_one_stays(deals: Definer, documents: Any) -> None:
    stored = deals.put({**documents[NAME], "reentry": "once"}, by="bob")

    head = deals.definitions.head("scenario", NAME)
    assert stored.version == 2
    assert head is not None
    assert (head.latest, head.active) == (2, 1)


def test_a_mistaken_definition_is_not_stored(deals: Definer, documents: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        deals.put({**documents[NAME], "only_if": {"field": "amont", "op": "empty"}, "reentry": "never"}, by="bob")

    assert [p.path for p in refused.value.problems] == ["reentry", "only_if.field"]
    assert len(deals.versions("scenario", NAME).items) == 1


def test_a_definition_may_build_on_others_that_are_only_stored(definer: Definer, documents: Any) -> None:
    for name in ("deal", "account", "office", "quotation-reminder"):  # deal refers to account, which comes after it
        definer.put(documents[name], by="ada")

    assert definer.put(documents["quotation-due"], by="ada").version == 1


def test_someone_else_storing_at_the_same_time_is_a_conflict(definer: Definer, documents: Any) -> None:
    first = definer.put(documents["office"], by="ada")

    with pytest.raises(Conflict):
        definer.definitions.save(first, expected_latest=0)


def test_activation_checks_against_what_is_active_now(definer: Definer, documents: Any) -> None:
    definer.put(documents["deal"], by="ada")
    definer.put(documents["unassigned"], by="ada")

    with pytest.raises(InvalidInput) as refused:
        definer.activate("template", "unassigned", by="ada")

    assert {p.rule for p in refused.value.problems} == {"known_field"}


def test_an_active_scenario_is_filed_under_its_object(deals: Definer) -> None:
    filed = deals.definitions.active("scenario:deal")

    assert sorted(d.name for d in filed) == ["quotation-due", NAME]


def test_an_earlier_version_can_be_activated_again(deals: Definer, documents: Any) -> None:
    deals.put({**documents[NAME], "reentry": "once"}, by="bob")
    deals.activate("scenario", NAME, by="bob")

    switched = deals.activate("scenario", NAME, 1, by="bob")

    assert (switched.head.latest, switched.head.active, switched.head.changed_by) == (2, 1, "bob")


@pytest.mark.parametrize(("kind", "name", "version"), [("scenario", "nope", None), ("scenario", NAME, 7)])
def test_what_is_not_there_cannot_be_activated(deals: Definer, kind: str, name: str, version: int | None) -> None:
    with pytest.raises(NotFound):
        deals.activate(kind, name, version, by="bob")


@pytest.mark.parametrize("live_runs", ["pause", "cancel"])
def test_deactivation_answers_the_command_for_live_runs(deals: Definer, live_runs: Any) -> None:
    switched = deals.deactivate("scenario", NAME, live_runs, by="bob")
    again = deals.deactivate("scenario", NAME, live_runs, by="bob")

    assert (switched.head.active, switched.head.halted) == (0, live_runs)
    assert switched.command is not None
    assert (switched.command.verb, switched.command.definition) == (live_runs, NAME)
    assert again.command is not None, "a caller that lost the command can ask again"
    assert [d.name for d in deals.definitions.active("scenario:deal")] == ["quotation-due"]


def test_runs_that_continue_need_no_command(deals: Definer) -> None:
    assert deals.deactivate("scenario", NAME, "continue", by="bob").command is None


def test_activation_resumes_runs_that_were_paused(deals: Definer) -> None:
    deals.deactivate("scenario", NAME, "pause", by="bob")

    switched = deals.activate("scenario", NAME, by="bob")

    assert switched.command is not None
    assert switched.command.verb == "resume"
    assert switched.head.halted == ""


@pytest.mark.parametrize(
    ("kind", "name", "user"),
    [
        ("object", "deal", f"scenario {NAME}"),
        ("object", "account", "object deal"),
        ("template", "unassigned-sms", f"scenario {NAME}"),
        ("calendar", "office", "scenario quotation-due"),
    ],
)
def test_what_active_definitions_need_cannot_be_deactivated(deals: Definer, kind: str, name: str, user: str) -> None:
    with pytest.raises(Conflict, match=user):
        deals.deactivate(kind, name, by="bob")

    assert deals.definitions.head(kind, name).active == 1  # type: ignore[union-attr]


def test_what_nobody_needs_can_be_deactivated(deals: Definer) -> None:
    deals.deactivate("scenario", NAME, "cancel", by="bob")

    assert deals.deactivate("template", "unassigned-sms", by="bob").head.active == 0
    assert deals.deactivate("source", "erp", by="bob").head.active == 0


def test_an_object_cannot_lose_a_field_that_active_definitions_read(deals: Definer, documents: Any) -> None:
    smaller = without(documents["deal"], "due_on")

    checked = deals.validate([smaller])[0]

    assert {p.rule for p in checked.problems} == {"breaks_active"}
    assert {p.message.split(" would break")[0] for p in checked.problems} == {
        "active scenario quotation-due",
        "active template quotation-reminder",
    }
    deals.put(smaller, by="bob")
    with pytest.raises(InvalidInput):
        deals.activate("object", "deal", by="bob")


def test_a_template_cannot_change_to_a_channel_its_scenario_does_not_send(deals: Definer, documents: Any) -> None:
    text = {"kind": "template", "name": "unassigned", "channel": "sms", "text": "{{ deal.name }}"}

    checked = deals.validate([text])[0]

    assert [p.rule for p in checked.problems] == ["breaks_active"]
    assert NAME in checked.problems[0].message


def test_a_set_that_changes_object_and_scenario_together_is_checked_together(deals: Definer, documents: Any) -> None:
    text = {"kind": "template", "name": "unassigned-sms", "channel": "sms", "text": "{{ deal.name }}: who?"}
    steps = [documents[NAME]["steps"][2]]

    checked = deals.validate([{**documents[NAME], "steps": steps}, text, without(documents["deal"], "account")])

    assert [[p.rule for p in c.problems] for c in checked] == [[], [], ["breaks_active"] * 2]
    assert all("template" in p.message for p in checked[2].problems), "only what is not in the set itself breaks"


def test_a_name_twice_in_a_set_is_told_of_the_second(deals: Definer, documents: Any) -> None:
    checked = deals.validate([documents["office"], documents["office"]])

    assert [[(p.path, p.rule) for p in c.problems] for c in checked] == [[], [("name", "unique_name")]]


def test_a_difference_says_what_is_new_changed_and_beside(deals: Definer, documents: Any) -> None:
    changed = {**documents[NAME], "steps": [dict(s) for s in documents[NAME]["steps"][:2]]}
    changed["steps"][0]["at"] = {"after": "10 minutes"}
    new = {**documents["office"], "name": "factory"}

    found = {(d.kind, d.name): d for d in deals.diff([changed, new, documents["office"]])}

    assert found["calendar", "factory"].standing == "added"
    assert found["calendar", "office"].standing == "unchanged"
    assert found["object", "deal"].standing == "not_listed"
    mine = found["scenario", NAME]
    assert (mine.standing, mine.version) == ("changed", 1)
    assert mine.lines[0] == "steps.first-mail.at.after: 5 minutes → 10 minutes"
    assert mine.lines[1].startswith("steps.last-sms: removed (was {")


def test_a_difference_with_a_mistaken_definition_is_refused(deals: Definer) -> None:
    with pytest.raises(InvalidInput) as refused:
        deals.diff([{"kind": "source", "name": "a b"}])

    assert refused.value.problems[0].path == "definitions[0].name"


def test_listings_are_by_kind_and_name(deals: Definer) -> None:
    first = deals.heads("template")

    assert [h.name for h in first.items] == ["quotation-reminder", "unassigned", "unassigned-sms"]
    with pytest.raises(NotFound):
        deals.heads("pipeline")
    with pytest.raises(NotFound):
        deals.versions("template", "nope")


# --- workflows ------------------------------------------------------------------------------------------------------

LOCK = {"name": "lock", "type": "lock_record"}


def workflow(name: str, *actions: Mapping[str, Any]) -> dict[str, Any]:
    begin = {"trigger": {"on": "manual"}, "object": "deal"}
    return {"kind": "workflow", "name": name, **begin, "actions": list(actions)}


def start(process: str) -> dict[str, Any]:
    return {"name": "start", "type": "start_process", "process": process}


def test_a_workflow_is_stored_activated_and_listed_as_any_other(deals: Definer) -> None:
    deals.put(workflow("lock", LOCK), by="ada")

    switched = deals.activate("workflow", "lock", by="ada")

    assert (switched.head.active, switched.head.shelf) == (1, "scenario:deal"), "beside the scenarios of its object"
    assert [head.name for head in deals.heads("workflow").items] == ["lock"]


def test_what_a_workflow_starts_is_active_or_comes_with_it(deals: Definer) -> None:
    starts_scenario, starts_itself_later = workflow("one", start(NAME)), workflow("two", start("three"))

    assert deals.validate([starts_scenario])[0].problems == ()
    assert [p.rule for p in deals.validate([starts_itself_later])[0].problems] == ["known_process"]
    assert deals.validate([starts_itself_later, workflow("three", start("two"))])[0].problems == ()


def test_a_function_that_a_workflow_runs_cannot_be_switched_off(deals: Definer) -> None:
    score = {"kind": "function", "name": "score", "arn": "arn:aws:lambda:eu-central-1:123456789012:function:score"}
    for document in (score, workflow("run", {"name": "run", "type": "run_function", "function": "score"})):
        deals.put(document, by="ada")
        deals.activate(document["kind"], document["name"], by="ada")

    with pytest.raises(Conflict, match="function score is in use by workflow run"):
        deals.deactivate("function", "score", by="bob")


def test_a_field_that_a_workflow_sets_cannot_be_taken_out_of_its_object(deals: Definer, documents: Any) -> None:
    deals.put(workflow("clear", {"name": "a", "type": "update_field", "set": {"due_on": {"clear": True}}}), by="ada")
    deals.activate("workflow", "clear", by="ada")
    for scenario in ("quotation-due", NAME):
        deals.deactivate("scenario", scenario, by="ada")

    checked = deals.validate([without(documents["deal"], "due_on")])[0]

    assert [p.rule for p in checked.problems] == ["breaks_active"] * 2, "a template speaks of it as well"
    assert any("workflow clear would break: actions[0].set.due_on" in p.message for p in checked.problems)


def test_counterparts_are_what_two_definitions_may_name_of_each_other(documents: Any) -> None:
    deal = {("object", "user"), ("object", "account")}

    assert set(counterparts(documents["deal"])) == deal
    assert set(counterparts(workflow("one", LOCK, start("two")))) == {("workflow", "two"), ("scenario", "two")}
    assert set(counterparts(documents[NAME])) == set(counterparts(documents["office"])) == set()
