"""template.yaml as written, and as CloudFormation sees it once SAM has translated it."""

import json
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]


class NoManagedPolicies:
    """SAM asks IAM for the managed policies it knows by name; the template names none."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def written() -> Template:
    return yaml_parse((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def translated() -> Template:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    point_to_uploads(template)
    return transform(template, {}, NoManagedPolicies())


@pytest.fixture(scope="session")
def functions(written: Template) -> dict[str, Template]:
    resources = written["Resources"].items()
    return {name: found["Properties"] for name, found in resources if found["Type"] == "AWS::Serverless::Function"}


@pytest.fixture(scope="session")
def machines() -> dict[str, Template]:
    found = (ROOT / "functions/machines").glob("*.asl.json")
    return {path.name.removesuffix(".asl.json"): json.loads(path.read_text()) for path in found}


def point_to_uploads(template: Template) -> None:
    """`sam deploy` uploads local paths and writes where to; the translation needs it written."""
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri", "DefinitionUri"} & resource["Properties"].keys():
            resource["Properties"][name] = "s3://uploads/something"
