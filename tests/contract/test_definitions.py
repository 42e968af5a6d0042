from dataclasses import replace
from typing import Any

import pytest

from stagebell.domain.errors import Conflict
from stagebell.ports.definitions import Definition, Head
from tests.contract.examples import at, pages
from tests.contract.worlds import ACTIVE_LIMIT, PAGE_SIZE, World

SHELF = "scenario:deal"


def definition(version: int = 1, name: str = "unassigned", **told: Any) -> Definition:
    document = {"kind": "scenario", "name": name, "steps": [{"not": None, "at": {"after": "5 minutes"}}], "ü": version}
    return replace(Definition("scenario", name, version, document, at(version), "ada"), **told)


def active_head(version: int, latest: int, **told: Any) -> Head:
    return replace(Head("scenario", "unassigned", latest, version, "", SHELF, at(1), "ada"), **told)


def head(world: World) -> Head:
    found = world.definitions.head("scenario", "unassigned")
    assert found is not None
    return found


def activate(world: World, version: int) -> None:
    stored = world.definitions.version("scenario", "unassigned", version)
    expected = head(world)
    world.definitions.point(active_head(version, expected.latest), expected, stored)


def test_nothing_is_there_before_it_is_saved(world: World) -> None:
    assert world.definitions.revision() == 0
    assert list(world.definitions.active(SHELF)) == []
    assert world.definitions.version("scenario", "unassigned", 1) is None
    assert world.definitions.head("scenario", "unassigned") is None
    assert world.definitions.versions("scenario", "unassigned").items == ()
    assert world.definitions.heads("scenario").items == ()


def test_a_saved_version_is_read_as_it_was_and_is_not_active(world: World) -> None:
    world.definitions.save(definition(), 0)

    assert world.definitions.version("scenario", "unassigned", 1) == definition()
    assert head(world) == Head("scenario", "unassigned", latest=1)
    assert list(world.definitions.active(SHELF)) == []
    assert world.definitions.revision() == 0


def test_versions_are_read_newest_first(world: World) -> None:
    for version in range(1, 12):
        world.definitions.save(definition(version), version - 1)

    found = pages(lambda cursor: world.definitions.versions("scenario", "unassigned", cursor))

    assert [d.version for page in found for d in page] == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert len(found) == -(-11 // PAGE_SIZE)


@pytest.mark.parametrize(
    ("version", "expected", "why"),
    [
        (2, 0, "someone saved the first version meanwhile"),
        (3, 2, "the version expected was never saved"),
        (1, 1, "this version exists"),
    ],
)
def test_saving_conflicts_when(world: World, version: int, expected: int, why: str) -> None:
    world.definitions.save(definition(1), 0)

    with pytest.raises(Conflict):
        world.definitions.save(definition(version, saved_by="bob"), expected)

    assert head(world).latest == 1, why
    assert [d.saved_by for d in world.definitions.versions("scenario", "unassigned").items] == ["ada"]


def test_the_active_version_is_on_its_shelf(world: World) -> None:
    world.definitions.save(definition(1), 0)
    world.definitions.save(definition(2), 1)

    activate(world, 1)

    assert list(world.definitions.active(SHELF)) == [definition(1)]
    assert head(world) == active_head(1, 2)
    assert world.definitions.revision() == 1


def test_saving_a_version_leaves_the_active_one(world: World) -> None:
    world.definitions.save(definition(1), 0)
    activate(world, 1)

    world.definitions.save(definition(2), 1)

    assert head(world) == active_head(1, 2)
    assert list(world.definitions.active(SHELF)) == [definition(1)]


def test_another_version_takes_the_place_of_the_active_one(world: World) -> None:
    world.definitions.save(definition(1), 0)
    world.definitions.save(definition(2), 1)

    activate(world, 1)
    activate(world, 2)

    assert list(world.definitions.active(SHELF)) == [definition(2)]
    assert world.definitions.revision() == 2


def test_a_version_for_another_object_changes_the_shelf(world: World) -> None:
    world.definitions.save(definition(1), 0)
    activate(world, 1)

    moved = active_head(1, 1, shelf="scenario:project")
    world.definitions.point(moved, head(world), definition(1))

    assert list(world.definitions.active(SHELF)) == []
    assert list(world.definitions.active("scenario:project")) == [definition(1)]


def test_a_deactivated_definition_leaves_its_shelf(world: World) -> None:
    world.definitions.save(definition(1), 0)
    activate(world, 1)

    off = active_head(0, 1, halted="pause", shelf="")
    world.definitions.point(off, head(world), None)

    assert list(world.definitions.active(SHELF)) == []
    assert head(world) == off
    assert world.definitions.revision() == 2


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        (active_head(0, 2), "someone activated another version meanwhile"),
        (active_head(1, 1), "someone saved a version meanwhile"),
    ],
)
def test_activation_conflicts_when(world: World, expected: Head, why: str) -> None:
    world.definitions.save(definition(1), 0)
    world.definitions.save(definition(2), 1)
    activate(world, 1)

    with pytest.raises(Conflict):
        world.definitions.point(active_head(2, 2), expected, definition(2))

    assert head(world) == active_head(1, 2), why
    assert list(world.definitions.active(SHELF)) == [definition(1)]
    assert world.definitions.revision() == 1


def test_what_was_never_saved_cannot_be_activated(world: World) -> None:
    with pytest.raises(Conflict):
        world.definitions.point(active_head(1, 1), Head("scenario", "unassigned", 0), definition(1))

    assert world.definitions.revision() == 0


def test_heads_of_a_kind_are_listed_by_name(world: World) -> None:
    for name in ("d", "b", "ä", "a", "c"):
        world.definitions.save(definition(name=name), 0)
    world.definitions.save(Definition("template", "t", 1, {"html": "x"}, at(0)), 0)

    found = pages(lambda cursor: world.definitions.heads("scenario", cursor))

    assert [[h.name for h in page] for page in found] == [["a", "b", "c"], ["d", "ä"]]


def test_a_shelf_is_read_whole_however_large_its_documents_are(world: World) -> None:
    names = [f"template-{number:02}" for number in range(12)]
    for name in names:
        large = Definition("template", name, 1, {"html": "ü" * 100_000}, at(0))
        world.definitions.save(large, 0)
        world.definitions.point(Head("template", name, 1, 1, shelf="template"), Head("template", name, 1), large)

    assert [d.name for d in world.definitions.active("template")] == names
    assert world.definitions.revision() == 12


def test_a_document_larger_than_an_item_is_stored(world: World) -> None:
    large = Definition("template", "t", 1, {"html": "<p>" * 200_000}, at(0))

    world.definitions.save(large, 0)

    assert world.definitions.version("template", "t", 1) == large


def test_one_more_than_the_limit_of_active_definitions_is_refused_until_one_is_switched_off(world: World) -> None:
    def switch(number: int, *, on: bool) -> None:
        name = f"scenario-{number}"
        if world.definitions.head("scenario", name) is None:
            world.definitions.save(definition(name=name), 0)
        expected = world.definitions.head("scenario", name)
        assert expected is not None
        wanted = replace(expected, active=int(on), shelf=SHELF)
        world.definitions.point(wanted, expected, definition(name=name) if on else None)

    for number in range(ACTIVE_LIMIT):
        switch(number, on=True)
    switch(0, on=True)

    with pytest.raises(Conflict, match="20 definitions are active"):
        switch(ACTIVE_LIMIT, on=True)
    switch(0, on=False)
    switch(ACTIVE_LIMIT, on=True)

    assert len(list(world.definitions.active(SHELF))) == ACTIVE_LIMIT
