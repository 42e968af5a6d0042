"""What functions ask AWS for is what the template lets them: nothing is refused, no policy is wider than it must be.

One busy stack in which everything happens; what was asked is noted on the way."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.api.app import lambda_handler as api
from functions.authorizer.app import lambda_handler as authorize
from functions.receive_feedback.app import lambda_handler as receive_feedback
from stagebell.domain.errors import DeliveryThrottled
from stagebell.ports.calls import Posted
from stagebell.runtime import actions, wiring
from tests.machines.deals import CRM, DEALS, EVERYTHING, FUNCTION, OTHER, PARTNER, SCORE, begin, post, score, workflow
from tests.machines.recorder import Use, acting
from tests.machines.world import ACTIONS, ROOT, STACK, Context, World, world
from tests.stage import ACCOUNT, LADDER, QUOTATION, START, UNASSIGNED
from tests.template.policies import attached, granted, grants, statements
from tests.template.translation import translated_template


def call(method: str, path: str, body: Any = None, **query: str) -> Any:
    event = json.loads((ROOT / "events" / "api" / "get_run.json").read_text())
    text = "&".join(f"{name}={value}" for name, value in query.items())
    event |= {"rawPath": path, "rawQueryString": text, "queryStringParameters": query or None}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["requestContext"]["authorizer"]["lambda"] = {"key": "k1", "role": "admin"}
    event["headers"]["idempotency-key"] = uuid4().hex
    with acting(f"{STACK}-api"):
        answer = api(event | ({"body": json.dumps(body)} if body is not None else {}), Context())
    assert answer["statusCode"] < 300, (method, path, answer["body"])
    return json.loads(answer["body"]) if answer["body"] else None


def act(deployed: World) -> None:
    """Every action kind; the partner's address is gone at last."""
    begin(deployed)
    post(deployed, "deal", "deal-7", 1, go=1)
    post(deployed, "deal", "deal-7", 2, stage=QUOTATION)
    post(deployed, "user", "ben", 2, roles=[])
    deployed.webhooks.answer = lambda _: Posted(410)
    post(deployed, "deal", "deal-7", 3, go=2)
    deployed.machines.advance(START + timedelta(days=2))


