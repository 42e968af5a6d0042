"""Posting to addresses that operators name, and never into the network we run in.

A name is looked up once, every address it leads to is checked, and the connection goes to one of those: looking it up
again would let the answer change in between. The certificate is checked against the name, no redirect is followed, no
proxy of the environment is used, and of the answer only its head is read. By the standard library, so that it does not
depend on what the Lambda runtime brings along.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException
from threading import Thread, Timer

from stagebell.domain.addresses import Target, is_public, target_of
from stagebell.domain.errors import DeliveryRejected, DeliveryUnavailable, DeliveryUnknown
from stagebell.ports.calls import Posted

LOOKUP_SECONDS = 3.0
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0
WHOLE_SECONDS = 12.0  # for writing and reading together: an answer may not drip
ADDRESSES = 2  # of one name that are tried; nothing has been sent until one of them takes the connection
LONGEST_WAIT = 86_400
AGENT = "Stagebell"

type Resolve = Callable[[str, int], Sequence[str]]
type Connect = Callable[[tuple[str, int], float], socket.socket]


def looked_up(host: str, port: int) -> Sequence[str]:
    """The IP addresses of a host, best first. Resolvers try for longer than a function has, and cannot be stopped: one
    that is late is left to itself. Raises OSError."""
    answer: Future[Sequence[str]] = Future()
    Thread(target=_look_up, args=(host, port, answer), daemon=True).start()
    return answer.result(LOOKUP_SECONDS)


def _look_up(host: str, port: int, answer: Future[Sequence[str]]) -> None:
    try:
        answer.set_result([str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
    except OSError as error:
        answer.set_exception(error)


@cache
def trusted() -> ssl.SSLContext:
    """Certificates that the system trusts; TLS 1.2 at least."""
    return ssl.create_default_context()


class HttpsPoster:
    """`any_address` is for a stack on one machine: http as well, and every network. The rest is for tests."""

    def __init__(
        self,
        *,
        any_address: bool = False,
        resolve: Resolve = looked_up,
        connect: Connect = socket.create_connection,
        trust: Callable[[], ssl.SSLContext] = trusted,
        answer_seconds: float = ANSWER_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._any_address = any_address
        self._resolve, self._connect, self._trust = resolve, connect, trust
        self._answer_seconds, self._whole_seconds = answer_seconds, whole_seconds

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        target = target_of(url, any_address=self._any_address)
        line = self._connected(target, self._addresses(target))
        with line, _hung_up_after(self._whole_seconds, line):
            return self._exchange(target, line, headers, body)

    def _addresses(self, target: Target) -> Sequence[str]:
        """What the host's name leads to. One address that is not public is enough to refuse it."""
        try:
            answers = [target.host] if target.is_number else self._resolve(target.host, target.port)
        except OSError as error:
            raise DeliveryUnavailable(f"{target.host} could not be looked up; nothing was sent") from error
        found = list(dict.fromkeys(answers))
        if not found:
            raise DeliveryUnavailable(f"{target.host} has no address; nothing was sent")
        inside = [] if self._any_address else [address for address in found if not is_public(address)]
        if inside:
            raise DeliveryRejected(
                f"{target.host} leads to {inside[0]}, which is no public address: webhooks go to public ones only"
            )
        return found[:ADDRESSES]

    def _connected(self, target: Target, addresses: Sequence[str]) -> socket.socket:
        failure: OSError | None = None
        for address in addresses:
            try:
                return self._line(target, address)
            except OSError as error:
                failure = error
        # A certificate as well: the receiver mends it, and until then it is as if nobody were there.
        told = f"{target.host} could not be connected to: {_told(failure)}; nothing was sent"
        raise DeliveryUnavailable(told) from failure

    def _line(self, target: Target, address: str) -> socket.socket:
        line = self._connect((address, target.port), CONNECT_SECONDS)
        return self._trust().wrap_socket(line, server_hostname=target.host) if target.secure else line

    def _exchange(self, target: Target, line: socket.socket, headers: Mapping[str, str], body: bytes) -> Posted:
        connection = HTTPConnection(target.host, target.port)
        connection.sock, connection.auto_open = line, 0
        line.settimeout(self._answer_seconds)
        try:
            with suppress(BrokenPipeError):  # it may have answered before it had read everything
                own = {"host": target.authority, "user-agent": AGENT, "connection": "close"}
                connection.request("POST", target.path, body, {**headers, **own})
            answer = connection.getresponse()
        except (OSError, HTTPException) as error:
            told = f"the answer of {target.host} was lost: {_told(error)}; the request may have arrived"
            raise DeliveryUnknown(told) from error
        with answer:
            return Posted(answer.status, wait_of(answer.getheader("retry-after"), datetime.now(UTC)))


@contextmanager
def _hung_up_after(seconds: float, line: socket.socket) -> Iterator[None]:
    timer = Timer(seconds, _hang_up, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # that of a TLS line changes it under whoever reads


def wait_of(text: str | None, now: datetime) -> int | None:
    """The seconds of a header Retry-After (RFC 9110, 10.2.3), a day at most; None where it says nothing of use."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(round(seconds.total_seconds()), 0), LONGEST_WAIT)


def _told(error: Exception | None) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted ({error.verify_message})"
        case ssl.SSLError():
            return f"no TLS connection ({error.reason or type(error).__name__})"
        case TimeoutError():
            return "it took too long"
        case OSError() if error.strerror:
            return error.strerror.lower()
        case _:
            return type(error).__name__
