import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def _linted(template: Path, root: Path) -> subprocess.CompletedProcess[str]:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    command = [str(cfn_lint), "--non-zero-exit-code", "informational", str(template)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def _with_machine(machine: dict[str, Any], folder: Path) -> Path:
    """A template that holds the machine itself: in ours it is a file, which nobody looks into."""
    role = "arn:aws:iam::123456789012:role/machine"
    text = json.dumps(machine).replace("${ScenarioMachineArn}", "arn:aws:states:eu-west-1:123456789012:stateMachine:s")
    text = text.replace("${CloseRunFunctionArn}", "arn:aws:lambda:eu-west-1:123456789012:function:f")
    properties = {"RoleArn": role, "Definition": json.loads(text)}
    resources = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}
    made = folder / "machine.json"
    made.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
    return made


def test_cfn_lint_finds_nothing(root: Path) -> None:
    done = _linted(root / "template.yaml", root)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["scenario", "workflow"])
def test_cfn_lint_finds_nothing_in_a_machine(
    root: Path, machines: dict[str, dict[str, Any]], name: str, tmp_path: Path
) -> None:
    done = _linted(_with_machine(machines[name], tmp_path), root)

    assert done.returncode == 0, done.stdout


def test_cfn_lint_looks_into_machines(root: Path, machines: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    states = machines["workflow"]["States"]
    mistaken = {**machines["workflow"], "States": {**states, "Act": {**states["Act"], "Catch": [{"Next": "GiveUp"}]}}}

    done = _linted(_with_machine(mistaken, tmp_path), root)

    assert done.returncode != 0
