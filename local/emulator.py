"""ministack, and what it is taught where it differs from AWS in a way Stagebell would notice.

Run by the interpreter of `.venv-local`, which is also the one that runs the functions.
"""

import contextvars
import copy
import hashlib
import io
import json
import os
import re
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import eventbridge, lambda_svc, ses, ses_v2

LAYERS = Path(os.environ.get("STATE_DIR", ".local/state")).parent / "layers"
FEEDBACK_DELAY = 1.0  # seconds; SES speaks of an e-mail only after SendEmail has answered
DETAIL_TYPES = {"Delivery": "Email Delivered", "Bounce": "Email Bounced", "Complaint": "Email Complaint Received"}

_run_function = lambda_svc._execute_function_warm
_throttle = lambda_svc._throttle_response
_answer_ses = ses_v2.handle_request
_ses_state, _restore_ses = ses.get_state, ses.load_persisted_state
_spawn = lambda_runtime.Worker._spawn
_unpacking = threading.Lock()


def run_function_naming_errors(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """AWS answers with the class name of the error, which machines retry by; ministack with Runtime.HandlerError."""
    result: dict[str, Any] = _run_function(func, event, request_id)
    body = result.get("body")
    if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
        body["errorType"] = error_name(result.get("log", ""), body.get("errorMessage", "")) or body["errorType"]
    return result


def error_name(log: str, message: str) -> str | None:
    """The class name in the last line of the traceback that ends with this message."""
    pattern = rf"^([\w.]+): {re.escape(message)}$" if message else r"^([\w.]+)$"
    names = re.findall(pattern, log, re.MULTILINE)
    return names[-1].rpartition(".")[2] if names else None


def throttle_by_name(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """AWS names a throttled task Lambda.TooManyRequestsException; ministack Lambda.Unknown."""
    result: dict[str, Any] = _throttle(*args, **kwargs)
    result["body"]["errorType"] = "Lambda.TooManyRequestsException"
    return result


def spawn_with_shared_layers(worker: lambda_runtime.Worker) -> None:
    """ministack unpacks every layer again for every worker, a second of a cold start; here workers share one copy."""
    config = worker.config
    references = [layer if isinstance(layer, str) else layer["Arn"] for layer in config.get("Layers", [])]
    folders = [unpacked(archive) for archive in map(lambda_svc._resolve_layer_zip, references) if archive]
    variables = config.get("Environment", {}).get("Variables", {})
    shared = {"Variables": {**variables, "_LAMBDA_LAYERS_DIRS": os.pathsep.join(map(str, folders))}}
    worker.config = {**config, "Layers": [], "Environment": shared}
    try:
        _spawn(worker)
    finally:
        worker.config = config


def unpacked(archive: bytes) -> Path:
    folder = LAYERS / hashlib.sha256(archive).hexdigest()[:16]
    with _unpacking:
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            zipfile.ZipFile(io.BytesIO(archive)).extractall(unfinished)
            unfinished.rename(folder)
    return folder


def state_with_sent_emails() -> dict[str, Any]:
    """ministack keeps the SMS it sent, but forgets the e-mails when it ends."""
    return {**_ses_state(), "_sent_emails": copy.deepcopy(ses._sent_emails)}


def restore_with_sent_emails(state: dict[str, Any]) -> None:
    _restore_ses(state)
    ses._restore_regional_store(ses._sent_emails, state.get("_sent_emails", {}))


async def answer_ses_with_feedback(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
    """SES tells the event bus what became of an e-mail; ministack keeps it to itself."""
    answer = await _answer_ses(method, path, headers, body, query_params)
    if method == "POST" and path.rstrip("/").endswith("/outbound-emails") and answer[0] == 200:
        request, message_id = json.loads(body), json.loads(answer[2])["MessageId"]
        if "ConfigurationSetName" in request:
            run = contextvars.copy_context().run  # the account and region of the call
            threading.Timer(FEEDBACK_DELAY, run, (tell_event_bus, request, message_id)).start()
    return answer


def tell_event_bus(request: dict[str, Any], message_id: str) -> None:
    for recipient in recipients(request):
        local, _, domain = recipient.rpartition("@")
        outcomes = (("Delivery", None),)
        if domain.lower() == ses._SIMULATOR_DOMAIN:
            outcomes = ses._SIMULATOR_OUTCOMES.get(local.lower().partition("+")[0], outcomes)
        for kind, bounce in outcomes:
            eventbridge._put_events({"Entries": [entry(request, message_id, recipient, kind, bounce)]}, True)


def recipients(request: dict[str, Any]) -> list[str]:
    destination = request.get("Destination", {})
    return [address for kind in ("To", "Cc", "Bcc") for address in destination.get(f"{kind}Addresses", [])]


def entry(request: dict[str, Any], message_id: str, recipient: str, kind: str, bounce: str | None) -> dict[str, Any]:
    """One event as in «Amazon SES event publishing to EventBridge»."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    tags = {tag["Name"]: [tag["Value"]] for tag in request.get("EmailTags", [])}
    tags["ses:configuration-set"] = [request["ConfigurationSetName"]]
    mail = {
        "timestamp": at,
        "source": request.get("FromEmailAddress", ""),
        "messageId": message_id,
        "destination": recipients(request),
        "tags": tags,
    }
    outcome = delivered(recipient, at) if kind == "Delivery" else ses._notification_detail(kind, recipient, at, bounce)
    detail = {"eventType": kind, "mail": mail, **outcome}
    return {"Source": "aws.ses", "DetailType": DETAIL_TYPES[kind], "Detail": json.dumps(detail), "Resources": []}


def delivered(recipient: str, at: str) -> dict[str, Any]:
    return {
        "delivery": {
            "timestamp": at,
            "processingTimeMillis": int(FEEDBACK_DELAY * 1000),
            "recipients": [recipient],
            "smtpResponse": "250 OK",
        }
    }


if __name__ == "__main__":
    lambda_svc._execute_function_warm = run_function_naming_errors
    lambda_svc._throttle_response = throttle_by_name
    lambda_runtime.Worker._spawn = spawn_with_shared_layers
    ses_v2.handle_request = answer_ses_with_feedback
    ses.get_state, ses.load_persisted_state = state_with_sent_emails, restore_with_sent_emails
    main()
