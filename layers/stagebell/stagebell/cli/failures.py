"""Why a command could not do its work."""

from collections.abc import Sequence

from stagebell.domain.errors import StagebellError


class ProblemsFound(StagebellError):
    """Files have problems; `lines` is the whole report."""

    code = "invalid_definitions"

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(lines[-1])
        self.lines = tuple(lines)


class NoDefinitions(StagebellError):
    """There is nothing to read."""

    code = "no_definitions"


class NotConfigured(StagebellError):
    """A command lacks something it needs to know."""

    code = "not_configured"


class ApiRefused(StagebellError):
    """The API answered with an error, or not at all: then, `status` is 0."""

    code = "api_refused"

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
