from dataclasses import replace

import pytest

from stagebell.domain.changes import RecordKey
from stagebell.domain.errors import InvalidInput, StagebellError
from tests.contract.examples import DEAL, at, change, commit_of, ended, enrolment, pages, run
from tests.contract.worlds import PAGE_SIZE, World

OTHER = RecordKey("deal", "8")


def start(world: World, *runs: object, key: RecordKey = DEAL, enrol: bool = True) -> None:
    """Commit a change that starts these runs."""
    stored = world.records.load(key)
    enrolments = [enrolment(r) for r in runs] if enrol else []  # type: ignore[arg-type]
    number = stored.record.version
    result = world.records.commit(
        commit_of(stored, change(f"start-{number}", key, number), started=runs, enrolments=enrolments)
    )
    assert result == "committed"


def test_there_is_no_run_before_it_starts(world: World) -> None:
    assert world.runs.get("run_1") is None


def test_an_empty_id_is_no_id_of_a_run(world: World) -> None:
    with pytest.raises(StagebellError):
        world.runs.get("")


def test_a_run_is_read_as_it_was_started(world: World) -> None:
    whole = run(left_at=at(2), quiet=True, causes=("run_0", "run_00"), execution=3, reason="x", status="paused")

    start(world, whole)

    assert world.runs.get("run_1") == whole


def test_a_saved_run_takes_its_enrolment_along_but_not_its_starts(world: World) -> None:
    start(world, run())

    saved = world.runs.save(ended(run()), replace(enrolment(ended(run()), due_at=None), starts=()))

    assert saved
    assert world.runs.get("run_1") == ended(run())
    assert world.records.load(DEAL).enrolments == {"unassigned": enrolment(ended(run()), due_at=None)}


def test_a_saved_run_that_waits_on_tells_its_record_until_when(world: World) -> None:
    start(world, run())
    later = replace(run(), revision=2)

    world.runs.save(later, enrolment(later, due_at=at(70)))

    assert world.records.load(DEAL).enrolments["unassigned"].due_at == at(70)


@pytest.mark.parametrize(
    ("revision", "why"),
    [(1, "it was saved with this revision already"), (3, "there is one revision between that was never read")],
)
@pytest.mark.parametrize("enrolled", [True, False])
def test_a_run_that_moved_is_not_saved(world: World, revision: int, why: str, enrolled: bool) -> None:
    start(world, run())
    before = world.records.load(DEAL)

    saved = world.runs.save(replace(run(), revision=revision, status="failed"), enrolment(run()) if enrolled else None)

    assert not saved, why
    assert world.runs.get("run_1") == run()
    assert world.records.load(DEAL) == before


def test_a_run_that_never_started_is_not_saved(world: World) -> None:
    assert not world.runs.save(replace(run(), revision=2), None)
    assert not world.runs.save(replace(run(), revision=2), enrolment(run()))
    assert world.runs.get("run_1") is None


def test_a_run_whose_record_has_a_newer_one_is_saved_alone(world: World) -> None:
    start(world, run("run_1"))
    start(world, run("run_2"))

    saved = world.runs.save(ended(run("run_1")), enrolment(ended(run("run_1"))))

    assert saved
    assert world.runs.get("run_1") == ended(run("run_1"))
    assert world.records.load(DEAL).enrolments == {"unassigned": enrolment(run("run_2"))}


def test_a_run_whose_record_has_a_newer_one_and_that_moved_is_not_saved(world: World) -> None:
    start(world, run("run_1"))
    start(world, run("run_2"))

    assert not world.runs.save(replace(run("run_1"), revision=3), enrolment(run("run_1")))


def test_a_run_without_an_enrolment_is_saved_alone(world: World) -> None:
    start(world, run(), enrol=False)

    saved = world.runs.save(ended(run()), enrolment(ended(run())))

    assert saved
    assert world.records.load(DEAL).enrolments == {}


def test_runs_of_a_record_are_read_newest_first(world: World) -> None:
    runs = [run(f"run_{n}", definition=f"d{n}", minute=n) for n in range(PAGE_SIZE + 1)]
    start(world, *runs)
    start(world, run("run_x", key=OTHER), key=OTHER)

    found = pages(lambda cursor: world.runs.of_record(DEAL, cursor))

    assert [[r.id for r in page] for page in found] == [["run_3", "run_2", "run_1"], ["run_0"]]
    assert found[1] == [runs[0]]


def test_runs_of_a_definition_are_read_newest_first(world: World) -> None:
    for number in range(PAGE_SIZE):
        key = RecordKey("deal", str(number))
        start(world, run(f"run_{number}", key=key, minute=number), key=key)
    start(world, run("run_x", definition="other"))

    found = pages(lambda cursor: world.runs.of_definition("unassigned", cursor))

    assert [[r.id for r in page] for page in found] == [["run_2", "run_1", "run_0"]]


def test_open_runs_of_a_definition_are_those_that_run_or_pause(world: World) -> None:
    for number in range(PAGE_SIZE + 3):
        key = RecordKey("deal", str(number))
        start(world, run(f"run_{number}", key=key, status="paused" if number == 1 else "running"), key=key)
    done = run("run_0", key=RecordKey("deal", "0"))
    world.runs.save(ended(done), enrolment(ended(done)))

    found = pages(lambda cursor: world.runs.open_of("unassigned", cursor))

    assert found == [["run_1", "run_2", "run_3"], ["run_4", "run_5"]]


def test_a_cursor_of_runs_fits_no_other_listing(world: World) -> None:
    start(world, *(run(f"run_{n}", definition=f"d{n}", minute=n) for n in range(PAGE_SIZE + 1)))
    cursor = world.runs.of_record(DEAL).cursor

    for read in (world.runs.of_definition, world.runs.open_of):
        with pytest.raises(InvalidInput):
            read("unassigned", cursor)
