"""Posting: to the address that was checked and no other, encrypted, once, and never further than asked."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook

from stagebell.adapters import poster as posting
from stagebell.adapters.clocks import SystemClock
from stagebell.adapters.poster import ADDRESSES, HttpsPoster, wait_of
from stagebell.domain.errors import DeliveryRejected, DeliveryUnavailable, DeliveryUnknown
from stagebell.domain.signatures import new_secret
from stagebell.ports.calls import Posted
from stagebell.services.webhooks import Webhooks

HOST = "hooks.example.com"
PUBLIC = "93.184.215.14"
TAKEN = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
NOW = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)

type Answering = Callable[[socket.socket], None]


@dataclass
class Endpoint:
    """A server on loopback that answers each connection in one way, and keeps what it was sent."""

    port: int
    heard: list[bytes] = field(default_factory=list)

    @property
    def head(self) -> str:
        return self.heard[0].partition(b"\r\n\r\n")[0].decode()

    @property
    def body(self) -> bytes:
        return self.heard[0].partition(b"\r\n\r\n")[2]

    @property
    def headers(self) -> Mapping[str, str]:
        lines = (line.partition(": ") for line in self.head.splitlines()[1:])
        return {name.lower(): value for name, _, value in lines}


def says(answer: bytes) -> Answering:
    return lambda line: line.sendall(answer)


@contextmanager
def serving(answering: Answering, context: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        endpoint, ended = Endpoint(server.getsockname()[1]), []
        thread = Thread(target=_serve, args=(server, endpoint, answering, context, ended), daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            ended.append(True)
            thread.join(5)


def _serve(
    server: socket.socket, endpoint: Endpoint, answering: Answering, context: ssl.SSLContext | None, ended: list[bool]
) -> None:
    while not ended:
        try:
            line, _ = server.accept()
        except TimeoutError:
            continue
        line.settimeout(0.5)
        with suppress(OSError), line:
            if context is None:
                _answer(line, endpoint, answering)
            else:
                with context.wrap_socket(line, server_side=True) as encrypted:
                    _answer(encrypted, endpoint, answering)


def _answer(line: socket.socket, endpoint: Endpoint, answering: Answering) -> None:
    heard = b""
    while b"\r\n\r\n" not in heard or len(heard) < _wanted(heard):
        got = line.recv(65_536)
        if not got:
            break
        heard += got
    endpoint.heard.append(heard)
    answering(line)


def _wanted(heard: bytes) -> int:
    head, _, _ = heard.partition(b"\r\n\r\n")
    length = next((int(p.split(b":")[1]) for p in head.lower().split(b"\r\n") if p.startswith(b"content-length")), 0)
    return len(head) + 4 + length


@dataclass
class Network:
    """Names lead where the test says; every connection ends up on loopback, and where it was meant to go is kept."""

    leads_to: list[Sequence[str]] = field(default_factory=lambda: [[PUBLIC]])
    asked: list[tuple[str, int]] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    dead: Sequence[str] = ()
    port: int = 0

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.leads_to[min(len(self.asked), len(self.leads_to)) - 1]

    def connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.connected.append(address[0])
        if address[0] in self.dead:
            raise ConnectionRefusedError(111, "Connection refused")
        return socket.create_connection(("127.0.0.1", self.port or address[1]), timeout)


@dataclass(frozen=True)
class Certificates:
    """An authority of the test's own, and the certificate of one name."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def certificates(folder: Path, name: str = HOST, *, until: timedelta = timedelta(days=1)) -> Certificates:
    now = datetime.now(UTC)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    def signed(owner: x509.Name, public: ec.EllipticCurvePublicKey, extensions: list[x509.ExtensionType]) -> bytes:
        made = x509.CertificateBuilder(issuer, owner, public, x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=2)).not_valid_after(now + until)
        made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        for extension in extensions:
            made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints | x509.KeyUsage))
        return made.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    usage = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    signs = x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage)
    root = signed(issuer, authority.public_key(), [x509.BasicConstraints(ca=True, path_length=None), signs])
    leaf = signed(subject, key.public_key(), [x509.SubjectAlternativeName([x509.DNSName(name)])])
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "leaf.pem").write_bytes(leaf + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "leaf.pem")
    return Certificates(server, ssl.create_default_context(cadata=root.decode()))


