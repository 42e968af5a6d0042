"""Checking steps: for each kind of action, what can be known of it before it ever acts."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from stagebell.domain.errors import Problem
from stagebell.services.checks.calls import call_webhook_problems, run_function_problems
from stagebell.services.checks.follow_ups import (
    create_event_problems,
    create_sales_record_problems,
    create_task_problems,
)
from stagebell.services.checks.messages import notify_problems, send_email_problems, send_sms_problems
from stagebell.services.checks.record_changes import (
    assign_owner_problems,
    lock_problems,
    set_stage_problems,
    start_process_problems,
    update_field_problems,
)
from stagebell.services.checks.scope import Scope
from stagebell.services.checks.world import Document

type Check = Callable[[Document, Scope], Iterator[Problem]]

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "notify": notify_problems,
        "send_email": send_email_problems,
        "send_sms": send_sms_problems,
        "update_field": update_field_problems,
        "set_stage": set_stage_problems,
        "assign_owner": assign_owner_problems,
        "lock_record": lock_problems,
        "unlock_record": lock_problems,
        "start_process": start_process_problems,
        "create_task": create_task_problems,
        "create_event": create_event_problems,
        "create_sales_record": create_sales_record_problems,
        "run_function": run_function_problems,
        "call_webhook": call_webhook_problems,
    }
)


_ON_THE_RECORD = ("update_field", "set_stage", "assign_owner", "lock_record", "unlock_record", "start_process")


def step_problems(step: Document, scope: Scope) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of one step's own parameters."""
    kind, trigger = step["type"], scope.process.get("trigger") or {}
    if trigger.get("on") == "deleted" and kind in _ON_THE_RECORD and not step.get("related"):
        yield Problem(f"{scope.at}type", "needs_record", f"{kind} finds no record any more once it is deleted")
    yield from CHECKS[kind](step, scope)
