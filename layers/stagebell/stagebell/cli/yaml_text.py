"""YAML and JSON text as data, with the line of every part.

Scalars follow the core schema of YAML 1.2, so that `on`, `No`, `22:00` and `2026-12-24` are text; numbers with a point
are Decimals. A key that stands twice, a key that is no text, and an anchor that explodes are problems.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from stagebell.domain.errors import Problem

SIZE_LIMIT = 2_000_000  # characters of a file
NODE_LIMIT = 50_000  # values of a definition, anchors followed

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own name and shape


for _word, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]{0,99})", list("-+0123456789")),
    ("float", r"[-+]?(0|[1-9][0-9]{0,99})?(\.[0-9]{1,100})?([eE][-+]?[0-9]{1,3})?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_word}", re.compile(f"^(?:{_pattern})$"), _first)


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed document. `lines` has the line of each path, as problems name it: `steps[0].at.after`."""

    line: int
    data: Any
    lines: Mapping[str, int]
    problems: tuple[tuple[int, Problem], ...] = ()  # each with its line

    def line_of(self, path: str) -> int:
        """The line of a path, or of the nearest part around it that is written down."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.line


class Unreadable(Exception):
    """The text is no YAML from this line on."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_documents(text: str) -> Iterator[Document]:
    """The documents of a file, one after the other. Raises Unreadable where the text goes wrong."""
    if len(text) > SIZE_LIMIT:
        raise Unreadable(1, f"a file is limited to {SIZE_LIMIT:,} characters; divide it")
    try:
        for node in yaml.compose_all(text, _Loader):
            if node is not None and node.tag != f"{_TAG}null":
                yield _Reader().document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, _sentence(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "there is a character here that YAML does not allow") from error
    except RecursionError as error:
        raise Unreadable(1, "it is nested too deep") from error


def _sentence(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part) or "this is no YAML"


class _TooLarge(Exception):
    pass


@dataclass(slots=True)
class _Reader:
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    count: int = 0
    around: list[yaml.Node] = field(default_factory=list)

    def document(self, node: yaml.Node) -> Document:
        line = node.start_mark.line + 1
        try:
            data = self.value(node, "")
        except _TooLarge:
            problem = Problem("", "too_large", f"with its anchors it has more than {NODE_LIMIT:,} values")
            return Document(line, None, {}, ((line, problem),))
        return Document(line, data, self.lines, tuple(self.problems))

    def value(self, node: yaml.Node, path: str) -> Any:
        self.count += 1
        if self.count > NODE_LIMIT:
            raise _TooLarge
        self.lines.setdefault(path, node.start_mark.line + 1)
        if any(node is outer for outer in self.around):
            self._add(path, "anchor", "an anchor holds itself", node)
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self.around.append(node)
        data = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._list(node, path)
        self.around.pop()
        return data

    def _list(self, node: yaml.Node, path: str) -> list[Any]:
        self._known_tag(node, path, "seq")
        return [self.value(item, f"{path}[{index}]") for index, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        self._known_tag(node, path, "map")
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            inner = f"{path}.{key}".removeprefix(".")
            if key in data:
                self._add(path, "duplicate_key", f"{key} stands in line {self.lines[inner]} already", key_node)
            self.lines[inner] = key_node.start_mark.line + 1
            data[key] = self.value(value_node, inner)
        return data

    def _key(self, node: yaml.Node, path: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._add(path, "key", "a key is a word, not a list or mapping", node)
            return "?"
        if node.value == "<<" and node.style is None:
            self._add(path, "key", "merging with << is not supported; write the keys out", node)
        elif node.tag != f"{_TAG}str":
            self._add(path, "key", f'a key is text; write it in quotes: "{node.value}"', node)
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode, path: str) -> Any:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "str":
                return _joined_surrogates(text)
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text)
            case "float":
                return Decimal(text)
        self._known_tag(node, path, "str")
        return text

    def _known_tag(self, node: yaml.Node, path: str, tag: str) -> None:
        if node.tag != f"{_TAG}{tag}":
            self._add(path, "tag", f"the tag {node.tag.replace(_TAG, '!!')} is not supported; leave it out", node)

    def _add(self, path: str, rule: str, message: str, node: yaml.Node) -> None:
        self.problems.append((node.start_mark.line + 1, Problem(path, rule, message)))


def _joined_surrogates(text: str) -> str:
    """JSON writes a character beyond the first plane as two escapes, which YAML reads as two halves."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text
