"""The template as it is written, and as SAM translates it."""

from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]


class _NoManagedPolicies:
    """SAM asks IAM for the managed policies it knows by name; the template names none."""

    def load(self) -> dict[str, str]:
        return {}


def written_template() -> Template:
    return dict(yaml_parse((ROOT / "template.yaml").read_text()))


def translated_template() -> Template:
    template = written_template()
    for resource in template["Resources"].values():
        _point_to_an_upload(resource["Properties"])
    return dict(transform(template, {}, _NoManagedPolicies()))


def _point_to_an_upload(properties: Template) -> None:
    """`sam deploy` uploads local paths and writes where to; the translation needs it written."""
    for name in ("CodeUri", "ContentUri", "DefinitionUri"):
        if name in properties:
            properties[name] = "s3://uploads/something"
