"""Endpoints as data: what is served, who may call it, and what the reference says about it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, get_type_hints
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler.openapi.params import Query

from stagebell.domain.errors import InvalidInput, NotFound, Problem, StagebellError
from stagebell.services.access import Role

WITH_IDEMPOTENCY = ("POST", "PATCH")
"""The methods that take an Idempotency-Key."""


class MethodNotAllowed(StagebellError):
    """The path exists, but not for this method."""

    code: ClassVar[str] = "method_not_allowed"

    def __init__(self, message: str, allowed: Iterable[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. `role` None: no API key needed.

    `problems` are the codes it may answer beyond those that every endpoint may; `once` names a field of the answer
    that is shown once and never stored; `listed` says whether the reference shows it."""

    method: str
    path: str
    handler: Callable[..., Any]
    role: Role | None
    tag: str
    summary: str
    status: int = 200
    problems: tuple[str, ...] = ()
    once: str = ""
    listed: bool = True

    @property
    def rule(self) -> str:
        """The path as the resolver writes it."""
        return self.path.replace("{", "<").replace("}", ">")


class Routes:
    """The endpoints of one noun. A handler's docstring is what the reference says: its first sentence the summary."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.endpoints: list[Endpoint] = []

    def get[F: Callable[..., Any]](self, path: str, role: Role | None, **more: Any) -> Callable[[F], F]:
        return self._add("GET", path, role, **more)

    def put[F: Callable[..., Any]](self, path: str, role: Role, **more: Any) -> Callable[[F], F]:
        return self._add("PUT", path, role, **more)

    def post[F: Callable[..., Any]](self, path: str, role: Role, **more: Any) -> Callable[[F], F]:
        return self._add("POST", path, role, **more)

    def patch[F: Callable[..., Any]](self, path: str, role: Role, **more: Any) -> Callable[[F], F]:
        return self._add("PATCH", path, role, **more)

    def delete[F: Callable[..., Any]](self, path: str, role: Role, **more: Any) -> Callable[[F], F]:
        return self._add("DELETE", path, role, status=204, **more)

    def _add[F: Callable[..., Any]](self, method: str, path: str, role: Role | None, **more: Any) -> Callable[[F], F]:
        def register(handler: F) -> F:
            summary = (handler.__doc__ or "").partition("\n")[0].rstrip(".")
            self.endpoints.append(Endpoint(method, path, handler, role, self.tag, summary, **more))
            return handler

        return register


def expect_known(endpoint: Endpoint, query: str) -> None:
    """Raises InvalidInput for parameters that the endpoint does not know: a filter that is not there must not look as
    if it had found everything."""
    known = _parameters(endpoint.handler)
    takes = f"this takes {', '.join(known)}" if known else "this takes none"
    given = dict.fromkeys(name for name, _ in parse_qsl(query, keep_blank_values=True))
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidInput(
            [Problem(name[:60], "unknown_key", f"there is no such parameter here; {takes}") for name in unknown]
        )


@cache
def _parameters(handler: Callable[..., Any]) -> tuple[str, ...]:
    hints = get_type_hints(handler, include_extras=True)
    return tuple(name for name, hint in hints.items() if any(map(_is_query, getattr(hint, "__metadata__", ()))))


def _is_query(said: object) -> bool:
    return isinstance(said, Query)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))


def find(endpoints: Iterable[Endpoint], elsewhere: Mapping[str, str], method: str, path: str) -> Endpoint:
    """The endpoint of a request. `elsewhere`: paths that other functions serve, with the one method of each.

    Raises NotFound for an unknown path, MethodNotAllowed for a known one."""
    here = [endpoint for endpoint in endpoints if _pattern(endpoint.path).fullmatch(path)]
    fixed = [endpoint for endpoint in here if endpoint.path == path]
    for endpoint in fixed or here:
        if endpoint.method == method:
            return endpoint
    others = {only for rule, only in elsewhere.items() if _pattern(rule).fullmatch(path)}
    allowed = sorted({endpoint.method for endpoint in here} | others)
    if not allowed:
        raise NotFound(f"there is nothing at {path}")
    raise MethodNotAllowed(f"{path} knows {', '.join(allowed)}", allowed)
