"""The action send_email: looks at the record once more, sends or says why not, and names the next step."""

from typing import Any

from stagebell.contracts.tasks import ActionTask
from stagebell.runtime import actions, wiring
from stagebell.runtime.observability import observed


@observed
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    task = ActionTask.model_validate(event).to_domain()
    return wiring.actor().act(task, actions.send_email())
