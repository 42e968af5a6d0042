"""The action create_sales_record: notes a visit, a call or a remark under the record, and names the next step."""

from typing import Any

from stagebell.contracts.tasks import ActionTask
from stagebell.runtime import actions, wiring
from stagebell.runtime.observability import observed


@observed
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    task = ActionTask.model_validate(event).to_domain()
    return wiring.actor().act(task, actions.create_sales_record())