@pytest.fixture
def network() -> Network:
    return Network()


def poster(network: Network, trust: ssl.SSLContext | None = None, **more: float) -> HttpsPoster:
    context = trust or ssl.create_default_context()
    return HttpsPoster(resolve=network.resolve, connect=network.connect, trust=lambda: context, **more)


def local(**more: float) -> HttpsPoster:
    """For a stack on one's own machine."""
    return HttpsPoster(any_address=True, **more)


# --- where it goes


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        (["10.0.0.7"], "a name that leads inside"),
        ([PUBLIC, "10.0.0.7"], "one of two is inside"),
        (["169.254.169.254"], "metadata"),
        (["127.0.0.1"], "this machine"),
        (["::ffff:127.0.0.1"], "this machine, mapped"),
        (["fe80::1%eth0"], "link-local, as the system writes it"),
    ],
)
def test_a_name_that_leads_inside_is_refused_and_nobody_is_connected_to(
    network: Network, addresses: list[str], reason: str
) -> None:
    network.leads_to = [addresses]

    with pytest.raises(DeliveryRejected, match="no public address"):
        poster(network).post(f"https://{HOST}/", {}, b"{}")

    assert network.connected == [], reason


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"])
def test_an_address_inside_is_refused_as_well_as_a_name(host: str) -> None:
    with pytest.raises(DeliveryRejected, match="no public address"):
        HttpsPoster().post(f"https://{host}/", {}, b"{}")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost."])
def test_the_system_is_asked_where_a_name_leads(host: str) -> None:
    with pytest.raises(DeliveryRejected, match=r"localhost leads to .*no public address"):
        HttpsPoster().post(f"https://{host}:8443/", {}, b"{}")


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Event()

    def late(*_: object, **__: object) -> Sequence[object]:
        waiting.wait(30)
        return []

    monkeypatch.setattr(posting, "LOOKUP_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", late)

    with pytest.raises(DeliveryUnavailable, match=f"{HOST} could not be looked up; nothing was sent"):
        HttpsPoster().post(f"https://{HOST}/hook", {}, b"{}")

    waiting.set()


def test_a_name_that_there_is_not_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(DeliveryUnavailable, match="could not be looked up"):
        HttpsPoster().post(f"https://{HOST}/hook", {}, b"{}")


def test_a_name_is_looked_up_once_and_what_it_leads_to_later_does_not_count(network: Network, tmp_path: Path) -> None:
    made = certificates(tmp_path)
    network.leads_to = [[PUBLIC], ["127.0.0.1"]]
    with serving(says(TAKEN), made.server) as endpoint:
        network.port = endpoint.port

        posted = poster(network, made.client).post(f"https://{HOST}/in", {}, b"{}")

    assert posted == Posted(204)
    assert (network.asked, network.connected) == ([(HOST, 443)], [PUBLIC])


@pytest.mark.parametrize("place", ["http://127.0.0.1:1/", "https://169.254.169.254/latest", "/elsewhere"])
def test_a_redirect_is_an_answer_and_is_never_followed(network: Network, tmp_path: Path, place: str) -> None:
    made = certificates(tmp_path)
    answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(says(answer), made.server) as endpoint:
        network.port = endpoint.port

        assert poster(network, made.client).post(f"https://{HOST}/", {}, b"{}") == Posted(307)

    assert (len(endpoint.heard), network.connected) == (1, [PUBLIC])


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(says(TAKEN)) as endpoint:
        assert local().post(f"http://127.0.0.1:{endpoint.port}/", {}, b"{}") == Posted(204)


