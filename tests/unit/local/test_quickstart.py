import re
import shutil
from pathlib import Path

from local.place import ROOT
from stagebell.cli.files import load_valid


def test_the_scenario_of_the_quickstart_is_valid_beside_the_incidents(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "quickstart.md").read_text()
    written = re.search(r"<<'YAML'\n(.*?)\nYAML\n", text, re.DOTALL)
    assert written is not None

    shutil.copytree(ROOT / "examples" / "incidents", tmp_path / "mine")
    (tmp_path / "mine" / "own.yaml").write_text(written[1])

    assert "handed-on-twice" in {definition["name"] for definition in load_valid(tmp_path / "mine")}
