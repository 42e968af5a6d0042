"""The page for who writes definitions for the first time: what it says to type does what it shows."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from stagebell.cli.main import main
from stagebell.cli.tools import offline_tools
from stagebell.cli.yaml_text import read_documents
from stagebell.services.check import check_definitions
from stagebell.services.checks.world import NOTHING
from tests.definitions import documents_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "write-definitions.md").read_text(encoding="utf-8")
WRITTEN = re.compile(r"cat > (\S+) <<'(?:YAML|JSON)'\n(.*?)^(?:YAML|JSON)$", re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the page says to copy and to write."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "projects").mkdir()
    shutil.copy(ROOT / "examples" / "projects" / "objects.yaml", tmp_path / "projects")
    for place, text in WRITTEN.findall(PAGE):
        (tmp_path / place).write_text(text)
    return tmp_path


def test_the_first_workflow_is_valid_beside_the_objects(folder, capsys):
    (folder / "projects" / "no-hours.yaml").unlink()

    assert main(["validate", "projects"]) == 0

    assert capsys.readouterr().out in PAGE


def test_the_mistake_is_told_as_the_page_shows_it(folder, capsys):
    workflow = folder / "projects" / "kick-off.yaml"
    workflow.write_text(workflow.read_text().replace("to: [{field: owner}]", "to: [{field: ownr}]"))

    assert main(["validate", "projects"]) == 1

    told = capsys.readouterr().out.splitlines()[0]
    assert told[: told.index(", planned_hours")] in PAGE


def test_the_backtest_says_what_the_page_shows(folder, capsys):
    assert main(["backtest", "projects", "--changes", "history.jsonl"]) == 0

    said = capsys.readouterr().out.splitlines()
    assert [line.rstrip() for line in said if line.rstrip() not in PAGE] == []


def definitions_in(block: str) -> tuple[str, list[Any]]:
    """The example it is meant for, and what the block says: whole definitions, or a part set into a workflow."""
    documents = [document.data for document in read_documents(block)]
    if "kind" in documents[0]:
        return "deals", documents
    whole = {"kind": "workflow", "name": "part", "object": "project", "trigger": {"on": "updated"}}
    act = {"name": "act", "type": "set_stage", "field": "stage", "to": "Stopped"}
    part = {"actions": documents[0]} if isinstance(documents[0], list) else {"actions": [act], **documents[0]}
    return "projects", [whole | part]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_of_the_page_fits_the_objects_it_speaks_of(block):
    example, definitions = definitions_in(block)

    checked = check_definitions([*documents_of(example), *definitions], NOTHING, offline_tools())

    assert [problem for result in checked for problem in result.problems] == []


def test_the_cycle_is_warned_of_in_the_words_of_the_page(tmp_path, capsys):
    shutil.copy(ROOT / "examples" / "deals" / "objects.yaml", tmp_path)
    (tmp_path / "loop.yaml").write_text(next(block for block in BLOCKS if block.startswith("kind:")))

    main(["validate", str(tmp_path)])

    warning = re.search(r"chase .step forth. writes deal.stage.*", capsys.readouterr().out)
    assert warning is not None and warning[0] in " ".join(PAGE.split())
