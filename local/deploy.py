"""Builds and deploys `template.yaml` to the emulator, when anything has changed since the last time."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from local.place import SENDER, STACK, LocalStackError, Place
from local.stack import Stack, client, find_stack
from local.waiting import until

OWN_PARAMETERS = {"SenderAddress": SENDER, "ProtectData": "false", "WebhookAddresses": "any"}
SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "local/deploy.py")


def deploy(place: Place, parameters: Mapping[str, str]) -> Stack:
    """The stack with these parameters (as in the template), verified to send."""
    sources = fingerprint_of_sources(place.root)
    wanted = _wanted(sources, parameters)
    stack = find_stack(place)
    if stack and _holds(place.deployed, wanted):
        return stack
    if not _holds(place.built, sources):
        _build(place)
        place.built.write_text(sources)
    _deploy(place, {**OWN_PARAMETERS, **parameters})
    _limit_actions(place, int(parameters.get("ActionConcurrency", 0)))
    stack = find_stack(place)
    if stack is None:
        raise LocalStackError(f"The stack was not deployed; the emulator's log is {place.log}.")
    _verify_sender(place)
    place.deployed.write_text(wanted)
    return stack


def reconfigure(stack: Stack, parameters: Mapping[str, str]) -> None:
    """Change some parameters of what is deployed: a matter of seconds, where a deployment takes half a minute."""
    cloudformation = stack.client("cloudformation")
    names = [parameter["ParameterKey"] for parameter in _describe(cloudformation)["Parameters"]]
    cloudformation.update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": parameters[name]}
            if name in parameters
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in names
        ],
    )
    until(lambda: _describe(cloudformation)["StackStatus"] == "UPDATE_COMPLETE", "Changing parameters", seconds=60)
    stack.place.deployed.write_text(_wanted(fingerprint_of_sources(stack.place.root), parameters))


def _describe(cloudformation: Any) -> dict[str, Any]:
    described: dict[str, Any] = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return described


def _wanted(sources: str, parameters: Mapping[str, str]) -> str:
    return f"{sources} {sorted(parameters.items())}"


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def fingerprint_of_sources(root: Path) -> str:
    digest = hashlib.sha256()
    for path in _source_files(root):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        start = root / name
        found = sorted(start.rglob("*")) if start.is_dir() else [start]
        yield from (path for path in found if path.is_file() and not _is_generated(path))


def _is_generated(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part.endswith(".egg-info") for part in path.parts)


def _build(place: Place) -> None:
    _sam(place, "build")
    built = yaml.safe_load((place.build / "template.yaml").read_text())
    _template(place).write_text(yaml.safe_dump(without_metric_math(built), sort_keys=False))


def _template(place: Place) -> Path:
    return place.build / "template-local.yaml"


def without_metric_math(template: dict[str, Any]) -> dict[str, Any]:
    """The emulator's CloudFormation refuses alarms on metric math, and evaluates none anyway."""
    resources = template["Resources"]
    kept = {name: resource for name, resource in resources.items() if "Metrics" not in resource.get("Properties", {})}
    return {**template, "Resources": kept}


def _deploy(place: Place, parameters: Mapping[str, str]) -> None:
    _sam(
        place,
        "deploy",
        *("--template-file", str(_template(place))),
        *("--stack-name", STACK),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
        *("--parameter-overrides", *(f'{name}="{value}"' for name, value in parameters.items())),
    )


def _sam(place: Place, verb: str, *arguments: str) -> None:
    sam = Path(sys.executable).with_name("sam")
    path = f"{sam.parent}{os.pathsep}{os.environ.get('PATH', '')}"  # its makefiles call this Python 3.13
    done = subprocess.run(
        [str(sam), verb, "--config-file", str(place.root / "samconfig.toml"), "--config-env", "local", *arguments],
        cwd=place.root,
        env={**os.environ, **place.aws_environment(), "SAM_CLI_POLL_DELAY": "0.2", "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise LocalStackError(f"sam {verb} failed:\n{tail}")


def _limit_actions(place: Place, concurrency: int) -> None:
    """The emulator's CloudFormation forgets ReservedConcurrentExecutions."""
    if concurrency:
        functions = client(place, "lambda")
        for name in _limited(yaml.safe_load(_template(place).read_text())):
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=concurrency)


def _limited(template: dict[str, Any]) -> Iterator[str]:
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "ReservedConcurrentExecutions" in properties:
            yield properties["FunctionName"]["Fn::Sub"].replace("${AWS::StackName}", STACK)


def _verify_sender(place: Place) -> None:
    ses = client(place, "sesv2")
    known = {identity["IdentityName"] for identity in ses.list_email_identities()["EmailIdentities"]}
    if SENDER not in known:
        ses.create_email_identity(EmailIdentity=SENDER)
