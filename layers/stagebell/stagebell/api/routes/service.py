"""Whether the API answers, and what it offers."""

from typing import Any

from stagebell.api.endpoints import Routes
from stagebell.contracts.api.pages import Health
from stagebell.runtime.version import VERSION

routes = Routes("service")


@routes.get("/v1/health", role=None)
def health() -> Health:
    """Say that the API answers.

    Reads nothing, so that it costs nothing."""
    return Health(version=VERSION)


@routes.get("/v1/openapi.json", role=None, listed=False)
def openapi() -> dict[str, Any]:
    """This document."""
    from stagebell.api.openapi import document

    return document()
