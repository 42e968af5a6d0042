"""The source as the architecture tests read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "stagebell"
PACKAGE = LAYER / "stagebell"


@dataclass(frozen=True)
class Import:
    """One imported module. `typing_only`: it is read by the type checker alone."""

    module: str
    typing_only: bool
    at_import: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Source:
    path: Path

    @property
    def module(self) -> str:
        base = LAYER if self.path.is_relative_to(LAYER) else ROOT
        return ".".join(self.path.relative_to(base).with_suffix("").parts)

    @property
    def place(self) -> str:
        """`domain`, `services` … or `functions`."""
        parts = self.module.split(".")
        return parts[0] if parts[0] != "stagebell" else parts[1]

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        return _tree(self.path)

    def imports(self) -> Iterator[Import]:
        yield from _imports(self.tree, typing_only=False, at_import=True)

    def __str__(self) -> str:
        return self.module


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(node: ast.AST, *, typing_only: bool, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                yield from (Import(name.name, typing_only, at_import) for name in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (Import(_imported(module, name.name), typing_only, at_import) for name in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from _imports(child, typing_only=True, at_import=at_import)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _imports(child, typing_only=typing_only, at_import=False)
            case _:
                yield from _imports(child, typing_only=typing_only, at_import=at_import)


def _imported(module: str, name: str) -> str:
    """`from stagebell.domain import runs` imports the module `stagebell.domain.runs`."""
    below = PACKAGE.parent / Path(*module.split(".")) / f"{name}.py"
    return f"{module}.{name}" if below.exists() else module


def layer() -> list[Source]:
    return [Source(path) for path in sorted(PACKAGE.rglob("*.py"))]


def functions() -> list[Source]:
    return [Source(path) for path in sorted((ROOT / "functions").rglob("app.py"))]
