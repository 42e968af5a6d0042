"""Arrows point inward, and importing does nothing but import."""

import ast
import os
import subprocess
import sys

import pytest

from tests.architecture.source import LAYER, PACKAGE, Source, functions, layer

SDKS = {
    "botocore", "jinja2", "markupsafe", "babel", "phonenumbers", "holidays", "icalendar", "aws_lambda_powertools",
    "yaml", "rich",
}  # fmt: skip
ALLOWED = {
    "functions": {"services", "contracts", "runtime", "domain", "api"},
    "api": {"api", "services", "contracts", "domain", "ports", "runtime"},
    "services": {"services", "domain", "contracts", "ports"},
    "adapters": {"adapters", "domain", "ports"},
    "contracts": {"contracts", "domain"},
    "domain": {"domain"},
    "ports": {"ports", "domain"},
    "runtime": {"runtime", "adapters", "api", "services", "contracts", "domain", "ports"},
    "cli": {"cli", "runtime", "adapters", "api", "services", "contracts", "domain", "ports"},
}
EXCEPTIONS = {
    ("stagebell.contracts.api.access", "stagebell.ports.access"): "an answer is made of what is stored",
    ("stagebell.contracts.api.definitions", "stagebell.ports.definitions"): "an answer is made of what is stored",
    ("stagebell.contracts.api.inbox", "stagebell.ports.inbox"): "an answer is made of what is stored",
    ("stagebell.contracts.api.records", "stagebell.ports.records"): "an answer is made of what is stored",
}
THIRD_PARTY = {
    "functions": set(),
    "api": {"aws_lambda_powertools", "pydantic", "pydantic_core"},
    "services": set(),
    "contracts": {"pydantic", "pydantic_core"},
    "domain": set(),
    "ports": set(),
    "runtime": {"botocore", "aws_lambda_powertools"},
    "adapters": SDKS,
    "cli": SDKS | {"pydantic", "botocore"},
}
ADAPTER_SDKS = {"jinja2": {"jinja2", "markupsafe", "babel"}}
SOURCES = [source for source in (*layer(), *functions()) if source.module != "stagebell.__init__"]


def place_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_every_arrow_points_inward(source: Source):
    for imported in source.imports():
        if imported.top == "stagebell" and (source.module, imported.module) not in EXCEPTIONS:
            assert place_of(imported.module) in ALLOWED[source.place], f"{source} imports {imported.module}"


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_third_party_packages_stay_at_the_edges(source: Source):
    used = {i.top for i in source.imports() if i.top not in sys.stdlib_module_names and i.top != "stagebell"}

    assert used <= THIRD_PARTY[source.place], f"{source} imports {used - THIRD_PARTY[source.place]}"


@pytest.mark.parametrize("source", [s for s in SOURCES if s.place == "adapters"], ids=str)
def test_an_adapter_knows_one_sdk(source: Source):
    used = {i.top for i in source.imports() if i.top in SDKS}

    assert len(used) <= 1 or any(used <= family for family in ADAPTER_SDKS.values()), f"{source} imports {used}"


def test_nothing_imports_boto3():
    """Its resource layer costs 30 to 70 ms at each cold start; botocore's clients do the same."""
    assert [str(s) for s in SOURCES if any(i.top == "boto3" for i in s.imports())] == []


def test_no_function_imports_the_command_line():
    assert [
        str(s) for s in SOURCES if s.place != "cli" for i in s.imports() if i.module.startswith("stagebell.cli")
    ] == []


@pytest.mark.parametrize("source", [s for s in SOURCES if s.module == "stagebell.runtime.wiring"], ids=str)
def test_wiring_imports_adapters_where_they_are_made(source: Source):
    early = [i.module for i in source.imports() if i.at_import and not i.typing_only]

    assert [
        module
        for module in early
        if not module.startswith(("stagebell.runtime", "collections", "functools", "typing", "__future__"))
    ] == []


def isolated(code: str) -> subprocess.CompletedProcess[str]:
    """Python without any third-party package, and with nothing on its path but the layer."""
    prelude = f"import sys; sys.path.insert(0, {os.fspath(LAYER)!r});"
    command = [sys.executable, "-I", "-S", "-c", prelude + code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_domain_imports_with_no_third_party_package_installed():
    modules = [s.module for s in SOURCES if s.place == "domain" and s.path.name != "__init__.py"]

    done = isolated(f"import importlib; [importlib.import_module(m) for m in {modules!r}]")

    assert done.returncode == 0, done.stderr


WATCH = """
import builtins, importlib, io, os, socket
here = {layer!r}
def refuse(*args, **kwargs): raise RuntimeError(f"I/O at import: {{args}}")
real_open = builtins.open
def watched_open(file, *args, **kwargs):
    name = os.fspath(file) if not isinstance(file, int) else ""
    if isinstance(name, str) and name.startswith(here): refuse(name)
    return real_open(file, *args, **kwargs)
builtins.open = io.open = watched_open
socket.socket.connect = socket.getaddrinfo = refuse
os.environ.clear()
for name in {modules!r}: importlib.import_module(name)
"""


def test_importing_reads_no_file_opens_no_connection_and_needs_no_environment():
    modules = [s.module for s in layer() if s.path.name != "__init__.py" and not s.module.endswith("cli.main")]
    code = WATCH.format(layer=os.fspath(PACKAGE) + os.sep, modules=modules)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {os.fspath(LAYER)!r})\n{code}"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2_000:]


def test_packages_are_empty_so_that_importing_one_module_imports_no_other():
    assert [str(s.path) for s in layer() if s.path.name == "__init__.py" and s.text.strip()] == []


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_the_environment_is_touched_in_one_file(source: Source):
    touching = [
        node
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and any(n.name in ("environ", "getenv") for n in node.names)
        )
    ]

    assert not touching or source.module in ("stagebell.runtime.settings", "stagebell.cli.client"), str(source)
