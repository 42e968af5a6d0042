"""A source of changes: it posts signed webhooks, as a CRM would."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.place import LocalStackError
from stagebell.domain.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

TIMEOUT = 30  # seconds


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclass(frozen=True)
class Source:
    api: str
    name: str
    secret: str

    @property
    def url(self) -> str:
        return f"{self.api}/v1/sources/{self.name}/changes"

    def post(self, changes: list[dict[str, Any]]) -> None:
        """Raises LocalStackError unless they are accepted."""
        answer = self.send(json.dumps(changes).encode())
        if answer.status != 202:
            raise LocalStackError(f"{len(changes)} changes were answered with {answer.status}: {answer.body}")

    def send(self, body: bytes, **headers: str) -> Answer:
        """Signs and posts a body. `headers` (webhook_id …) replace or add headers; an empty one leaves it out."""
        replaced = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = {"content-type": "application/json", **self.signature(body), **replaced}
        return post(self.url, body, {name: value for name, value in signed.items() if value})

    def signature(self, body: bytes, *, age: int = 0, id: str = "") -> dict[str, str]:
        """The headers of Standard Webhooks for this body, signed `age` seconds ago."""
        id, timestamp = id or f"msg_{uuid.uuid4().hex}", int(time.time()) - age
        signature = sign(id, timestamp, body, self.secret)
        return {ID_HEADER: id, TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: signature}


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    request = urllib.request.Request(url, body, dict(headers), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return Answer(answer.status, _read(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _read(error.read()))
    except OSError as error:
        raise LocalStackError(f"{url} cannot be reached: {error}") from error


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
