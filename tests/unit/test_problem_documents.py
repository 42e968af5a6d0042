"""Problem documents: every error has a code, a status and a title, and 5xx tell nothing of our insides."""

import inspect
import json

import pytest

from stagebell.api.endpoints import MethodNotAllowed
from stagebell.api.request import Unauthenticated
from stagebell.contracts import problem_documents
from stagebell.domain import errors
from stagebell.domain.errors import InvalidInput, NotFound, Problem, QueueUnavailable, StagebellError
from stagebell.services.requests import IdempotencyKeyReused, RequestInProgress

OVER_HTTP = (MethodNotAllowed, Unauthenticated, IdempotencyKeyReused, RequestInProgress)


def all_errors() -> list[type[StagebellError]]:
    found = (member for _, member in inspect.getmembers(errors, inspect.isclass))
    return [member for member in found if issubclass(member, StagebellError)]


def test_every_error_has_a_status_and_a_title_and_no_status_is_without_an_error() -> None:
    codes = {error.code for error in (*all_errors(), *OVER_HTTP)}

    assert set(problem_documents.KINDS) == codes


@pytest.mark.parametrize("code", problem_documents.KINDS)
def test_statuses_are_those_of_errors(code: str) -> None:
    assert 400 <= problem_documents.KINDS[code].status < 600


def test_an_error_is_told_with_its_code_and_message() -> None:
    told = problem_documents.problem_response(NotFound("there is no run r1"))

    assert told["statusCode"] == 404
    assert told["headers"]["content-type"] == "application/problem+json"
    assert json.loads(told["body"]) == {
        "type": "urn:stagebell:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "there is no run r1",
        "code": "not_found",
    }


def test_every_problem_of_an_input_is_told() -> None:
    problems = [Problem("[0].id", "text", "no"), Problem("[1].type", "choice", "no")]

    told = problem_documents.document_of(InvalidInput(problems))

    assert [problem["path"] for problem in told["problems"]] == ["[0].id", "[1].type"]


@pytest.mark.parametrize("error", [RuntimeError("secret"), StagebellError("secret"), KeyError("secret")])
def test_an_error_without_a_status_of_its_own_tells_nothing(error: Exception) -> None:
    told = problem_documents.document_of(error)

    assert told["status"] == 500
    assert "secret" not in json.dumps(told)


def test_an_error_that_passes_by_itself_says_when_to_come_back() -> None:
    assert problem_documents.problem_response(QueueUnavailable("later"))["headers"]["retry-after"] == "5"
    assert "retry-after" not in problem_documents.problem_response(NotFound("no"))["headers"]
