"""template.yaml as written, and as CloudFormation sees it once SAM has translated it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.template.translation import ROOT, translated_template, written_template

Template = dict[str, Any]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def written() -> Template:
    return written_template()


@pytest.fixture(scope="session")
def translated() -> Template:
    return translated_template()


@pytest.fixture(scope="session")
def functions(written: Template) -> dict[str, Template]:
    resources = written["Resources"].items()
    return {name: found["Properties"] for name, found in resources if found["Type"] == "AWS::Serverless::Function"}


@pytest.fixture(scope="session")
def machines() -> dict[str, Template]:
    found = (ROOT / "functions/machines").glob("*.asl.json")
    return {path.name.removesuffix(".asl.json"): json.loads(path.read_text()) for path in found}
