"""The shape of the code: small modules and handlers, named after what they are about, errors with a name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagebell.domain import errors as errors_module
from stagebell.domain.errors import StagebellError
from tests.architecture.source import ROOT, Source, functions, layer

LINES = 300
FORMATTED_TABLES = {"stagebell.domain.operators": 330, "stagebell.runtime.wiring": 400}
"""Modules that are mostly a table or a list of makers may be a little longer."""
HANDLER_LINES = 40
FUNCTION_LINES = 40
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc|stuff)(_|$)")
OUTERMOST = {
    "stagebell.runtime.fifo": "a message of a batch that fails must not take the others with it",
    "stagebell.api.application": "a crash is answered with a problem document",
}
SOURCES = [*layer(), *functions()]


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_module_is_about_one_thing(source: Source):
    assert len(source.text.splitlines()) <= FORMATTED_TABLES.get(source.module, LINES)
    name = source.module.replace(".", "_").replace("secrets_manager", "")  # AWS has one service of this name
    assert not FORBIDDEN_NAMES.search(name), "name it after what it is about"


@pytest.mark.parametrize("source", [s for s in SOURCES if s.text.strip()], ids=str)
def test_every_module_says_what_it_is_about(source: Source):
    assert ast.get_docstring(source.tree)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_functions_are_short(source: Source):
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, f"{source}.{node.name}"


@pytest.mark.parametrize("source", functions(), ids=str)
def test_a_handler_is_parse_call_and_return(source: Source):
    handlers = [
        node for node in source.tree.body if isinstance(node, ast.FunctionDef) and node.name == "lambda_handler"
    ]

    assert len(handlers) == 1
    assert len(source.text.splitlines()) <= HANDLER_LINES
    assert [ast.unparse(decorator) for decorator in handlers[0].decorator_list] == ["observed"]
    assert [argument.arg for argument in handlers[0].args.args] == ["event", "context"]


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_only_the_outermost_edge_catches_everything(source: Source):
    broad = [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]

    assert not broad or source.module in OUTERMOST, f"{source}: lines {broad}"


@pytest.mark.parametrize("source", [s for s in SOURCES if s.place != "cli"], ids=str)
def test_only_the_command_line_prints_and_nothing_sleeps(source: Source):
    imported = [node for node in source.tree.body if not ast.unparse(node).startswith("if __name__ ==")]
    called = {ast.unparse(n.func) for top in imported for n in ast.walk(top) if isinstance(n, ast.Call)}

    assert not called & {"print", "input", "time.sleep", "sleep", "breakpoint"}


@pytest.mark.parametrize("source", [s for s in SOURCES if s.place == "domain"], ids=str)
def test_the_domain_asks_nobody_for_the_time_or_for_chance(source: Source):
    called = {ast.unparse(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)}

    assert not called & {"datetime.now", "datetime.utcnow", "date.today", "time.time", "uuid4", "uuid.uuid4", "random"}
    assert not {i.top for i in source.imports()} & {"random", "secrets", "uuid", "os", "time", "socket", "logging"}


def errors() -> list[type[StagebellError]]:
    for source in layer():
        if source.place in ("domain", "services", "runtime", "api", "adapters") and "StagebellError" in source.text:
            __import__(source.module)
    found, waiting = [], [StagebellError]
    while waiting:
        waiting += waiting.pop(0).__subclasses__()
        found = list(dict.fromkeys([*found, *waiting]))
    ours = [error for error in found if error.__module__.startswith("stagebell")]
    return [error for error in ours if not error.__name__.startswith("_")]  # those never leave their module


def test_every_error_has_a_code_of_its_own_and_says_what_it_means():
    codes = [error.code for error in (StagebellError, *errors())]

    assert len(codes) == len(set(codes)) > 15
    assert [error.__name__ for error in errors() if not error.__doc__] == []
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("error", errors(), ids=lambda error: error.__name__)
def test_the_text_of_an_error_reaches_whoever_sees_it_from_outside(error: type[StagebellError]):
    """Step Functions shows str(error) as the cause."""
    if "__init__" in vars(error) and error is not errors_module.TemplateError:
        pytest.skip("its text is made of its own arguments")

    assert str(error("what happened")) == "what happened"


FORBIDDEN_WORDS = re.compile(
    r"/home/\w|/roo[t]/|/wor[k]/|/tmp/|\.internal\b|\bAKIA[0-9A-Z]{16}\b|index-url|pip\.conf|\bTODO\b|\bFIXME\b|\bXXX\b"
    r"|\bas an? (?:AI|language model)\b|\b(?:Claude|Anthropic|ChatGPT|Copilot)\b|\bsub-?agent\b|\bco-?authored-by\b"
)
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".json", ".txt", ".html", ".sh", ""}


def shipped() -> Iterator[Path]:
    """Every text file of the project; what tools and builds leave behind begins with a dot."""
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".") or path.name in (".ci", ".python-version")]
    for top in sorted(tops):
        for path in sorted([top] if top.is_file() else top.rglob("*")):
            left = any(part == "__pycache__" or part.endswith(".egg-info") for part in path.parts)
            if path.is_file() and path.suffix in SUFFIXES and not left:
                yield path


def test_the_project_speaks_of_itself_alone():
    """No path of somebody's machine, no address of somebody's registry, no word of how it was written."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in shipped()
        if path.name != "test_code.py"
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := FORBIDDEN_WORDS.search(line))
    ]

    assert found == []
