"""Somebody who takes webhooks, on this machine, for as long as a test lasts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from standardwebhooks import Webhook

LONGEST = 1_000_000  # bytes


@dataclass(frozen=True)
class Post:
    path: str
    headers: Mapping[str, str]
    body: bytes

    def verified(self, secret: str) -> Any:
        """The body, once its signature has been checked by the reference library."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    port: int
    taken: list[Post] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Post]:
        return [post for post in self.taken if post.path == path]


@contextmanager
def receiving() -> Iterator[Receiver]:
    taken: list[Post] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", 0)), LONGEST)
            headers = {name.lower(): value for name, value in self.headers.items()}
            taken.append(Post(self.path, headers, self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test says what is wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Receiver(server.server_port, taken)
        finally:
            server.shutdown()
            thread.join()
