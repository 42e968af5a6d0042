"""An emulator that ends takes its executions with it: after a restart, the runs that waited go on in new ones.

AWS keeps executions; there, nothing of this is needed."""

from collections.abc import Iterator

from local.clock import clock_of
from local.place import STACK
from local.stack import Stack
from stagebell.adapters.dynamodb_definitions import DynamoDefinitions
from stagebell.adapters.dynamodb_runs import DynamoRuns
from stagebell.adapters.retention import Retention
from stagebell.adapters.stepfunctions import StepFunctionsScheduler
from stagebell.services.define import all_heads
from stagebell.services.finish import Finisher
from stagebell.services.shelves import RUNNING

KEPT_DAYS = 400


def wake_sleepers(stack: Stack) -> int:
    """How many runs were woken. What fell due meanwhile acts at once, as the definitions say of past due steps."""
    if not stack.place.clock.exists():
        return 0
    clock, database, names = clock_of(stack.place), stack.client("dynamodb"), stack.outputs
    retention = Retention(clock, KEPT_DAYS)
    runs = DynamoRuns(database, names["RunsTableName"], names["RecordsTableName"], retention)
    machine = names["ScenarioMachineArn"]
    scheduler = StepFunctionsScheduler(
        stack.client("stepfunctions"), clock, machine, names["WorkflowMachineArn"], STACK
    )
    finisher = Finisher(runs, scheduler, clock)
    woken = 0
    for run in _open(runs, DynamoDefinitions(database, names["DefinitionsTableName"])):
        if finisher.pause(run).status == "paused":
            finisher.resume(run)
            woken += 1
    return woken


def _open(runs: DynamoRuns, definitions: DynamoDefinitions) -> Iterator[str]:
    for head in (head for kind in RUNNING for head in all_heads(definitions, kind)):
        cursor = None
        while True:
            page = runs.open_of(head.name, cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                break
