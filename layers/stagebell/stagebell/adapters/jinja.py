"""Templates of messages in a small, bounded part of Jinja2.

The tree of a template is checked against a list of what is allowed and rewritten so that every loop, operator and
look-up goes through our own functions; only then Jinja2 compiles it. No Python attribute, call or global is reachable.
"""

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, NoReturn, cast
from zoneinfo import ZoneInfo

from jinja2 import Template, TemplateSyntaxError, nodes, pass_context
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from stagebell.adapters.template_filters import FILTERS, TESTS
from stagebell.adapters.template_paths import paths_of
from stagebell.adapters.template_rules import source_problems, tree_problems
from stagebell.adapters.template_session import Refused, Session
from stagebell.adapters.template_values import arithmetic, compared, each, exact, field_of, held, item_of, negated
from stagebell.domain.errors import RenderFailed, TemplateError
from stagebell.domain.template_problems import TemplateProblem
from stagebell.domain.views import fold

__all__ = ["JinjaRenderer", "TemplateProblem"]

CACHED_TEMPLATES = 256

_ENGINE_ERRORS = (
    JinjaError,
    ArithmeticError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
)
_COMPILER_ERRORS = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError)
_GUARDS: Mapping[str, Callable[..., object]] = {
    "_each": each,
    "_held": held,
    "_compared": compared,
    "_joined": Session.joined,
    "_exact": lambda session, digits: exact(float(digits)),
}


class JinjaRenderer:
    """Checks and renders templates; compiled ones are kept.

    `clock` gives seconds that only rise: this thread's CPU time, so that a busy machine refuses nothing."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._environments = {html: _Environment(html=html) for html in (True, False)}
        self._compiled = lru_cache(CACHED_TEMPLATES)(self._compile)

    def check(self, source: str, *, html: bool) -> list[TemplateProblem]:
        """Every problem of a template; of a text that cannot be read at all, the first."""
        try:
            self._compiled(source, html)
        except _UnusableError as unusable:
            return unusable.problems
        return []

    def paths(self, source: str) -> list[tuple[str, ...]]:
        """The field paths a template reads, as `("deal", "account", "name")`, in the spelling of the template.

        A template that cannot be read has none: `check` says why."""
        try:
            return paths_of(self._parsed(source))
        except (_UnusableError, RecursionError):
            return []

    def render(
        self,
        source: str,
        variables: Mapping[str, object],
        *,
        html: bool,
        locale: str,
        zone: ZoneInfo,
        limit: int = 262_144,
        deadline_ms: int = 250,
    ) -> str:
        """The text of a message, at most `limit` bytes of UTF-8, within `deadline_ms` (compiling not counted).

        Raises TemplateError where `check` would name problems, RenderFailed where a bound or an operation fails."""
        template = self._usable(source, html)
        session = Session(html=html, locale=locale, zone=zone, limit=limit, deadline_ms=deadline_ms, clock=self._clock)
        try:
            return session.collected(template.root_render_func(_context(template, variables, session)))
        except Refused as refused:
            raise RenderFailed(f"line {_line(refused.__traceback__)}: {refused}") from refused
        except _ENGINE_ERRORS as error:
            raise RenderFailed(f"line {_line(error.__traceback__)}: {_reason(error)}") from error

    def _usable(self, source: str, html: bool) -> Template:
        try:
            return self._compiled(source, html)
        except _UnusableError as unusable:
            problem, *others = unusable.problems
            more = f" (and {len(others)} more)" if others else ""
            raise TemplateError(f"line {problem.line}: {problem.message}{more}", problem.line) from unusable

    def _compile(self, source: str, html: bool) -> Template:
        tree = self._parsed(source)
        if problems := tree_problems(tree):
            raise _UnusableError(problems)
        environment = self._environments[html]
        try:
            code = environment.compile(cast(nodes.Template, _Guarded(environment).visit(tree)))
        except (JinjaError, *_COMPILER_ERRORS) as error:
            raise _UnusableError([_unreadable(error)]) from error
        return Template.from_code(environment, code, {})

    def _parsed(self, source: str) -> nodes.Template:
        if problems := source_problems(source):
            raise _UnusableError(problems)
        try:
            return self._environments[False].parse(source)
        except (JinjaError, *_COMPILER_ERRORS) as error:
            raise _UnusableError([_unreadable(error)]) from error


class _UnusableError(Exception):
    def __init__(self, problems: list[TemplateProblem]) -> None:
        super().__init__(problems)
        self.problems = problems


class _Context(Context):
    session: Session


class _Environment(ImmutableSandboxedEnvironment):
    context_class = _Context
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, *, html: bool) -> None:
        super().__init__(autoescape=html, finalize=_shown, optimized=False, keep_trailing_newline=True)
        self.globals.clear()
        self.filters = {name: _with_session(function) for name, function in {**FILTERS, **_GUARDS}.items()}
        self.tests = dict(TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return field_of(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return item_of(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        session = _session(context)
        session.check_time()
        return session.made(arithmetic(session, operator, left, right))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        return negated(negated(arg) if operator == "+" else arg)

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Errors pass as they are: we find their line ourselves."""
        raise


