"""What a template may be made of: everything that is not named here is a problem for its author to mend."""

import inspect
import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from jinja2 import nodes

from stagebell.adapters.template_filters import FILTERS, TESTS
from stagebell.adapters.template_session import Refused, Session
from stagebell.domain.template_problems import TemplateProblem

SOURCE_LIMIT = 262_144  # characters
DEPTH_LIMIT = 100
NODE_LIMIT = 20_000

_UNPRINTABLE = re.compile(r"[\x00\ud800-\udfff]")
_RESERVED_NAMES = frozenset({"self", "super", "caller", "varargs", "kwargs"})

_ALLOWED: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign),
    *(nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair),
    *(nodes.Filter, nodes.Test, nodes.Keyword, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Concat),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod),
)
_AUTOESCAPE = "{% autoescape %} is not allowed; HTML messages are always escaped"
_INSTEAD: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls are not allowed; write a filter such as {{ value | upper }}",
    nodes.Macro: "{% macro %} is not allowed; write the text where it is wanted",
    nodes.CallBlock: "{% call %} is not allowed; write the text where it is wanted",
    nodes.Include: "{% include %} is not allowed; a template is complete in itself, copy the text",
    nodes.Import: "{% import %} is not allowed; a template is complete in itself, copy the text",
    nodes.FromImport: "{% from %} is not allowed; a template is complete in itself, copy the text",
    nodes.Extends: "{% extends %} is not allowed; a template is complete in itself, copy the text",
    nodes.Block: "{% block %} is not allowed; write the text without it",
    nodes.FilterBlock: "{% filter %} is not allowed; write {{ value | filter }} for each value",
    nodes.AssignBlock: "{% set %} with a block is not allowed; write {% set name = value %}",
    nodes.With: "{% with %} is not allowed; write {% set name = value %}",
    nodes.NSRef: "setting a part of a value is not allowed; write {% set name = value %}",
    nodes.Slice: "slices are not allowed; write {{ text | truncate(40) }} or {{ list | first }}",
    nodes.Pow: "`**` is not allowed; write the multiplication",
    nodes.Scope: _AUTOESCAPE,
    nodes.ScopedEvalContextModifier: _AUTOESCAPE,
}
_OTHER_FILTERS: Mapping[str, str] = {
    "safe": "values are always escaped in HTML; write the HTML in the template itself",
    "float": "write `| decimal`",
    "format": "write `~` between the parts",
    "attr": "write `value.name`",
    "string": "write `~` between the parts",
    "map": "write a {% for %} loop, or the `attribute` of join, sum, min, max, sort and unique",
    "strftime": "write `| datetime`",
}
_SAMPLES: Mapping[str, object] = dict.fromkeys(("number", "currency"), Decimal("1234.5")) | dict.fromkeys(
    ("date", "time", "datetime"), datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
)


def source_problems(source: str) -> list[TemplateProblem]:
    """Problems of the text as such: its length, and characters that no message may hold."""
    if len(source) > SOURCE_LIMIT:
        return [TemplateProblem(1, f"a template is limited to {SOURCE_LIMIT:,} characters")]
    return [
        TemplateProblem(source.count("\n", 0, found.start()) + 1, "the text holds NUL or half of a surrogate pair")
        for found in _UNPRINTABLE.finditer(source)
    ][:1]


def tree_problems(tree: nodes.Template) -> list[TemplateProblem]:
    """Every construct, name, filter and argument that is not allowed, by line, each once."""
    if sum(1 for _ in _walk(tree)) > NODE_LIMIT:
        return [TemplateProblem(1, f"a template is limited to {NODE_LIMIT:,} values, names and signs; write less")]
    found = (TemplateProblem(line, text) for node, depth, line in _walk(tree) for text in _complaints(node, depth))
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line)


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int, int]]:
    """Every node with its depth and its line; a node without a line is on that of its parent."""
    waiting = deque([(tree, 0, 1)])
    while waiting:
        node, depth, line = waiting.popleft()
        yield node, depth, line
        if depth <= DEPTH_LIMIT:
            children = [(child, depth + 1, child.lineno or line) for child in node.iter_child_nodes()]
            waiting.extendleft(reversed(children))


def _complaints(node: nodes.Node, depth: int) -> Iterator[str]:
    if depth > DEPTH_LIMIT:
        yield f"expressions and blocks nest at most {DEPTH_LIMIT} levels deep; use {{% set %}} for parts"
    if not isinstance(node, _ALLOWED):
        yield _INSTEAD.get(type(node), f"{type(node).__name__} is not allowed; write plain values, if, for and set")
    match node:
        case nodes.Name(name=name) if name.casefold() in _RESERVED_NAMES:
            yield f"`{name}` is a reserved name; choose another"
        case nodes.Name(name=name) | nodes.Getattr(attr=name) | nodes.Getitem(arg=nodes.Const(value=str(name))):
            yield from _name_complaints(name)
        case nodes.For(recursive=True):
            yield "recursive loops are not allowed; write one {% for %} within the other"
        case nodes.Filter():
            yield from _filter_complaints(node)
        case nodes.Test() if node.name not in TESTS:
            yield f"there is no test `{node.name}`; the tests are {', '.join(TESTS)}"


def _name_complaints(name: str) -> Iterator[str]:
    if name.startswith("_"):
        yield f"`{name}` is not a name for templates; fields begin with a letter"


def _filter_complaints(node: nodes.Filter) -> Iterator[str]:
    function = FILTERS.get(node.name)
    if function is None:
        instead = _OTHER_FILTERS.get(node.name, f"the filters are {', '.join(sorted(FILTERS))}")
        yield f"there is no filter `{node.name}`; {instead}"
    elif node.dyn_args or node.dyn_kwargs:
        yield f"the arguments of `{node.name}` must be written one by one, not as * or **"
    else:
        yield from _argument_complaints(node)


def _argument_complaints(node: nodes.Filter) -> Iterator[str]:
    function = FILTERS[node.name]
    named = {str(pair.key): pair.value for pair in node.kwargs}
    try:
        inspect.signature(function).bind(None, None, *node.args, **named)
    except TypeError:
        yield f"the arguments of `{node.name}` do not fit; it takes {_takes(node.name)}"
    else:
        yield from _format_complaints(node)


def _takes(name: str) -> str:
    _, _, *arguments = inspect.signature(FILTERS[name]).parameters
    return ", ".join(arguments) or "none"


def _format_complaints(node: nodes.Filter) -> Iterator[str]:
    """Formats and currencies that are written out are tried on a sample."""
    values = [*node.args, *(pair.value for pair in node.kwargs)]
    if not values or node.name not in _SAMPLES or not all(isinstance(value, nodes.Const) for value in values):
        return
    try:
        named = {str(pair.key): pair.value.as_const() for pair in node.kwargs}
        FILTERS[node.name](_sample_session(), _SAMPLES[node.name], *(value.as_const() for value in node.args), **named)
    except Refused as refused:
        if node.name != "currency" or "code" in named or node.args:
            yield str(refused)
    except TypeError:
        yield f"the arguments of `{node.name}` are texts"


def _sample_session() -> Session:
    return Session(html=False, locale="en", zone=ZoneInfo("UTC"), limit=1_000, deadline_ms=1_000, clock=lambda: 0.0)
