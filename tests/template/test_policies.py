from collections.abc import Iterator
from typing import Any

Template = dict[str, Any]
Statement = dict[str, Any]

# Where AWS has no resource to name: (role, action) → why.
EVERY_RESOURCE = {
    ("SendSmsFunctionRole", "sns:Publish"): "a phone number is not a resource",
    **{
        ("ScenarioMachineRole", action): "log delivery knows no resources"
        for action in (
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        )
    },
    **{
        ("ScenarioMachineRole", action): "X-Ray knows no resources"
        for action in (
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        )
    },
}
# Managed policies of AWS that SAM attaches: writing logs, writing traces, reading the queue.
ATTACHED = {
    "service-role/AWSLambdaBasicExecutionRole",
    "AWSXrayWriteOnlyAccess",
    "service-role/AWSLambdaSQSQueueExecutionRole",
}


def test_every_resource_is_allowed_only_where_aws_has_none_to_name(translated: Template) -> None:
    found = {
        (role, action)
        for role, statement in _statements(translated)
        if "*" in _as_list(statement["Resource"])
        for action in _as_list(statement["Action"])
    }

    assert found == EVERY_RESOURCE.keys()


def test_no_policy_allows_a_family_of_actions(translated: Template) -> None:
    found = [(role, action) for role, statement in _statements(translated) for action in _as_list(statement["Action"])]

    assert found
    assert not [(role, action) for role, action in found if "*" in action]


def test_no_policy_allows_all_but_something(translated: Template) -> None:
    for role, statement in _statements(translated):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), role


def test_aws_policies_are_the_few_that_every_function_needs(translated: Template) -> None:
    attached = {
        arn
        for resource in translated["Resources"].values()
        for arn in map(str, _as_list(resource["Properties"].get("ManagedPolicyArns", [])))
    }

    named = {arn for arn in attached if ":iam::aws:policy/" in arn}

    assert {arn.partition("policy/")[2].rstrip("'}") for arn in named} <= ATTACHED


def test_only_what_starts_runs_may_start_executions(translated: Template) -> None:
    roles = {role for role, statement in _statements(translated) if "states:StartExecution" in statement["Action"]}

    assert roles == {"ApiFunctionRole", "ApplyChangeFunctionRole", "ScenarioMachineRole"}


def test_the_machine_invokes_action_functions_only(translated: Template, functions: dict[str, Template]) -> None:
    actions = {name for name, function in functions.items() if "functions/actions/" in function["CodeUri"]}

    invoked = {
        resource["Fn::GetAtt"][0]
        for role, statement in _statements(translated)
        if role == "ScenarioMachineRole" and "lambda:InvokeFunction" in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    }

    assert invoked == actions


def test_e_mails_leave_from_the_sender_address_only(translated: Template) -> None:
    found = [(role, one) for role, one in _statements(translated) if "ses:SendEmail" in _as_list(one["Action"])]

    assert [role for role, _ in found] == ["SendEmailFunctionRole"]
    assert found[0][1]["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "SenderAddress"}}}


def _statements(template: Template) -> Iterator[tuple[str, Statement]]:
    """Every allowing statement with the logical id it stands under, but for who may assume a role."""
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        documents = [policy["PolicyDocument"] for policy in map(_chosen, properties.get("Policies", [])) if policy]
        if resource["Type"] != "AWS::SQS::QueuePolicy" and "PolicyDocument" in properties:
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement


def _chosen(policy: Any) -> Any:
    """A policy behind a condition is looked at as if the condition held."""
    return policy["Fn::If"][1] if "Fn::If" in policy else policy


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