def test_when_one_address_does_not_answer_the_next_one_is_tried(network: Network, tmp_path: Path) -> None:
    made = certificates(tmp_path)
    network.leads_to, network.dead = [["8.8.8.8", PUBLIC]], ["8.8.8.8"]
    with serving(says(TAKEN), made.server) as endpoint:
        network.port = endpoint.port

        assert poster(network, made.client).post(f"https://{HOST}/", {}, b"{}") == Posted(204)

    assert network.connected == ["8.8.8.8", PUBLIC]


# --- what it sends


def test_the_name_is_asked_for_and_checked_though_the_connection_goes_to_a_number(
    network: Network, tmp_path: Path
) -> None:
    made = certificates(tmp_path)
    greeted: list[str | None] = []
    made.server.sni_callback = lambda _line, name, _context: greeted.append(name)
    with serving(says(TAKEN), made.server) as endpoint:
        network.port = endpoint.port

        poster(network, made.client).post(f"https://{HOST}:8443/in?a=b#c", {"webhook-id": "dlv_1"}, b'{"a":1}')

    assert greeted == [HOST]
    assert endpoint.head.splitlines()[0] == "POST /in?a=b HTTP/1.1"
    assert endpoint.headers["host"] == f"{HOST}:8443"
    assert endpoint.headers["webhook-id"] == "dlv_1"
    assert endpoint.headers["content-length"] == "7"
    assert endpoint.headers["user-agent"] == "Stagebell"
    assert endpoint.body == b'{"a":1}'


def test_a_receiver_can_check_what_it_gets_with_any_library_for_standard_webhooks() -> None:
    old, new = new_secret(b"1" * 32), new_secret(b"2" * 32)
    body = json.dumps({"type": "deal.won", "data": {"name": "Müller"}}).encode()
    with serving(says(TAKEN)) as endpoint:
        Webhooks(local(), SystemClock()).post(f"http://127.0.0.1:{endpoint.port}/", "dlv_1", body, [new, old])

    for secret in (old, new):
        assert Webhook(secret).verify(endpoint.body, dict(endpoint.headers)) == json.loads(body)
    assert endpoint.headers["webhook-id"] == "dlv_1"
    assert endpoint.headers["content-type"] == "application/json"


# --- what comes of it


def test_a_certificate_of_another_name_is_not_accepted_and_nothing_is_sent(network: Network, tmp_path: Path) -> None:
    made = certificates(tmp_path, "other.example.com")
    with serving(says(TAKEN), made.server) as endpoint:
        network.port = endpoint.port

        with pytest.raises(DeliveryUnavailable, match=r"certificate is not accepted.*nothing was sent"):
            poster(network, made.client).post(f"https://{HOST}/", {}, b"{}")

    assert endpoint.heard == []


@pytest.mark.parametrize(
    ("until", "trusted"), [(timedelta(days=-1), True), (timedelta(days=1), False)], ids=["expired", "unknown issuer"]
)
def test_a_certificate_that_does_not_hold_is_not_accepted(
    network: Network, tmp_path: Path, until: timedelta, trusted: bool
) -> None:
    made = certificates(tmp_path, until=until)
    with serving(says(TAKEN), made.server) as endpoint:
        network.port = endpoint.port

        with pytest.raises(DeliveryUnavailable, match="certificate is not accepted"):
            poster(network, made.client if trusted else None).post(f"https://{HOST}/", {}, b"{}")

    assert endpoint.heard == []


def test_a_server_without_tls_gets_nothing(network: Network) -> None:
    with serving(says(b"220 mail.example.com ESMTP\r\n")) as endpoint:
        network.port = endpoint.port

        with pytest.raises(DeliveryUnavailable, match="nothing was sent"):
            poster(network).post(f"https://{HOST}/", {}, b"{}")

    assert b"POST" not in b"".join(endpoint.heard)


def test_a_name_that_nobody_knows_is_tried_again_later(network: Network) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(DeliveryUnavailable, match="could not be looked up; nothing was sent"):
        HttpsPoster(resolve=unknown, connect=network.connect).post(f"https://{HOST}/", {}, b"{}")


