"""What each role of the translated template may do, in words that calls can be compared with.

A resource is named by its logical id (`RecordsTable/index/by_owner`), or by what its name is built of
(`secret:stagebell/sources/*`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Template = dict[str, Any]
Statement = dict[str, Any]

STACK = "stagebell"
_ARN = re.compile(r"arn:\$\{AWS::Partition\}:\w+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:")
_NAME = re.compile(r"\$\{(\w+)\.\w+\}")


@dataclass(frozen=True, order=True)
class Grant:
    action: str
    resource: str

    def covers(self, action: str, resource: str) -> bool:
        return self.action == action and fnmatchcase(resource, self.resource)


def grants(template: Template, role: str) -> set[Grant]:
    """Everything a role may do; policies behind a condition as if it held."""
    return {grant for _, statement in statements(template, role) for grant in granted(statement)}


def granted(statement: Statement) -> set[Grant]:
    actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
    return {Grant(action, named(resource)) for action in actions for resource in resources}


def statements(template: Template, role: str = "") -> Iterator[tuple[str, Statement]]:
    """Every allowing statement with the logical id of the role or managed policy it stands in; of one role, also those
    of the policies that are attached to it."""
    resources = template["Resources"]
    chosen = [role, *attached(template, role)] if role else list(resources)
    for name in chosen:
        properties = resources[name]["Properties"]
        documents = [policy["PolicyDocument"] for policy in map(_held, properties.get("Policies", [])) if policy]
        if resources[name]["Type"] != "AWS::SQS::QueuePolicy" and "PolicyDocument" in properties:
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                if statement["Effect"] == "Allow":
                    yield name, statement


def roles(template: Template) -> list[str]:
    return [name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::IAM::Role"]


def managed(template: Template) -> list[str]:
    return [name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::IAM::ManagedPolicy"]


def attached(template: Template, role: str) -> list[str]:
    """The managed policies of a role, but for those of AWS."""
    found = map(_held, template["Resources"][role]["Properties"].get("ManagedPolicyArns", []))
    return [policy["Ref"] for policy in found if isinstance(policy, dict) and "Ref" in policy]


def named(resource: Any) -> str:
    match resource:
        case str():
            return resource
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, _]}:
            return str(name)
        case {"Fn::GetAtt": str(path)}:
            return path.partition(".")[0]
        case {"Fn::Sub": str(text)}:
            return _NAME.sub(r"\1", _ARN.sub("", text)).replace("${AWS::StackName}", STACK)
    raise AssertionError(f"no resource is written like {resource}")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _held(policy: Any) -> Any:
    """A policy behind a condition, as if the condition held."""
    return policy["Fn::If"][1] if isinstance(policy, dict) and "Fn::If" in policy else policy
