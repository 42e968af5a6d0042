"""Every contract test runs on each adapter: memory, and DynamoDB as moto plays it, with fresh tables."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from tests.contract.tables import create_tables
from tests.contract.worlds import World, dynamodb_world, memory_world


@pytest.fixture(scope="session")
def dynamodb_client() -> Any:
    with mock_aws():
        return botocore.session.get_session().create_client("dynamodb", region_name="eu-central-1")


@pytest.fixture
def tables(dynamodb_client: Any) -> Iterator[Any]:
    """A client on empty tables."""
    with mock_aws():
        create_tables(dynamodb_client)
        yield dynamodb_client


@pytest.fixture(params=["memory", "dynamodb"])
def world(request: pytest.FixtureRequest) -> World:
    return memory_world() if request.param == "memory" else dynamodb_world(request.getfixturevalue("tables"))
