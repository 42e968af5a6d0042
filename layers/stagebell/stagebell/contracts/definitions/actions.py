"""The kinds of action: the name of each, and the model of its parameters."""

from collections.abc import Mapping
from types import MappingProxyType

from stagebell.contracts.definitions.action import Action
from stagebell.contracts.definitions.calls import CallWebhook, RunFunction
from stagebell.contracts.definitions.follow_ups import CreateEvent, CreateSalesRecord, CreateTask
from stagebell.contracts.definitions.messages import Notify, SendEmail, SendSms
from stagebell.contracts.definitions.record_changes import (
    AssignOwner,
    LockRecord,
    SetStage,
    StartProcess,
    UnlockRecord,
    UpdateField,
)

ACTION_MODELS: Mapping[str, type[Action]] = MappingProxyType(
    {
        "notify": Notify,
        "send_email": SendEmail,
        "send_sms": SendSms,
        "update_field": UpdateField,
        "set_stage": SetStage,
        "assign_owner": AssignOwner,
        "lock_record": LockRecord,
        "unlock_record": UnlockRecord,
        "start_process": StartProcess,
        "create_task": CreateTask,
        "create_event": CreateEvent,
        "create_sales_record": CreateSalesRecord,
        "run_function": RunFunction,
        "call_webhook": CallWebhook,
    }
)
