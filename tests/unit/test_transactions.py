"""How a commit is split over transactions: never more items than the store takes; what belongs together stays so."""

from typing import Any

from stagebell.adapters.dynamodb_commits import Tables, Writes
from stagebell.adapters.dynamodb_tables import Table
from stagebell.adapters.retention import Retention
from stagebell.adapters.transactions import fixed_items, split
from stagebell.domain.changes import RecordKey
from stagebell.domain.orders import Tell
from stagebell.domain.records import Record
from stagebell.domain.rotations import Rotation
from stagebell.ports.records import Commit, Settling
from tests.contract.examples import DEAL, change, commit_of, ended, enrolment, run
from tests.contract.worlds import SetClock

ADA = RecordKey("user", "ada")


def everything() -> Commit:
    """All that one change can write."""
    settling = Settling(ended(run()), 1, enrolment(ended(run())))
    told: dict[str, Any] = {"settling": settling, "rotation": Rotation("turns", 1), "outbox": [Tell(ADA, "crm", 1)]}
    joins = change("c1", ADA, roles=["manager", "sales"], department="d1")
    return commit_of(Record(ADA), joins, started=[run("run_2"), run("run_3")], **told)


def test_what_is_counted_is_what_is_written():
    commit = everything()
    tables = Tables(Table(None, "records"), Table(None, "runs"), Retention(SetClock(), days=400))

    written = Writes(tables).all(commit, [ended(run("run_4"))], [enrolment(run("run_2"))])

    assert len(written) == fixed_items(commit) + 2


def test_the_run_whose_step_makes_the_change_is_never_ended_ahead_of_it():
    endings = [ended(run(f"run_{number}", definition=f"scenario-{number}")) for number in range(80)]
    parts: dict[str, Any] = {"updated": endings, "enrolments": [enrolment(r) for r in endings]}

    parted = split(commit_of(Record(DEAL), change(name="B"), acting="run_50", **parts))

    assert "run_50" not in {ending.run.id for batch in parted.ahead for ending in batch}
    assert [r.id for r in parted.updated] == [e.run for e in parted.enrolments] == ["run_50"]
