"""The tables as template.yaml declares them."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_CREATED_WITH = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short functions as nothing: tables need none of them."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


@cache
def table_definitions() -> dict[str, dict[str, Any]]:
    """What `create_table` takes, by the resource's name."""
    template = yaml.load(TEMPLATE.read_text(), _Loader)
    tables = {name: r["Properties"] for name, r in template["Resources"].items() if r["Type"] == "AWS::DynamoDB::Table"}
    return {name: {key: given[key] for key in _CREATED_WITH if key in given} for name, given in tables.items()}


def create_tables(client: Any) -> None:
    """Each table under the name of its resource."""
    for name, definition in table_definitions().items():
        client.create_table(TableName=name, **definition)