def test_nobody_there_means_that_nothing_arrived(network: Network) -> None:
    network.leads_to = [["8.8.8.8", "8.8.4.4", PUBLIC]]
    network.dead = network.leads_to[0]

    with pytest.raises(DeliveryUnavailable, match="connection refused; nothing was sent"):
        poster(network).post(f"https://{HOST}/", {}, b"{}")

    assert len(network.connected) == ADDRESSES


def hangs(line: socket.socket) -> None:
    time.sleep(0.6)


def drips(line: socket.socket) -> None:
    with suppress(OSError):
        line.sendall(b"HTTP/1.1")
        for _ in range(100):
            line.sendall(b" ")
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("answering", "reason"),
    [
        (hangs, "no answer in time"),
        (drips, "an answer that never ends"),
        (lambda line: None, "hung up"),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), "no HTTP"),
        (says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), "more headers than anybody needs"),
        (says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"), "a header that is far too long"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_when_the_answer_is_lost_the_request_may_have_arrived(answering: Answering, reason: str) -> None:
    with serving(answering) as endpoint:
        began = time.monotonic()

        with pytest.raises(DeliveryUnknown, match="the request may have arrived"):
            local(answer_seconds=0.3, whole_seconds=0.4).post(f"http://127.0.0.1:{endpoint.port}/", {}, b"{}")

        assert time.monotonic() - began < 1.5, reason
    assert len(endpoint.heard) == 1


@pytest.mark.parametrize("answering", [hangs, drips], ids=["hangs", "drips"])
def test_an_encrypted_answer_is_not_waited_for_any_longer(
    network: Network, tmp_path: Path, answering: Answering
) -> None:
    made = certificates(tmp_path)
    with serving(answering, made.server) as endpoint:
        network.port = endpoint.port
        began = time.monotonic()

        with pytest.raises(DeliveryUnknown, match="the request may have arrived"):
            poster(network, made.client, answer_seconds=0.3, whole_seconds=0.4).post(f"https://{HOST}/", {}, b"{}")

    assert time.monotonic() - began < 1.5


def test_of_an_answer_only_the_head_is_read(network: Network) -> None:
    def endless(line: socket.socket) -> None:
        with suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
            time.sleep(0.2)
            for _ in range(1_000):
                line.sendall(b"x" * 65_536)
        hung_up.append(True)

    hung_up: list[bool] = []
    with serving(endless) as endpoint:
        assert local().post(f"http://127.0.0.1:{endpoint.port}/", {}, b"{}") == Posted(200)

    assert hung_up, "64 MB were not taken: the connection was closed"


def test_a_receiver_that_refuses_before_it_has_read_everything_is_heard() -> None:
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with serving(says(answer)) as endpoint:
        assert local().post(f"http://127.0.0.1:{endpoint.port}/", {}, b"x" * 200_000).status == 413


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        (None, None, "it does not ask for anything"),
        ("", None, "it says nothing"),
        ("soon", None, "no time"),
        ("-5", None, "no number of seconds"),
        ("1.5", None, "no whole seconds"),
        ("٣", None, "no digits of HTTP"),
        ("0", 0, "at once"),
        (" 120 ", 120, "two minutes"),
        ("99999999999999999999", 86_400, "more than anybody waits"),
        ("Fri, 20 Nov 2026 08:16:30 GMT", 90, "a date"),
        ("Friday, 20-Nov-26 08:16:30 GMT", 90, "a date in the form of RFC 850"),
        ("Fri, 20 Nov 2026 08:00:00 GMT", 0, "a date that is over"),
        ("Fri, 20 Nov 2099 08:00:00 GMT", 86_400, "a date far away"),
        ("Fri, 99 Nov 2026 08:00:00 GMT", None, "no date"),
    ],
)
def test_how_long_to_wait_is_read_as_seconds_or_as_a_date(text: str | None, seconds: int | None, reason: str) -> None:
    assert wait_of(text, NOW) == seconds, reason


def test_a_wait_comes_with_the_answer() -> None:
    with serving(says(b"HTTP/1.1 429 Slow Down\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n")) as endpoint:
        assert local().post(f"http://127.0.0.1:{endpoint.port}/", {}, b"{}") == Posted(429, 30)
