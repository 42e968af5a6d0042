"""What a cold start costs: importing each function and making its services, as a ratio to botocore with one client."""

import compileall
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.measure import ROOT, child, medians
from tests.benchmarks.report import Figures

TOPIC = "Cold starts"
ROUNDS = 7
REQUIREMENTS = ROOT / "layers" / "dependencies" / "requirements.txt"
DEVELOPMENT = ROOT / "requirements-dev.txt"
SITE = ROOT / ".bench" / "site"
SERVED = re.compile(r"\b((?:wiring|actions)\.\w+)\(\)")
RARE = {"wiring.commander"}  # commands on many runs; a change needs none of it
AIMS = {"receive_change": "≤ 1.5", "apply_change": "≤ 1.5"}


@pytest.fixture(scope="module")
def site() -> Path:
    """What functions in Lambda can import: the layer's packages and botocore, compiled, and nothing of the tests'."""
    botocore = next(line for line in DEVELOPMENT.read_text().splitlines() if line.startswith("botocore=="))
    wanted = hashlib.sha256((REQUIREMENTS.read_text() + botocore).encode()).hexdigest()
    stamp = SITE / "stamp"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(SITE, ignore_errors=True)
        install = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--target", str(SITE)]
        subprocess.run([*install, "-r", str(REQUIREMENTS), botocore], check=True)
        stamp.write_text(wanted)
    for folder in (SITE, ROOT / "layers" / "stagebell", ROOT / "functions"):
        compileall.compile_dir(folder, quiet=2)
    return SITE


def functions() -> dict[str, list[str]]:
    """Every function, and the services it names."""
    apps = sorted((ROOT / "functions").rglob("app.py"))
    names = {".".join(app.parent.relative_to(ROOT / "functions").parts): app.read_text() for app in apps}
    return {name: sorted(set(SERVED.findall(text)) - RARE) for name, text in names.items()}


def cpu(site: Path, *words: str) -> float:
    paths = (site, ROOT / "layers" / "stagebell", ROOT)
    return child("-m", "tests.benchmarks.child_import", *words, options=("-S", "-s"), paths=paths).cpu


def test_import_time_of_each_function(site: Path, figures: Figures) -> None:
    found = functions()

    rounds = [
        {"": cpu(site)} | {name: cpu(site, name, *services) for name, services in found.items()} for _ in range(ROUNDS)
    ]

    figures.explain(
        TOPIC,
        f"CPU time in which a fresh interpreter imports a function and makes its services and clients; the median of "
        f"{ROUNDS} rounds, taken in turns. The floor imports botocore and makes one client. All see what they see in "
        "Lambda: the layer's packages and botocore, compiled.",
    )
    for name, (seconds, ratio) in medians(rounds, "").items():
        aim = AIMS.get(name, "")
        what, told = (f"`{name}`", f"{ratio:.2f}") if name else ("floor: botocore with one client", "1")
        figures.add(TOPIC, what, f"{seconds * 1000:.0f} ms", beside=told, aim=aim)
