"""Dying anywhere does no harm: what comes again ends as if nothing had happened, and no message goes out twice.

Where the process dies between handing a message to the provider and noting the answer, nobody knows whether it went
out: the delivery then says `unknown`. It is never sent again and never lost without a word."""

from dataclasses import replace
from functools import cache

import pytest

from stagebell.domain.runs import Run, StepState
from tests.crashes.crashing import Fuse, Mode, Story, When, World, deaths
from tests.crashes.stories import DATE_STORY, GROUP_STORY, LADDER_STORY, STORIES

LOST_ANSWERS = {
    ("deliveries.reserve", "after"),
    ("mailer.send", "before"),
    ("mailer.send", "after"),
    ("texter.send", "before"),
    ("texter.send", "after"),
    ("deliveries.update", "before"),
}
"""The only places at which a death may leave a message's outcome unknown."""


@cache
def undisturbed(story: Story) -> World:
    return World(story, Fuse()).play()


def every_death(*stories: Story):
    return [
        pytest.param(story, number, call, when, id=f"{story.name}-{number}-{when}-{call}")
        for story in stories
        for number, call, when in deaths(undisturbed(story).fuse.calls)
    ]


def died(story: Story, number: int, when: When, mode: Mode) -> World:
    world = World(story, Fuse(number, when), mode).play()
    assert world.fuse.burnt
    return world


def test_the_stories_use_every_call_that_changes_something():
    calls = {call for story in STORIES for call in undisturbed(story).fuse.calls}

    assert {
        "records.load", "records.commit", "records.many", "records.people", "runs.get", "runs.save", "runs.open_of",
        "scheduler.start", "scheduler.stop", "deliveries.reserve", "deliveries.update", "deliveries.retry",
        "suppressions.reason", "mailer.send", "texter.send",
    } <= calls  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_undisturbed_every_story_comes_to_its_end(story):
    world = undisturbed(story)

    assert world.sent and len(world.sent) == len(set(world.sent))
    assert not world.asleep and not [run for run in world.runs.values() if run.open and run.next]


@pytest.mark.parametrize(("story", "number", "call", "when"), every_death(*STORIES))
def test_work_that_comes_again_ends_as_if_nothing_had_happened(story, number, call, when):
    calm, shaken = undisturbed(story), died(story, number, when, "again")

    unknown = {key for key, delivery in shaken.deliveries.items() if delivery.state == "unknown"}
    assert shaken.mirrors == calm.mirrors
    assert shaken.enrolments == calm.enrolments
    assert shaken.asleep == calm.asleep
    assert {id: forgiving(run, unknown) for id, run in shaken.runs.items()} == {
        id: forgiving(run, unknown) for id, run in calm.runs.items()
    }
    assert shaken.deliveries.keys() == calm.deliveries.keys()
    assert len(unknown) <= may_be_lost(call, when)
    assert_known_or_unknown(shaken, calm)


def may_be_lost(call: str, when: When) -> bool:
    """Also where one is tried again: that is noted before the provider is called, and that it has to be, after."""
    return call == "deliveries.retry" or (call, when) in LOST_ANSWERS


def assert_known_or_unknown(shaken: World, calm: World) -> None:
    """Each message went out once, or is known not to have; or it is `unknown`, and went out once or not at all."""
    assert len(shaken.sent) == len(set(shaken.sent)), "a message went out twice"
    for key, delivery in shaken.deliveries.items():
        expected = calm.deliveries.get(key)
        if delivery.state != "unknown":
            assert expected is None or delivery.state == expected.state
            assert (key in shaken.sent) == (delivery.state == "sent")


def forgiving(run: Run, unknown: set[str]) -> Run:
    """The run without the word that its message's outcome is unknown."""
    return replace(run, steps=tuple(_forgiving(step, unknown) for step in run.steps))


def _forgiving(step: StepState, unknown: set[str]) -> StepState:
    return replace(step, reason="") if unknown & set(step.deliveries) else step


@pytest.mark.parametrize(("story", "number", "call", "when"), every_death(*STORIES))
def test_when_the_machine_gives_up_the_step_has_failed_and_everything_else_goes_on(story, number, call, when):
    calm, shaken = undisturbed(story), died(story, number, when, "given_up")

    assert shaken.mirrors == calm.mirrors
    assert len(shaken.sent) == len(set(shaken.sent)), "a message went out twice"
    assert not [d for d in shaken.deliveries.values() if d.state in ("planned", "sending")], "an outcome without a word"
    assert not shaken.asleep
    failed = {
        (run.id, step.name) for run in shaken.runs.values() for step in run.steps if step.reason == "Lambda.Unknown"
    }
    assert len(failed) <= 1
    for run in shaken.runs.values():
        assert run.open == calm.runs[run.id].open
        for step, expected in zip(run.steps, calm.runs[run.id].steps, strict=True):
            assert (run.id, step.name) in failed or step.status == expected.status
    missing = set(calm.sent) - set(shaken.sent)
    assert {(calm.deliveries[key].run, calm.deliveries[key].step) for key in missing} <= failed


@pytest.mark.parametrize(("story", "number", "call", "when"), every_death(LADDER_STORY, GROUP_STORY, DATE_STORY))
def test_a_later_change_that_overtakes_what_died_leaves_no_outcome_without_a_word(story, number, call, when):
    calm, shaken = undisturbed(story), died(story, number, when, "overtaken")

    assert {key: record.current for key, record in shaken.mirrors.items()} == {
        key: record.current for key, record in calm.mirrors.items()
    }
    assert len(shaken.sent) == len(set(shaken.sent)), "a message went out twice"
    assert not [d for d in shaken.deliveries.values() if d.state in ("planned", "sending")], "an outcome without a word"
    for key in shaken.sent:
        assert shaken.deliveries[key].state in ("sent", "unknown")
    assert not shaken.asleep
    assert not [run for run in shaken.runs.values() if run.open and run.next]


DISPATCHING = ("scheduler.start", "scheduler.stop")
COMMITTED = [
    death
    for death in every_death(DATE_STORY)
    if death.values[2] in DISPATCHING or death.values[2:] == ("records.commit", "after")
]


@pytest.mark.parametrize(("story", "number", "call", "when"), COMMITTED)
def test_what_was_committed_stands_although_a_later_change_is_applied_before_it_is_dispatched(
    story, number, call, when
):
    calm, shaken = undisturbed(story), died(story, number, when, "overtaken")

    assert outcomes(shaken) == outcomes(calm)
    assert shaken.enrolments == calm.enrolments
    assert shaken.sent == calm.sent


def outcomes(world: World) -> dict[str, tuple[str, str, tuple[tuple[str, str, str], ...]]]:
    """How every run and step ended; not when: what was dispatched late acts late."""
    return {
        run.id: (run.status, run.reason, tuple((step.name, step.status, step.reason) for step in run.steps))
        for run in world.runs.values()
    }