class _Guarded(NodeTransformer):
    """Sends loops, comparisons, lists, `~` and numbers with a point through our functions, and folds names."""

    def __init__(self, environment: _Environment) -> None:
        self._environment = environment

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        node.name = fold(node.name)
        return node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        return self._filter(nodes.Const(repr(node.value)), "_exact") if isinstance(node.value, float) else node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = self._filter(node.iter, "_each")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return self._filter(nodes.List(node.nodes), "_joined")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        operands = [part for operand in node.ops for part in (nodes.Const(operand.op), operand.expr)]
        return self._filter(node.expr, "_compared", operands)

    def visit_List(self, node: nodes.List) -> nodes.Node:
        return self._filter(self.generic_visit(node), "_held")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        return self._filter(self.generic_visit(node), "_held")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return self._filter(node, "_held") if node.ctx == "load" else node

    def _filter(self, node: nodes.Node, name: str, arguments: list[nodes.Expr] | None = None) -> nodes.Node:
        guarded = nodes.Filter(node, name, arguments or [], [], None, None)
        return guarded.set_environment(self._environment)


def _context(template: Template, variables: Mapping[str, object], session: Session) -> Context:
    context = cast(_Context, template.new_context({fold(name): value for name, value in variables.items()}))
    context.session = session
    return context


def _session(context: Context) -> Session:
    return cast(_Context, context).session


@pass_context
def _shown(context: Context, value: object) -> str:
    return _session(context).show(value)


def _with_session(function: Callable[..., object]) -> Callable[..., object]:
    @pass_context
    def call(context: Context, *arguments: object, **named: object) -> object:
        session = _session(context)
        session.check_time()
        return session.made(function(session, *arguments, **named))

    return call


def _line(trace: TracebackType | None) -> int:
    """The template's line in which an error arose."""
    line = 1
    while trace:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        line = template.get_corresponding_lineno(trace.tb_lineno) if template else line
        trace = trace.tb_next
    return line


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError | MemoryError):
        return "the values nest too deeply to be written out"
    return f"a value does not fit what is done with it ({error}); check its type, or use `| default`"


def _unreadable(error: BaseException) -> TemplateProblem:
    if isinstance(error, TemplateSyntaxError):
        return TemplateProblem(
            error.lineno, f"{(error.message or '').rstrip('.')}; check the spelling and the brackets"
        )
    if isinstance(error, RecursionError | MemoryError | SyntaxError):
        return TemplateProblem(1, "the template nests too deeply; use fewer levels of brackets and blocks")
    return TemplateProblem(1, "a number in the template is too long; 40 digits are the most")
