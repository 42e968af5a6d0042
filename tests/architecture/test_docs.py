"""The documentation says what the code does: pages do not drift, nothing is missing, every example is right."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from stagebell.cli.main import COMMANDS
from stagebell.cli.reference import pages
from stagebell.cli.reference_actions import mistakes
from stagebell.cli.reference_behaviour import BEHAVIOURS
from stagebell.cli.reference_examples import EXAMPLES
from stagebell.cli.yaml_text import read_documents
from stagebell.contracts.definitions.actions import ACTION_MODELS
from stagebell.contracts.definitions.kinds import KINDS, read_definition
from stagebell.contracts.problem_documents import KINDS as PROBLEM_KINDS
from stagebell.domain import errors, planning, runs
from stagebell.domain.deliveries import RANK
from stagebell.domain.errors import StagebellError
from stagebell.domain.fields import FIELD_TYPES
from stagebell.domain.operators import OPERATORS
from stagebell.domain.recipients import RECIPIENT_KINDS
from tests.architecture.source import PACKAGE, ROOT

REFERENCE = ROOT / "docs" / "reference"
PROSE = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEREDOC = re.compile(r"<<'YAML'\n(.*?)^YAML$", re.MULTILINE | re.DOTALL)


def reference(page: str) -> str:
    return (REFERENCE / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(pages()))
def test_a_generated_page_is_what_the_code_says_today(page):
    assert reference(page) == pages()[page], "run `stagebell reference docs/reference`"


def told(page: str, words: Any) -> list[str]:
    text = reference(page)
    return [word for word in words if f"`{word}`" not in text]


def test_every_operator_and_field_type_is_explained():
    assert told("operators.md", OPERATORS) == []
    assert told("operators.md", FIELD_TYPES) == []


def test_every_error_code_is_explained():
    codes = {
        error.code for error in vars(errors).values() if isinstance(error, type) and issubclass(error, StagebellError)
    }

    assert told("errors.md", codes | set(PROBLEM_KINDS) | {"setting_wrong"}) == []


def test_every_action_kind_and_every_key_of_it_is_explained():
    for kind, model in ACTION_MODELS.items():
        assert told("actions.md", [kind]) == []
        assert told(f"actions/{kind}.md", [kind, *model.model_fields]) == []


@pytest.mark.parametrize("kind", ACTION_MODELS)
def test_every_action_kind_tells_what_a_retry_and_a_crash_do_and_has_a_right_and_a_wrong_example(kind):
    assert set(BEHAVIOURS) == set(EXAMPLES) == set(ACTION_MODELS)
    assert mistakes(EXAMPLES[kind].right) == ()
    assert mistakes(EXAMPLES[kind].wrong), "its error is shown"


def test_every_kind_of_definition_and_every_key_of_it_is_explained():
    keys = {field.alias or name for model in KINDS.values() for name, field in model.model_fields.items()}

    assert told("definitions.md", {*KINDS, *keys, *RECIPIENT_KINDS, "after", "from", "date", "offset", "time"}) == []


def test_every_environment_variable_is_explained():
    in_code = set(re.findall(r'"([A-Z]{2,}(?:_[A-Z]+)+)"', (PACKAGE / "runtime/settings.py").read_text()))
    in_code |= set(re.findall(r'"(STAGEBELL_[A-Z]+)"', (PACKAGE / "cli/client.py").read_text()))
    in_template = set(re.findall(r"^\s+([A-Z]{2,}(?:_[A-Z]+)+): ", (ROOT / "template.yaml").read_text(), re.MULTILINE))

    assert len(in_code) > 15 and "RECORDS_TABLE" in in_template
    assert told("settings.md", in_code | in_template) == []


def test_every_state_is_explained():
    states = {*get_args(runs.RunStatus.__value__), *get_args(runs.StepStatus.__value__), *RANK}

    assert told("states.md", states | set(get_args(planning.Outcome.__value__))) == []


def test_every_reason_of_a_run_or_step_is_explained():
    text = "".join(
        (PACKAGE / place).read_text() for place in ("domain/runs.py", "domain/planning.py", "domain/deciding.py")
    )
    reasons = set(re.findall(r'(?:reason=|(?:at|now), )"([a-z]+_[a-z]+)"', text))
    people = (PACKAGE / "services/people.py").read_text()
    reasons |= set(re.findall(r'Missing\(.*?"([a-z]+_[a-z_]+)"', people))

    assert {"stage_changed", "cancel_condition", "new_entry", "step_failed", "empty_group"} <= reasons
    assert told("states.md", reasons) == []


def test_every_command_is_told_of():

    everything = "".join(path.read_text(encoding="utf-8") for path in PROSE)

    assert [command for command in COMMANDS if f"stagebell {command}" not in everything] == []


def examples() -> Iterator[Any]:
    mistaken = {example.wrong.strip() for example in EXAMPLES.values()}
    for path in PROSE:
        text = path.read_text(encoding="utf-8")
        blocks = [body for language, body in FENCE.findall(text) if language in ("yaml", "yml")]
        for number, block in enumerate([*blocks, *HEREDOC.findall(text)], 1):
            if block.strip() in mistaken:
                continue  # its error is shown beside it
            yield pytest.param(block, id=f"{path.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize("block", list(examples()))
def test_every_yaml_example_is_right(block):
    for document in read_documents(block):
        assert not document.problems
        definitions = definitions_in(document.data)
        assert definitions, "nothing of it was checked"
        for definition in definitions:
            read = read_definition(definition)
            assert read.document is not None, read.problems


def definitions_in(document: Any) -> list[Any]:
    """A whole definition; or a part of one, set into a whole one."""
    if isinstance(document, dict) and "kind" in document:
        return [document]
    step = {"name": "s", "at": {"after": "1 hour"}, "type": "send_sms", "to": [{"role": "r"}], "text": "x"}
    whole = {
        "kind": "scenario",
        "name": "s",
        "object": "deal",
        "stage": {"field": "stage", "is": "Won"},
        "steps": [step],
    }
    if isinstance(document, list):
        workflow = {**whole, "kind": "workflow", "actions": document}
        return [{key: value for key, value in workflow.items() if key != "steps"}]
    return (
        [whole | document] if isinstance(document, dict) and set(document) <= {"only_if", "cancel_if", "steps"} else []
    )


@pytest.mark.parametrize("path", [p for p in PROSE if "](" in p.read_text(encoding="utf-8")], ids=lambda p: p.name)
def test_links_within_the_project_lead_somewhere(path: Path):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in inside if not (path.parent / link).exists()] == []


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    written = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in written}


def test_links_to_a_heading_lead_to_one():
    pages = {path: path.read_text(encoding="utf-8") for path in PROSE}
    links = [(path, *link) for path, text in pages.items() for link in re.findall(r"\]\(([^):#\s]*)#([^)\s]+)\)", text)]

    assert len(links) > 3
    assert [link for link in links if link[2] not in headings((link[0].parent / link[1]) if link[1] else link[0])] == []


def test_json_examples_are_json():
    for path in PROSE:
        for language, body in FENCE.findall(path.read_text(encoding="utf-8")):
            if language == "json":
                json.loads(body)


def test_every_alarm_is_told_with_what_to_do():
    alarms = set(re.findall(r"^  (\w+Alarm):$", (ROOT / "template.yaml").read_text(), re.MULTILINE))
    told = (ROOT / "docs" / "how-to" / "operate.md").read_text()

    assert alarms and {alarm for alarm in alarms if alarm not in told} == set()
