"""Least privilege: what each function may do stands here once more, so that more is a decision."""

import re
from typing import Any

import pytest

from tests.template.policies import Grant, as_list, grants, managed, named, roles, statements

Template = dict[str, Any]

# Where AWS has no resource to name: (role or policy, action) → why.
EVERY_RESOURCE = {
    ("SendSmsPolicy", "sns:Publish"): "a phone number is not a resource",
    **{
        ("MachinePolicy", action): "log delivery knows no resources"
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
        ("MachinePolicy", action): "X-Ray knows no resources"
        for action in (
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        )
    },
}
# Managed policies of AWS that SAM attaches: writing logs, writing traces.
ATTACHED = {"service-role/AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}
SENDS = {"notify", "send_email", "send_sms", "call_webhook", "run_function"}
CHANGES = {
    "run_function",
    "update_field",
    "set_stage",
    "assign_owner",
    "lock_record",
    "unlock_record",
    "start_process",
    "create_task",
    "create_event",
    "create_sales_record",
}
READS_WEBHOOKS = "secret:stagebell/webhooks/*"
# What an action function may do beyond looking, and beyond its group.
READS_PEOPLE, WRITES_PEOPLE = ("dynamodb:GetItem", "PeopleTable"), ("dynamodb:PutItem", "PeopleTable")
OWN = {
    "notify": {READS_PEOPLE, WRITES_PEOPLE, ("dynamodb:UpdateItem", "PeopleTable")},
    "send_email": {READS_PEOPLE},
    "send_sms": {READS_PEOPLE},
    "call_webhook": {READS_PEOPLE, WRITES_PEOPLE, ("secretsmanager:GetSecretValue", READS_WEBHOOKS)},
    "run_function": {("lambda:InvokeFunction", "CustomerFunctions")},
    "assign_owner": {("dynamodb:Query", "RecordsTable/index/by_owner")},
}
MAILS = {"notify", "send_email"}
TEXTS = {"notify", "send_sms"}
# Who else may do what must not spread.
MAY = {
    "states:StartExecution": {
        "ApiFunctionRole",
        "ApplyChangeFunctionRole",
        "ChangeRecordPolicy",
        "CloseRunFunctionRole",
        "ScenarioMachineRole",
        "WorkflowMachineRole",
    },
    "states:StopExecution": {"ChangeRecordPolicy", "CloseRunFunctionRole"},
    "ses:SendEmail": {"SendEmailPolicy"},
    "ses:SendRawEmail": {"SendEmailPolicy"},
    "sns:Publish": {"SendSmsPolicy"},
    "lambda:InvokeFunction": {"MachinePolicy", "WorkflowMachineRole", "RunFunctionFunctionRole"},
    "secretsmanager:PutSecretValue": {"ApiFunctionRole"},
    "secretsmanager:CreateSecret": {"ApiFunctionRole"},
}


def test_every_resource_is_allowed_only_where_aws_has_none_to_name(translated: Template) -> None:
    found = {
        (role, action)
        for role, statement in statements(translated)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }

    assert found == EVERY_RESOURCE.keys()


def test_no_policy_allows_a_family_of_actions(translated: Template) -> None:
    found = [(role, action) for role, statement in statements(translated) for action in as_list(statement["Action"])]

    assert found
    assert not [(role, action) for role, action in found if "*" in action]


def test_no_policy_allows_all_but_something(translated: Template) -> None:
    for role, statement in statements(translated):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), role


def test_aws_policies_are_the_few_that_every_function_needs(translated: Template) -> None:
    attached = {
        arn
        for resource in translated["Resources"].values()
        for arn in map(str, as_list(resource["Properties"].get("ManagedPolicyArns", [])))
    }

    found = {arn for arn in attached if ":iam::aws:policy/" in arn}

    assert {arn.partition("policy/")[2].rstrip("'}") for arn in found} <= ATTACHED


@pytest.mark.parametrize("action", MAY)
def test_what_must_not_spread_has_not_spread(translated: Template, action: str) -> None:
    allowed = {role for role, statement in statements(translated) if action in as_list(statement["Action"])}

    assert allowed <= MAY[action]


def test_every_policy_of_several_functions_is_attached_to_several(translated: Template) -> None:
    attached = [name for role in roles(translated) for name, _ in statements(translated, role)]

    for policy in managed(translated):
        assert len({role for role in roles(translated) if policy in str(translated["Resources"][role])}) > 1, policy
        assert policy in attached


def test_an_action_may_do_what_its_kind_takes_and_no_more(translated: Template, functions: dict[str, Template]) -> None:
    policies = {name: grants(translated, name) for name in managed(translated)}
    basis = policies["KeyUsePolicy"] | policies["ActPolicy"]

    for kind, role in _actions(functions):
        expected = basis | {Grant(*each) for each in OWN.get(kind, ())}
        expected |= policies["DeliverPolicy"] if kind in SENDS else set()
        expected |= policies["ChangeRecordPolicy"] if kind in CHANGES else set()
        expected |= policies["SendEmailPolicy"] if kind in MAILS else set()
        expected |= policies["SendSmsPolicy"] if kind in TEXTS else set()
        assert grants(translated, role) == expected, kind


