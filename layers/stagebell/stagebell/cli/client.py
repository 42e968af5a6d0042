"""The HTTP API, as the commands use it."""

import argparse
import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from stagebell.cli.failures import ApiRefused, NotConfigured

URL_VARIABLE = "STAGEBELL_URL"
KEY_VARIABLE = "STAGEBELL_KEY"
TIMEOUT = 30  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default=os.environ.get(URL_VARIABLE), help=f"the API's address (or {URL_VARIABLE})")
    parser.add_argument("--key", default=os.environ.get(KEY_VARIABLE), help=f"an API key (or {KEY_VARIABLE})")


def client_for(arguments: argparse.Namespace) -> "Client":
    """Raises NotConfigured where address or key is missing."""
    if not arguments.url:
        raise NotConfigured(f"which API? give --url or set {URL_VARIABLE}; `sam deploy` shows the address as ApiUrl")
    if urlsplit(arguments.url).scheme not in ("http", "https"):
        raise NotConfigured(f"{arguments.url} is no address of an API; it starts with https://")
    if not arguments.key:
        raise NotConfigured(f"an API key is needed: give --key or set {KEY_VARIABLE}")
    return Client(arguments.url.rstrip("/"), arguments.key)


@dataclass(frozen=True, slots=True)
class Client:
    """Calls the API with a key. Every error becomes one ApiRefused in plain words."""

    url: str
    key: str

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, more: Mapping[str, str] | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json", **(more or {})}
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return _json(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ApiRefused(_said(error.code, error.read(), f"{method} {path}"), error.code) from error
        except (OSError, HTTPException) as error:
            raise ApiRefused(f"{self.url} cannot be reached: {getattr(error, 'reason', error)}") from error


def path_of(*parts: str) -> str:
    """A path below /v1; each part may hold any character."""
    return "/v1/" + "/".join(map(part_of, parts))


def part_of(text: str) -> str:
    """A text as one part of a path. What would end the part is encoded three times: gateways decode up to twice."""
    return quoted("".join(quoted(quoted(char)) if char in "/?#%" else char for char in text))


def quoted(text: str) -> str:
    """A text as it may stand in a query."""
    return quote(text, safe="")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError as error:
        raise ApiRefused("the answer is not JSON: is this the address of a Stagebell API?") from error


def _said(status: int, body: bytes, asked: str) -> str:
    """What an RFC 9457 problem document says, or the status where the answer is none."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return f"{asked} was answered with status {status}"
    said = document.get("detail") or document.get("title") or document.get("message") or f"status {status}"
    if status in (401, 403) and not document.get("detail"):
        said = "the API key is not accepted, or its role does not allow this"
    problems = [f"\n  {p.get('path', '')}: {p.get('message', '')}" for p in document.get("problems") or ()]
    return f"{said}{''.join(problems)}"
