from collections.abc import Iterator
from typing import Any

from stagebell.domain import errors

State = dict[str, Any]
# Raised by AWS, not by Stagebell.
SERVICE_ERRORS = ("States.", "Lambda.", "StepFunctions.")


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


def test_every_error_the_machine_names_exists(machine: State) -> None:
    named = {error for state in machine["States"].values() for error in _errors(state)}

    own = {error for error in named if not error.startswith(SERVICE_ERRORS)}

    assert own == {error.__name__ for error in errors.RETRIED_BY_MACHINES}
    assert all(getattr(errors, name) in errors.RETRIED_BY_MACHINES for name in own)


def test_retries_spread_out_and_end(machine: State) -> None:
    retries = [retry for state in machine["States"].values() for retry in state.get("Retry", [])]

    assert retries
    for retry in retries:
        assert retry["JitterStrategy"] == "FULL"
        assert retry["BackoffRate"] > 1
        assert 0 < retry["MaxAttempts"] <= 10
        assert retry["MaxDelaySeconds"] >= retry["IntervalSeconds"]


def test_a_step_that_fails_for_good_is_handed_back_with_its_failure(machine: State) -> None:
    caught = machine["States"]["Act"]["Catch"]

    assert caught == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "GiveUp"}]
    assert machine["States"]["GiveUp"]["Parameters"] == machine["States"]["Act"]["Parameters"]


def test_a_step_takes_three_transitions(machine: State) -> None:
    states = machine["States"]

    assert states["Wait"]["Next"] == "Act"
    assert states["Act"]["Next"] == "Next"
    assert {choice["StringEquals"]: choice["Next"] for choice in states["Next"]["Choices"]} == {
        "wait": "Wait",
        "continue": "Continue",
    }


def test_the_machine_is_written_in_jsonpath(machine: State) -> None:
    assert machine.get("QueryLanguage", "JSONPath") == "JSONPath"


def _followers(state: State) -> list[str]:
    found = [state.get("Next"), state.get("Default")]
    found += [branch["Next"] for branch in state.get("Choices", []) + state.get("Catch", [])]
    return [name for name in found if name]


def _errors(state: State) -> Iterator[str]:
    for rule in state.get("Retry", []) + state.get("Catch", []):
        yield from rule["ErrorEquals"]
