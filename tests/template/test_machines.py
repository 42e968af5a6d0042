import re
from collections.abc import Iterator
from typing import Any

import pytest

from stagebell.domain import errors
from stagebell.domain.executions import LONGEST_EXPRESS

State = dict[str, Any]
MACHINES = ("scenario", "workflow")
# Raised by AWS, not by Stagebell.
SERVICE_ERRORS = ("States.", "Lambda.", "Sandbox.", "Runtime.", "StepFunctions.")
# A function that was killed, ran out of memory or time, or whose answer never came: nobody knows how far it got.
DEATHS = {"Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "Lambda.ClientExecutionTimeoutException"}
NEVER_AGAIN = {"ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"], "MaxAttempts": 0}
EXPRESS_SECONDS = 300  # an Express execution is ended then, whatever it does


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest, machines: dict[str, State]) -> State:
    return machines[request.param]


def test_there_are_no_other_machines(machines: dict[str, State]) -> None:
    assert machines.keys() == set(MACHINES)


def test_every_state_can_be_reached(machine: State) -> None:
    reached: set[str] = set()
    waiting = [machine["StartAt"]]

    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _followers(machine["States"][name])

    assert reached == machine["States"].keys()


def test_every_path_can_end(machine: State) -> None:
    ends = {name for name, state in machine["States"].items() if state["Type"] in ("Succeed", "Fail")}

    grown = True
    while grown:
        before = len(ends)
        ends |= {name for name, state in machine["States"].items() if ends & set(_followers(state))}
        grown = len(ends) > before

    assert ends == machine["States"].keys()


def test_every_error_a_machine_names_exists(machine: State) -> None:
    named = {error for state in machine["States"].values() for error in _errors(state)}

    own = {error for error in named if not error.startswith(SERVICE_ERRORS)}

    assert own == {error.__name__ for error in errors.RETRIED_BY_MACHINES}
    assert all(getattr(errors, name) in errors.RETRIED_BY_MACHINES for name in own)


def test_retries_spread_out_and_end(machine: State) -> None:
    retries = [retry for state in machine["States"].values() for retry in state.get("Retry", [])]

    assert retries
    for retry in (retry for retry in retries if retry != NEVER_AGAIN):
        assert retry["JitterStrategy"] == "FULL"
        assert retry["BackoffRate"] > 1
        assert 0 < retry["MaxAttempts"] <= 10
        assert retry["MaxDelaySeconds"] >= retry["IntervalSeconds"]


def test_both_machines_hand_their_whole_state_to_the_function_of_the_action(machine: State) -> None:
    for name in ("Act", "GiveUp"):
        assert machine["States"][name]["Parameters"] == {"FunctionName.$": "$.function", "Payload.$": "$"}
        assert machine["States"][name]["OutputPath"] == "$.Payload"


def test_a_step_that_fails_for_good_is_handed_back_with_its_failure(machine: State) -> None:
    last = machine["States"]["Act"]["Catch"][-1]

    assert last == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "GiveUp"}


def test_an_execution_that_could_not_be_started_is_tried_again_whatever_the_service_calls_that(machine: State) -> None:
    """It names what its own client raises, and a start that was throttled otherwise than its documents do."""
    starting = [state for state in machine["States"].values() if state.get("Resource", "").endswith(":startExecution")]

    assert starting
    for state in starting:
        first, second = state["Retry"]
        assert (first, second["ErrorEquals"]) == (NEVER_AGAIN, ["States.TaskFailed"])
        assert state["Catch"][0]["ErrorEquals"] == NEVER_AGAIN["ErrorEquals"]


def test_a_machine_is_written_in_jsonpath(machine: State) -> None:
    assert machine.get("QueryLanguage", "JSONPath") == "JSONPath"


def test_a_step_of_a_scenario_takes_three_transitions(machines: dict[str, State]) -> None:
    states = machines["scenario"]["States"]

    assert states["Wait"]["Next"] == "Act"
    assert states["Act"]["Next"] == "Next"
    assert _choices(states) == {"wait": "Wait", "continue": "Continue"}


def test_a_step_of_a_workflow_takes_two_transitions_and_nothing_waits(machines: dict[str, State]) -> None:
    states = machines["workflow"]["States"]

    assert states["Act"]["Next"] == "Next"
    assert _choices(states) == {"wait": "Act", "continue": "Continue"}
    assert not [name for name, state in states.items() if state["Type"] == "Wait"]


