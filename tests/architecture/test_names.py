"""The naming law: one action kind has one name, wherever it is spelled."""

import json
import re

import yaml

from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.contracts.definitions.kinds import KINDS as DEFINITIONS
from stagebell.domain import errors
from stagebell.domain.executions import function_name
from stagebell.services.checks.steps import CHECKS
from tests.architecture.source import PACKAGE, ROOT

TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")
MACHINE = json.loads((ROOT / "functions/machines/scenario.asl.json").read_text(encoding="utf-8"))
KINDS = set(ACTION_MODELS)


def camel(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))


def test_every_action_kind_has_a_folder_and_every_folder_is_an_action_kind():
    assert {path.parent.name for path in (ROOT / "functions/actions").glob("*/app.py")} == KINDS


def test_every_action_kind_has_its_parameters_its_service_and_its_wiring():
    for kind, model in ACTION_MODELS.items():
        app = (ROOT / "functions/actions" / kind / "app.py").read_text(encoding="utf-8")

        assert model.__name__ == camel(kind)
        assert f"actions.{kind}()" in app and "ActionTask.model_validate(" in app
        assert (PACKAGE / "services" / f"{kind}.py").exists()
    assert set(CHECKS) == KINDS


def test_every_action_kind_has_its_function_in_the_template():
    for kind in KINDS:
        assert re.search(rf"^  {camel(kind)}Function:$", TEMPLATE, re.MULTILINE)
        assert function_name("${AWS::StackName}", kind) in TEMPLATE


def test_every_error_that_a_machine_names_exists():
    named = {name for state in MACHINE["States"].values() for name in _errors_of(state)}
    ours = {name for name in named if "." not in name}

    assert ours == {error.__name__ for error in errors.RETRIED_BY_MACHINES}
    assert all(hasattr(errors, name) for name in ours)


def _errors_of(state: dict[str, object]) -> list[str]:
    rules = [*state.get("Retry", ()), *state.get("Catch", ())]  # type: ignore[misc]
    return [name for rule in rules for name in rule["ErrorEquals"]]


def test_the_version_is_written_once_and_agrees_with_the_project():
    import tomllib

    from stagebell.runtime.version import VERSION

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_examples_are_definitions_of_every_kind():
    documents = [d for path in (ROOT / "examples").rglob("*.yaml") for d in yaml.safe_load_all(path.read_text())]

    assert {document["kind"] for document in documents} == set(DEFINITIONS)
