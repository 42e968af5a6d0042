"""Echoes: what a source posts back of what it was told is no news, in whatever form it comes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stagebell.adapters.memory.poster import Post
from stagebell.domain.changes import RecordKey
from stagebell.domain.echoes import KEPT, OVERLAP, SIZE, WINDOW, Echo, expect, hear, nod, with_late
from stagebell.ports.calls import Posted
from stagebell.ports.records import Applied
from tests.sources import CRM, ToldStage
from tests.stage import QUOTATION, START, UNASSIGNED, WON, mail, scenario

AFTER = timedelta(seconds=1)
ON_SAVED = scenario("on-saved", trigger={"on": "saved"}, reentry="restart", steps=[mail("s", {"after": "3 days"})])
ON_UPDATED = scenario(
    "on-updated", trigger={"on": "updated"}, reentry="restart", steps=[mail("u", {"after": "3 days"})]
)


@pytest.fixture
def stage() -> ToldStage:
    stage = ToldStage(name="Pumps", stage=QUOTATION, amount="1", count=1)
    stage.activate(ON_SAVED, ON_UPDATED)
    return stage


def started(applied: Applied) -> list[str]:
    return [str(e["definition"]) for e in applied.evaluations if e["outcome"] == "started"]


def later(stage: ToldStage, /, *, after: timedelta = AFTER, **fields: Any) -> Applied:
    return stage.post(at=stage.now + after, **fields)


# --- one write-back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"stage": WON, "amount": "2"}, "all of it"),
        ({"stage": WON}, "a part of it: this source posts field by field"),
        ({"stage": WON, "amount": "2", "name": "Pumps", "count": 1}, "the whole record"),
    ],
)
def test_what_repeats_a_write_back_starts_nothing(stage: ToldStage, said: Mapping[str, Any], why: str) -> None:
    stage.deed(stage=WON, amount="2")

    echo = later(stage, **said)

    assert (echo.event, started(echo)) == ("echo", []), why
    assert stage.record().fields["stage"] == WON
    assert stage.record().stamps["stage"].source == "crm"


def test_a_write_back_may_be_repeated_field_by_field_in_any_order(stage: ToldStage) -> None:
    stage.deed(stage=WON, amount="2")

    events = [later(stage, amount="2").event, later(stage, stage=WON).event]

    assert events == ["echo", "echo"]


def test_a_write_back_that_is_repeated_more_than_once_starts_nothing(stage: ToldStage) -> None:
    """Some sources post a change for each field, and the whole record each time."""
    stage.deed(stage=WON, amount="2")

    echoes = [later(stage, stage=WON, amount="2", name="Pumps") for _ in range(3)]

    assert [(echo.event, started(echo)) for echo in echoes] == [("echo", [])] * 3


def test_a_field_that_is_repeated_once_more_before_the_others_starts_nothing(stage: ToldStage) -> None:
    stage.deed(stage=WON, amount="2")

    events = [later(stage, **said).event for said in ({"stage": WON}, {"stage": WON}, {"amount": "2"})]

    assert events == ["echo", "echo", "echo"]


def test_an_older_echo_that_is_said_again_does_not_undo_a_newer_write_back(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    stage.deed(stage="Lost")

    echoes = [later(stage, stage=said) for said in (WON, WON, "Lost", "Lost")]

    assert [echo.event for echo in echoes] == ["echo"] * 4
    assert stage.record().fields["stage"] == "Lost"


def test_what_was_repeated_counts_again_after_a_while(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    later(stage, stage=WON)

    saved = later(stage, after=OVERLAP + AFTER, stage=WON)

    assert (saved.event, started(saved)) == ("saved", ["on-saved"])


def test_what_is_said_again_but_arrives_late_starts_nothing(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    later(stage, stage=WON)
    again = stage.change(stage=WON, at=stage.now + AFTER)
    stage.advance(minutes=10)
    stage.deed(amount="2")

    assert stage.offline.applier.apply(again).event == "echo"


def test_what_was_repeated_says_nothing_of_other_fields(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    later(stage, stage=WON)

    assert later(stage, name="Pumps").event == "saved"


@pytest.mark.parametrize(
    ("told", "said", "why"),
    [
        ({"name": " Pumps  "}, {"name": "Pumps"}, "texts are trimmed"),
        ({"contact": "Ada@Example.com"}, {"contact": "ada@example.com"}, "addresses are written in small letters"),
        ({"met_at": "2026-03-02T09:00:00.6Z"}, {"met_at": "2026-03-02T09:00:00Z"}, "times are kept to the second"),
        ({"mobile": "+49 30 1234"}, {"mobile": "+49301234"}, "phone numbers are written in one"),
        ({"amount": "3.335"}, {"amount": "3.34"}, "amounts are kept to the cent"),
    ],
)
def test_a_source_that_keeps_values_in_a_form_of_its_own_repeats_them(
    stage: ToldStage, told: Mapping[str, str], said: Mapping[str, str], why: str
) -> None:
    stage.deed(**told)
    stage.tell()

    echo = later(stage, **said)

    assert (echo.event, echo.note, started(echo), echo.before) == ("echo", "", [], {}), why
    (name,) = said
    assert stage.record().fields[name] == stage.change(**said).fields[name], "its form is mirrored"


def test_a_form_of_its_own_beside_news_is_no_difference(stage: ToldStage) -> None:
    stage.deed(contact="Ada@Example.com")

    echo = later(stage, contact="ada@example.com", amount="9")

    assert (echo.event, dict(echo.before)) == ("updated", {"amount": "1"})


def test_another_value_that_is_written_alike_is_an_edit_once_the_mirror_holds_something_else(stage: ToldStage) -> None:
    stage.deed(contact="Ada@Example.com")
    later(stage, contact="bob@example.com")

    edit = later(stage, contact="ada@example.com")

    assert (edit.event, dict(edit.before)) == ("updated", {"contact": "bob@example.com"})


def test_what_an_echo_says_beyond_it_is_news_caused_by_the_runs_that_were_told_of(stage: ToldStage) -> None:
    applied = stage.deed(stage=WON)

    echo = later(stage, stage=WON, amount="9")

    assert (echo.event, started(echo)) == ("updated", ["on-saved", "on-updated"])
    assert set(echo.before) == {"amount"}
    assert echo.change.causes == applied.change.causes


def test_causes_that_are_handed_back_count_before_those_that_are_recognised(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    handed = ("run_" + "a" * 32, "run_" + "b" * 32)

    echo = later(stage, stage=WON, amount="9", causes_=handed)

    assert echo.change.causes == handed


def test_another_value_of_the_same_field_is_a_conflict_and_wins(stage: ToldStage) -> None:
    stage.deed(stage=WON, amount="2")

    edit = later(stage, stage=WON, amount="9")

    assert (edit.event, edit.note) == ("updated", "overtakes_write_back")
    assert stage.record().fields["amount"] == "9"


def test_after_a_while_the_same_values_are_an_edit_like_any_other(stage: ToldStage) -> None:
    stage.deed(stage=WON)

    edit = later(stage, after=WINDOW + AFTER, stage=WON)

    assert (edit.event, started(edit)) == ("saved", ["on-saved"])


def test_an_echo_by_a_clock_that_is_slow_starts_nothing(stage: ToldStage) -> None:
    stage.deed(stage=WON)

    echo = later(stage, after=-timedelta(minutes=1), stage=WON)

    assert (echo.event, started(echo)) == ("stale", [])


def test_what_one_source_was_told_is_no_echo_from_another(stage: ToldStage) -> None:
    stage.deed(stage=WON)

    assert later(stage, stage=WON, source_="erp").event == "saved"


@pytest.mark.parametrize("type", ["created", "deleted"])
def test_only_an_update_is_an_echo(stage: ToldStage, type: str) -> None:
    stage.deed(stage=WON)

    assert later(stage, stage=WON, type_=type).event != "echo"


# --- an older one while a newer is on its way ----------------------------------------------------------------------


def test_an_older_echo_does_not_undo_a_newer_write_back(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    stage.deed(stage="Lost")

    older, newer = later(stage, stage=WON), later(stage, stage="Lost")

    assert [older.event, newer.event] == ["echo", "echo"]
    assert (older.outdated, stage.record().fields["stage"]) == (("stage",), "Lost")


def test_the_whole_record_as_it_was_before_a_newer_write_back_does_not_undo_it(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    stage.deed(amount="2")

    older = later(stage, stage=WON, amount="1", name="Pumps")
    newer = later(stage, stage=WON, amount="2", name="Pumps")

    assert (older.event, older.outdated) == ("echo", ("amount",))
    assert newer.event == "echo"
    assert stage.record().fields["amount"] == "2"


def test_two_write_backs_may_be_repeated_at_once(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    stage.deed(stage="Lost", amount="2")

    both = later(stage, stage="Lost", amount="2")

    assert (both.event, both.outdated) == ("echo", ())
    assert later(stage, stage=WON).event == "updated", "the source has said that it is further: this is an edit"


def test_there_and_back_again_is_repeated_in_order(stage: ToldStage) -> None:
    for told in (WON, "Lost", WON):
        stage.deed(stage=told)

    events = [later(stage, stage=told).event for told in (WON, "Lost", WON)]

    assert events == ["echo", "echo", "echo"]
    assert stage.record().fields["stage"] == WON


def test_a_source_that_never_repeats_may_set_an_old_value_again(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    stage.deed(stage="Lost")

    edit = later(stage, after=OVERLAP + AFTER, stage=WON)

    assert (edit.event, edit.note) == ("updated", "overtakes_write_back")
    assert stage.record().fields["stage"] == WON


def test_a_source_that_never_repeats_may_take_a_change_back_at_once(stage: ToldStage) -> None:
    stage.deed(stage=WON)

    edit = later(stage, stage=QUOTATION)

    assert edit.event == "updated"
    assert "on-updated" in started(edit)


# --- locks ---------------------------------------------------------------------------------------------------------


def test_the_echo_of_a_lock_starts_nothing(stage: ToldStage) -> None:
    """A source that keeps a lock of its own posts the record, of which nothing else is new."""
    stage.deed(type="locked")
    stage.deed(type="unlocked")

    first, second, third = (later(stage, name="Pumps") for _ in range(3))

    assert [first.event, second.event, third.event] == ["echo", "echo", "saved"]
    assert started(first) == []


def test_the_echo_of_what_was_done_before_a_lock_is_not_refused(stage: ToldStage) -> None:
    stage.deed(stage=WON)
    stage.deed(type="locked")

    echo = later(stage, stage=WON)
    edit = later(stage, stage="Lost")

    assert (echo.event, echo.note) == ("echo", "")
    assert (edit.event, edit.note) == ("refused", "record_locked")


def test_an_edit_right_after_a_lock_is_no_echo(stage: ToldStage) -> None:
    stage.activate({**CRM, "authoritative": True})
    stage.deed(type="locked")

    edit = later(stage, amount="7")

    assert (edit.event, edit.note) == ("updated", "mirrored_while_locked")


# --- the memory of what was told -----------------------------------------------------------------------------------


def echo(number: int, minute: float = 0, **fields: Any) -> Echo:
    return Echo("crm", f"c{number}", START + timedelta(minutes=minute), fields)


def test_what_is_past_its_time_or_too_much_is_forgotten() -> None:
    old, recent = echo(0, minute=-16, stage=WON), [echo(number, stage=WON) for number in range(KEPT + 1)]

    kept = expect([old], recent, START)

    assert kept == tuple(recent[1:])


def test_what_is_remembered_leaves_room_for_the_record_itself() -> None:
    huge, large = "x" * (SIZE + 1), "x" * (SIZE // 3)
    told = [echo(0, name="Pumps"), echo(1, name=huge), *(echo(number, name=large) for number in range(2, 6))]

    assert expect([], told, START) == (told[0], *told[-2:])
    assert expect([], told[:2], START) == (told[0],)


def test_what_was_told_late_is_listened_for_from_then() -> None:
    first, second = echo(0, stage=WON), echo(1, amount="2")
    late, heard = replace(first, at=START + timedelta(hours=1)), replace(first, fields={}, said={"stage": WON})

    assert with_late([first, second], [late]) == (second, late)
    assert with_late([second], [late]) == (second, late)
    assert with_late([replace(heard, at=late.at)], [late]) == (replace(heard, at=late.at),)


def test_what_says_nothing_of_what_was_told_is_not_heard(stage: ToldStage) -> None:
    change = stage.change(amount="5")

    assert hear([echo(1, stage=WON)], change) is None
    assert nod([replace(echo(1), said={"amount": "5"})], change) is None
    assert hear([], change) is None
    assert nod([echo(1, stage=WON)], change) is None


def test_echoes_of_other_sources_stay(stage: ToldStage) -> None:
    foreign = replace(echo(1, stage=WON), source="erp")

    heard = hear([foreign, echo(1, stage=WON)], stage.change(stage=WON))

    assert heard is not None
    assert heard.left == (foreign, replace(echo(1), said={"stage": WON}))


# --- loops through another system ----------------------------------------------------------------------------------

RAISE = {
    "kind": "workflow",
    "name": "raise-count",
    "object": "deal",
    "trigger": {"on": "updated", "fields": ["amount"]},
    "actions": [{"name": "count", "type": "update_field", "set": {"count": {"add": 1}}}],
}


class Feeding:
    """A CRM with an automation of its own: a count that is raised raises the amount, which raises the count."""

    def __init__(self, stage: ToldStage, *, hands_back: bool, repeats: bool) -> None:
        self.stage, self.hands_back, self.repeats = stage, hands_back, repeats
        stage.answers(self.take)

    def take(self, post: Post) -> Posted:
        data = self.stage.bodies[-1]["data"]
        amount = str(int(data["fields"]["count"]) * 10)
        repeated = {"count": data["fields"]["count"]} if self.repeats else {}
        causes = tuple(data["causes"]) if self.hands_back else ()
        self.coming = self.stage.change(at=self.stage.now + AFTER, amount=amount, **repeated, causes_=causes)
        return Posted(200)

    def go_on(self, rounds: int) -> int:
        """How often the CRM was told."""
        for _ in range(rounds):
            before = len(self.stage.posts)
            self.stage.advance(seconds=1)
            self.stage.tell()
            if len(self.stage.posts) == before:
                break
            self.stage.apply(self.coming)
        return len(self.stage.posts)


@pytest.mark.parametrize(
    ("hands_back", "repeats", "rounds", "why"),
    [
        (True, False, 8, "the causes it hands back make the chain: eight deep"),
        (False, True, 8, "it repeats what it was told, so the causes are known"),
        (False, False, 20, "nothing shows that it answers us: twenty runs an hour"),
    ],
)
def test_two_systems_that_feed_each_other_are_stopped(hands_back: bool, repeats: bool, rounds: int, why: str) -> None:
    stage = ToldStage(amount="1", count=0)
    stage.activate(RAISE)
    stage.post(at=stage.now + AFTER, amount="2")

    told = Feeding(stage, hands_back=hands_back, repeats=repeats).go_on(30)

    assert told == rounds, why
    (last, *_) = stage.offline.records.history(RecordKey("deal", "deal-7")).items
    assert [e["outcome"] for e in last.evaluations] == ["loop_stopped"]


def test_somebody_who_fills_in_one_field_after_the_other_is_no_loop() -> None:
    """The source posts whole records, and never what it was told alone."""
    stage = ToldStage(name="Pumps", amount="1", count=0)
    stage.activate(RAISE)

    outcomes = []
    for number in range(12):
        stage.advance(seconds=30)
        edit = stage.post(name="Pumps", amount=str(number + 2), count=stage.record().fields["count"])
        outcomes += [e["outcome"] for e in edit.evaluations]
        stage.advance(seconds=1)
        stage.tell()

    assert outcomes == ["started"] * 12


def test_an_echo_of_a_stage_does_not_enter_it_again() -> None:
    stage = ToldStage(name="Pumps", stage=QUOTATION)
    stage.activate(scenario(reentry="every_entry"))
    stage.deed(stage=UNASSIGNED)

    later(stage, stage=UNASSIGNED)

    assert len(stage.runs()) == 1
