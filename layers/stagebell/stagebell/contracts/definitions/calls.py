"""Calls as written: the company's own functions, and webhooks."""

from typing import Annotated, Literal

from pydantic import Field

from stagebell.contracts.definitions.action import Action
from stagebell.contracts.definitions.json_values import JsonBody, Parameter, ParameterName
from stagebell.contracts.definitions.web_addresses import WebAddress
from stagebell.contracts.model import Name

PARAMETER_LIMIT = 50


class RunFunction(Action):
    """Calls a Lambda function of the company; its answer may set fields of the record."""

    type: Literal["run_function"]
    function: Annotated[Name, Field(description="The name of a function definition")]
    parameters: Annotated[
        dict[ParameterName, Parameter] | None,
        Field(min_length=1, max_length=PARAMETER_LIMIT, description="Literals, {field: …} or {template: …}, by name"),
    ] = None


class CallWebhook(Action):
    """Posts to an address, signed as Standard Webhooks describe."""

    type: Literal["call_webhook"]
    url: Annotated[WebAddress, Field(description="An https address, as it is: without fields")]
    secret: Annotated[Name, Field(description="The name of the webhook secret that signs it")]
    body: Annotated[
        JsonBody | None, Field(description="JSON whose texts are templates; where absent, the record and its fields")
    ] = None
