"""JSON Schemas of the definitions: one per kind, one for all, and one per kind of action, generated from the models."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.contracts.definitions.kinds import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMBINED = "stagebell.schema.json"


class _Generator(GenerateJsonSchema):
    """Leaves out titles, which only repeat the names, and nulls: a key without a value is left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> dict[str, Any]:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            described.pop("default")
        return described


def schemas() -> dict[str, dict[str, Any]]:
    """File name → schema."""
    single = {f"{kind}.schema.json": schema_of(model) for kind, model in KINDS.items()}
    actions = {f"actions/{kind}.schema.json": schema_of(model) for kind, model in ACTION_MODELS.items()}
    return {COMBINED: _combined(), **single, **actions}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of one model."""
    return {"$schema": DIALECT, **model.model_json_schema(by_alias=True, schema_generator=_Generator)}


def _combined() -> dict[str, Any]:
    models = [(model, "validation") for model in KINDS.values()]
    references, definitions = models_json_schema(models, by_alias=True, schema_generator=_Generator)  # type: ignore[arg-type]
    kinds = {model.__name__: kind for kind, model in KINDS.items()}
    branches = [
        {"if": {"properties": {"kind": {"const": kinds[model.__name__]}}}, "then": references[model, "validation"]}
        for model in KINDS.values()
    ]
    return {
        "$schema": DIALECT,
        "title": "A Stagebell definition",
        "type": "object",
        "properties": {"kind": {"enum": [*KINDS], "description": "Which kind of definition this is"}},
        "required": ["kind"],
        "allOf": branches,
        "$defs": definitions["$defs"],
    }