@pytest.mark.parametrize("error", errors.RETRIED_BY_MACHINES, ids=lambda error: error.__name__)
def test_a_scenario_tries_again_for_up_to_an_hour_as_the_reference_says(
    machines: dict[str, State], error: type[Exception]
) -> None:
    retries = machines["scenario"]["States"]["Act"]["Retry"]

    (rule,) = [rule for rule in retries if error.__name__ in rule["ErrorEquals"]]

    assert 45 * 60 < _longest_delays(rule) <= 60 * 60


def test_a_process_that_died_is_called_again_before_its_step_is_given_up(machines: dict[str, State]) -> None:
    retries = machines["scenario"]["States"]["Act"]["Retry"]

    (again,) = [rule for rule in retries if DEATHS & set(rule["ErrorEquals"])]

    assert set(again["ErrorEquals"]) == DEATHS
    assert 1 <= again["MaxAttempts"] <= 3  # what runs out of memory once mostly does so always


def test_a_workflow_hands_over_what_it_retried_in_vain_without_calling_it_given_up(machines: dict[str, State]) -> None:
    act = machines["workflow"]["States"]["Act"]

    retried = {error for rule in act["Retry"] for error in rule["ErrorEquals"]}

    assert {error.__name__ for error in errors.RETRIED_BY_MACHINES} < retried
    assert set(act["Catch"][0]["ErrorEquals"]) == retried | DEATHS  # after a death there may be no time for another try
    assert act["Catch"][0]["Next"] == "HandOver"
    assert act["Catch"][0]["ResultPath"] is None  # `failure` would say that it was given up


def test_a_workflow_takes_the_same_errors_for_passing_ones_as_a_scenario(machines: dict[str, State]) -> None:
    retried = {e for rule in machines["scenario"]["States"]["Act"]["Retry"] for e in rule["ErrorEquals"]}

    assert set(machines["workflow"]["States"]["Act"]["Catch"][0]["ErrorEquals"]) == retried


def test_nothing_of_a_workflow_dies_silently(machines: dict[str, State]) -> None:
    states = machines["workflow"]["States"]

    ways = {name: states[name]["Catch"][-1] for name in ("GiveUp", "HandOver", "Continue")}

    assert all(way["ErrorEquals"] == ["States.ALL"] for way in ways.values())
    assert [way["Next"] for way in ways.values()] == ["HandOver", "CloseRun", "CloseRun"]
    assert states["CloseRun"]["Next"] == "Failed"


def test_a_workflow_that_goes_on_for_as_long_as_it_may_ends_before_it_is_ended(machines: dict[str, State]) -> None:
    """After so long no further attempt begins here; the last one may take all its time and be given up."""
    states = machines["workflow"]["States"]

    begun, delays = LONGEST_EXPRESS.total_seconds(), sum(map(_longest_delays, states["Act"]["Retry"]))

    assert delays < 40
    assert "Retry" not in states["GiveUp"]  # that is the other machine's
    assert begun + states["Act"]["TimeoutSeconds"] + delays + states["GiveUp"]["TimeoutSeconds"] <= EXPRESS_SECONDS


def test_the_template_fills_in_what_the_machines_leave_open(translated: State, machines: dict[str, State]) -> None:
    for name, machine in machines.items():
        deployed = translated["Resources"][f"{name.capitalize()}Machine"]["Properties"]

        left_open = set(re.findall(r"\$\{(\w+)\}", str(machine)))

        assert left_open == deployed.get("DefinitionSubstitutions", {}).keys()


def _choices(states: State) -> dict[str, str]:
    return {choice["StringEquals"]: choice["Next"] for choice in states["Next"]["Choices"]}


def _longest_delays(retry: State) -> float:
    delays = (retry["IntervalSeconds"] * retry["BackoffRate"] ** number for number in range(retry["MaxAttempts"]))
    return float(sum(min(delay, retry["MaxDelaySeconds"]) for delay in delays))


def _followers(state: State) -> list[str]:
    found = [state.get("Next"), state.get("Default")]
    found += [branch["Next"] for branch in state.get("Choices", []) + state.get("Catch", [])]
    return [name for name in found if name]


def _errors(state: State) -> Iterator[str]:
    for rule in state.get("Retry", []) + state.get("Catch", []):
        yield from rule["ErrorEquals"]