def test_every_action_kind_sends_or_changes_records(functions: dict[str, Template]) -> None:
    assert {kind for kind, _ in _actions(functions)} == SENDS | CHANGES


def test_what_sends_can_be_held_to_the_rates_of_the_account(functions: dict[str, Template]) -> None:
    limited = {name for name, function in functions.items() if "ReservedConcurrentExecutions" in function}

    assert limited == {_camel(kind) + "Function" for kind in SENDS}


def test_consumers_of_queues_are_not_limited_which_would_only_wear_out_their_messages(
    functions: dict[str, Template],
) -> None:
    for name in ("ApplyChangeFunction", "WriteBackFunction"):
        assert "ReservedConcurrentExecutions" not in functions[name]


def test_sources_that_do_not_answer_take_up_a_part_of_the_accounts_concurrency_only(translated: Template) -> None:
    consumer = translated["Resources"]["WriteBackFunctionWriteBacks"]["Properties"]

    assert 2 <= consumer["ScalingConfig"]["MaximumConcurrency"] <= 100  # 2 is the least that AWS takes


def test_a_function_that_sends_to_its_own_queue_is_not_stopped_after_sixteen_messages(translated: Template) -> None:
    """Lambda takes a message that causes the next one for a loop, and stops it, unless the function says otherwise."""
    resources = translated["Resources"].items()
    consumed = {name: one["Properties"] for name, one in resources if one["Type"] == "AWS::Lambda::EventSourceMapping"}

    for source in consumed.values():
        function, queue = source["FunctionName"]["Ref"], named(source["EventSourceArn"])
        assert Grant("sqs:SendMessage", queue) in grants(translated, f"{function}Role")
        assert translated["Resources"][function]["Properties"]["RecursiveLoop"] == "Allow", function


def test_machines_invoke_the_functions_of_action_kinds_only(
    translated: Template, functions: dict[str, Template]
) -> None:
    actions = {f"function:stagebell-{kind.replace('_', '-')}" for kind, _ in _actions(functions)}

    for role, more in (("ScenarioMachineRole", set()), ("WorkflowMachineRole", {"function:stagebell-close-run"})):
        invoked = {grant.resource for grant in grants(translated, role) if grant.action == "lambda:InvokeFunction"}
        assert invoked == actions | more, role


def test_both_machines_go_on_in_the_scenario_machine_only(translated: Template) -> None:
    for role in ("ScenarioMachineRole", "WorkflowMachineRole"):
        started = {grant.resource for grant in grants(translated, role) if grant.action == "states:StartExecution"}
        assert started <= {"ScenarioMachine", "stateMachine:stagebell-scenario"}, role


def test_express_executions_are_never_stopped(translated: Template) -> None:
    stopped = {
        named(resource)
        for _, statement in statements(translated)
        if "states:StopExecution" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }

    assert stopped == {"execution:ScenarioMachine:*"}


def test_e_mails_leave_from_the_sender_address_only(translated: Template) -> None:
    (found,) = [one for _, one in statements(translated) if "ses:SendEmail" in as_list(one["Action"])]

    assert found["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "SenderAddress"}}}


def test_what_sends_sms_may_publish_to_no_topic(translated: Template) -> None:
    document = translated["Resources"]["SendSmsPolicy"]["Properties"]["PolicyDocument"]

    denied = [(one["Action"], one["Resource"]) for one in document["Statement"] if one["Effect"] == "Deny"]

    assert denied == [("sns:Publish", {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"})]


def test_without_functions_of_the_customers_none_may_be_invoked(translated: Template) -> None:
    (found,) = [
        p for p in translated["Resources"]["RunFunctionFunctionRole"]["Properties"]["Policies"] if "Fn::If" in p
    ]

    condition, _, otherwise = found["Fn::If"]
    assert condition == "HasCustomerFunctions"
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert translated["Parameters"]["CustomerFunctions"]["Default"] == ""


@pytest.mark.parametrize(
    ("value", "fits", "reason"),
    [
        ("", True, "none"),
        ("arn:aws:lambda:eu-central-1:123456789012:function:credit-check", True, "a function"),
        (
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:credit-check:live",
            True,
            "an alias, in another partition",
        ),
        ("arn:aws:lambda:eu-central-1:123456789012:function:credit-check:$LATEST", True, "its newest code"),
        ("*", False, "everything, the stack's own functions included"),
        ("arn:aws:lambda:eu-central-1:123456789012:function:*", False, "all of the account"),
        ("arn:aws:lambda:*:123456789012:function:credit-check", False, "in any region"),
        ("credit-check", False, "a name, which IAM does not take"),
    ],
)
def test_functions_of_the_customers_are_named_one_by_one(
    translated: Template, value: str, fits: bool, reason: str
) -> None:
    pattern = translated["Parameters"]["CustomerFunctions"]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, value)) is fits, reason


def _actions(functions: dict[str, Template]) -> list[tuple[str, str]]:
    """Kind and role of each action function."""
    folders = {name: function["CodeUri"].rstrip("/") for name, function in functions.items()}
    return [(f.rpartition("/")[2], f"{name}Role") for name, f in folders.items() if f.startswith("functions/actions/")]


def _camel(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))