def fail(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that stays busy until its step is given up, then a function that cannot even be told so."""

    def busy(*_anything: Any) -> str:
        raise DeliveryThrottled("slow down")

    with monkeypatch.context() as patched:
        patched.setattr(type(actions.send_email().mailer), "send", busy)
        post(deployed, "deal", "deal-8", 3 * 24 * 60, go=1)
    with monkeypatch.context() as patched:
        patched.setitem(ACTIONS, f"{STACK}-send-email", lambda *_: 1 / 0)
        post(deployed, "deal", "deal-9", 3 * 24 * 60 + 1, stage=UNASSIGNED)
        deployed.machines.advance(START + timedelta(days=4))
        for died in deployed.executions("FAILED"):
            deployed.run_ended(died)


def hear(deployed: World) -> None:
    """An e-mail bounced, and somebody complained of it."""
    sent = next(d for d in wiring.deliveries().in_state("sent").items if d.recipient == "mia@example.com")
    for name in ("bounce_permanent", "complaint"):
        event = json.loads((ROOT / "events" / "ses" / f"{name}.json").read_text())
        text = json.dumps(event["detail"]).replace(event["detail"]["mail"]["destination"][0], sent.recipient)
        event["detail"] = json.loads(text)
        event["detail"]["mail"] |= {"messageId": sent.message_id, "tags": {}}
        with acting(f"{STACK}-receive-feedback"):
            receive_feedback(event, Context())


def operate(deployed: World) -> None:
    """Everything the API does."""
    path = "/v1/records/deal/deal-7"
    call("GET", "/v1/definitions", kind="workflow")
    call("POST", "/v1/definitions/validate", {"definitions": [OTHER]})
    call("POST", "/v1/definitions/diff", {"definitions": [OTHER]})
    call("PUT", "/v1/definitions/workflow/other", OTHER)
    call("POST", "/v1/definitions/workflow/other/activate", {})
    call("GET", "/v1/definitions/workflow/other/versions")
    call("GET", path)
    call("PATCH", path, {"fields": {"name": "By hand"}})
    call("POST", f"{path}/lock", {"why": "x"})
    call("POST", f"{path}/unlock", {"why": "x"})
    for listing in ("changes", "runs", "deliveries", "follow-ups"):
        call("GET", f"{path}/{listing}")
    change = call("GET", f"{path}/changes")["items"][-1]
    call("GET", f"{path}/changes/{change['id']}/explanation")
    tasks = call("GET", "/v1/users/mia/tasks")["items"]
    call("POST", f"/v1/tasks/{tasks[0]['id']}/complete", {})
    run = call("GET", "/v1/runs", definition="w")["items"][0]
    call("GET", f"/v1/runs/{run['id']}/deliveries")
    call("POST", "/v1/workflows/other/runs", {"object": "deal", "id": "deal-7"})
    delivery = call("GET", "/v1/deliveries", state="sent")["items"][0]
    call("GET", f"/v1/deliveries/{delivery['key']}")
    for address in (PARTNER, CRM["write_back"]):
        call("GET", "/v1/suppressions", channel="webhook", address=address)
        call("DELETE", "/v1/suppressions", channel="webhook", address=address)
    deployed.webhooks.answer = lambda _: Posted(200)
    given_up = call("GET", "/v1/write-backs", state="failed")["items"]
    call("POST", f"/v1/write-backs/{given_up[0]['key']}/replay", {})
    notice = call("GET", "/v1/users/mia/inbox")["items"][0]
    call("GET", "/v1/users/mia/inbox/unread")
    call("POST", f"/v1/users/mia/inbox/{notice['id']}/read", {})
    call("POST", "/v1/users/mia/inbox/read", {})
    key = call("POST", "/v1/keys", {"label": "x", "role": "viewer"})
    call("GET", "/v1/keys")
    with acting(f"{STACK}-authorizer"):
        authorize({"headers": {"authorization": f"Bearer {key['key']}"}}, Context())
    call("DELETE", f"/v1/keys/{key['id']}")
    call("PUT", "/v1/definitions/source/fresh", {"kind": "source", "name": "fresh", "format": "stagebell"})
    for name in ("sources/crm", "sources/fresh", "webhooks/fresh", "webhooks/fresh"):
        call("POST", f"/v1/{name}/secrets", {})
    post(deployed, "deal", "deal-6", 6 * 24 * 60, stage=UNASSIGNED)
    (waiting,) = deployed.runs("deal", "deal-6")
    call("POST", f"/v1/runs/{waiting.id}/cancel", {"reason": "x"})
    post(deployed, "deal", "deal-5", 6 * 24 * 60 + 1, stage=UNASSIGNED)
    call("POST", "/v1/definitions/scenario/unassigned/deactivate", {"live_runs": "pause"})
    deployed.drain()
    call("POST", "/v1/definitions/scenario/unassigned/activate", {})
    deployed.drain()
    close(deployed, run["id"])


def close(deployed: World, done: str) -> None:
    """Executions died: the one that has done everything, and one whose run goes on in another."""
    (resumed,) = deployed.runs("deal", "deal-5")
    assert resumed.execution == 2
    for run in (done, resumed.id):
        deployed.run_ended({"name": f"{run}-1", "status": "FAILED"})
    deployed.drain()


@pytest.fixture(scope="module")
def uses() -> Iterator[set[Use]]:
    patch = pytest.MonkeyPatch()
    with world(ACCOUNT, DEALS, FUNCTION, OTHER, LADDER, workflow(*EVERYTHING), start=START) as deployed:
        deployed.activate(CRM)
        deployed.functions.handlers[SCORE] = score
        act(deployed)
        fail(deployed, patch)
        hear(deployed)
        operate(deployed)
        yield deployed.recorder.uses
    patch.undo()


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return translated_template()


def role_of(function: str) -> str:
    return "".join(map(str.capitalize, function.removeprefix(f"{STACK}-").split("-"))) + "FunctionRole"


def test_everything_a_function_asks_for_it_may_do(uses: set[Use], template: dict[str, Any]) -> None:
    allowed = {function: grants(template, role_of(function)) for function in {use.function for use in uses}}

    refused = {u for u in uses if not any(g.covers(u.action, u.resource) for g in allowed[u.function])}

    assert sorted(refused) == []


def test_every_function_has_been_at_work(uses: set[Use], template: dict[str, Any]) -> None:
    roles = {
        name for name, one in template["Resources"].items() if one["Type"] == "AWS::IAM::Role" and "Machine" not in name
    }

    assert {role_of(use.function) for use in uses} == roles


KEY_USES = ("Decrypt", "DescribeKey", "GenerateDataKey")
POLLS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
# What is allowed though nobody asks for it here: role or policy, action, resource → why.
ELSEWHERE = {
    **{("KeyUsePolicy", f"kms:{verb}", "KmsKeyArn"): "DynamoDB and SQS ask" for verb in KEY_USES},
    **{("ApplyChangeFunctionRole", f"sqs:{verb}", "ChangesQueue"): "Lambda polls" for verb in POLLS},
    **{("WriteBackFunctionRole", f"sqs:{verb}", "WriteBacksQueue"): "Lambda polls" for verb in POLLS},
    ("ApplyChangeFunctionRole", "sqs:SendMessage", "ChangesQueue"): "a command on more runs than a page holds",
    ("WriteBackFunctionRole", "sqs:SendMessage", "WriteBacksQueue"): "more to tell than one message carries",
    (
        "WriteBackFunctionRole",
        "secretsmanager:GetSecretValue",
        "secret:stagebell/sources/*",
    ): "read before, in this process",
    ("CloseRunFunctionRole", "sqs:SendMessage", "EventDeadLetterQueue"): "Lambda sends what failed",
    ("ReceiveFeedbackFunctionRole", "sqs:SendMessage", "EventDeadLetterQueue"): "Lambda sends what failed",
    ("CloseRunFunctionRole", "dynamodb:PutItem", "DeliveriesTable"): "a message that was on its way",
    ("RunFunctionFunctionRole", "lambda:InvokeFunction", "CustomerFunctions"): "a fake stands for Lambda",
    ("SendEmailPolicy", "ses:SendEmail", "configuration-set/${ConfigurationSet}"): "this world has none",
    ("SendEmailPolicy", "ses:SendRawEmail", "configuration-set/${ConfigurationSet}"): "this world has none",
    ("SendEmailPolicy", "ses:SendRawEmail", "identity/*"): "a letter with a file may be checked as a raw one",
    ("ApiFunctionRole", "dynamodb:DeleteItem", "AccessTable"): "a repeated request that failed the first time",
}


def test_what_is_allowed_is_asked_for(uses: set[Use], template: dict[str, Any]) -> None:
    """What several functions may do, by one of them at least."""
    spare = set()
    for role in {role_of(use.function) for use in uses}:
        for name, statement in statements(template, role):
            done = [use for use in uses if name in (role_of(use.function), *attached(template, role_of(use.function)))]
            asked = {grant for grant in granted(statement) for use in done if grant.covers(use.action, use.resource)}
            spare |= {(name, grant.action, grant.resource) for grant in granted(statement) - asked}

    assert sorted(spare) == sorted(ELSEWHERE)
