import json
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import pytest
from samtranslator.model.exceptions import InvalidDocumentException

from stagebell.domain.write_backs import KEPT_TRYING

Template = dict[str, Any]

MANAGED = "AWS::IAM::ManagedPolicy"


def test_no_resource_waits_for_itself(translated: Template) -> None:
    resources = translated["Resources"]

    graph = {name: set(_references(resource)) & resources.keys() for name, resource in resources.items()}

    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def test_every_reference_names_a_resource_or_a_parameter(translated: Template) -> None:
    known = translated["Resources"].keys() | translated["Parameters"].keys()

    unknown = {name for name in _references(translated["Resources"]) if name not in known}

    assert not {name for name in unknown if not name.startswith("AWS::")}


def test_every_parameter_is_used_and_described(translated: Template) -> None:
    everything = [translated["Resources"], translated["Conditions"]]

    used = set(_references(everything))

    assert translated["Parameters"].keys() <= used


def test_only_the_sender_has_to_be_said(translated: Template) -> None:
    without_default = [name for name, parameter in translated["Parameters"].items() if "Default" not in parameter]

    assert without_default == ["SenderAddress"]


def test_the_history_of_a_change_outlives_the_days_for_which_it_is_written_back(translated: Template) -> None:
    assert translated["Parameters"]["HistoryDays"]["MinValue"] > KEPT_TRYING.days


def test_the_stack_stays_within_what_cloudformation_and_iam_take(translated: Template) -> None:
    resources = translated["Resources"].values()

    attached = [len(one["Properties"].get("ManagedPolicyArns", [])) for one in resources]
    managed = [_size(one["Properties"]["PolicyDocument"]) for one in resources if one["Type"] == MANAGED]
    inline = [_size(one["Properties"].get("Policies", [])) for one in resources if one["Type"] == "AWS::IAM::Role"]

    assert len(resources) <= 500
    assert _size(translated) <= 1_000_000
    assert max(attached) <= 10
    assert max(managed) <= 6_144
    assert max(inline) <= 10_240


def _size(document: Any) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_a_circle_would_be_found() -> None:
    resources = {"A": {"Properties": {"x": {"Fn::Sub": "${B.Arn}/x"}}}, "B": {"DependsOn": "A", "Properties": {}}}

    graph = {name: set(_references(resource)) & resources.keys() for name, resource in resources.items()}

    with pytest.raises(ValueError, match="nodes are in a cycle"):
        TopologicalSorter(graph).prepare()


def test_the_translation_would_complain_of_a_mistake() -> None:
    from samtranslator.translator.transform import transform

    mistaken = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": 3}}}}

    with pytest.raises(InvalidDocumentException):
        transform(mistaken, {}, None)


def _references(node: Any) -> Iterator[str]:
    """Logical ids (and pseudo parameters) that a part of the template names."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _reference(key, value)


def _reference(key: str, value: Any) -> Iterator[str]:
    if key == "Ref":
        yield value
    elif key == "Fn::GetAtt":
        yield value[0] if isinstance(value, list) else value.partition(".")[0]
    elif key == "Fn::Sub":
        text, own = (value, {}) if isinstance(value, str) else value
        yield from (name for name in _names_in(text) if name not in own)
        yield from _references(own)
    elif key == "DependsOn":
        yield from [value] if isinstance(value, str) else value
    else:
        yield from _references(value)


def _names_in(text: str) -> Iterator[str]:
    for part in text.split("${")[1:]:
        name = part.partition("}")[0]
        if not name.startswith("!"):
            yield name.partition(".")[0]
