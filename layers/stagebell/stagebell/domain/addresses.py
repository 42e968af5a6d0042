"""Addresses that may be posted to: how they are written, and which networks are nobody's public ones.

One parser reads an address for the name that is looked up, the port, the path and the certificate alike, so that no
two of them can understand it differently. What it does not know how to read, it refuses.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from stagebell.domain.errors import DeliveryRejected

URL_LIMIT = 2_048
HTTPS_PORT, HTTP_PORT = 443, 80
FREE_PORTS = 1_024  # below it are mail, shells, name servers: nothing that takes webhooks

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")  # RFC 3986, section 2
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # how C libraries write the last part of an IPv4 address

_UNICAST = ip_network("2000::/3")
_TRANSLATED = ip_network("64:ff9b::/96")  # NAT64 (RFC 6052): an IPv4 address as networks without IPv4 see it
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
        "2001::/23",  # protocol assignments, among them Teredo (RFC 4380)
        "2002::/16",  # 6to4 (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
"""What Python's own table of special networks counts as public, at least in some versions."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address, read. `path` includes the query; a fragment is never sent."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def is_number(self) -> bool:
        """Whether the host is an IP address itself, so that there is nothing to look up."""
        return ":" in self.host or _NUMBER.fullmatch(self.host.rpartition(".")[2]) is not None

    @property
    def authority(self) -> str:
        """The header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (HTTPS_PORT if self.secure else HTTP_PORT) else f"{host}:{self.port}"


def target_of(url: str, *, any_address: bool = False) -> Target:
    """Reads an address. Without `any_address` it must be https, on port 443 or one from 1024 up.

    Raises DeliveryRejected, without the address: it may hold a token."""
    if len(url) > URL_LIMIT or not _CHARACTERS.fullmatch(url):
        _refuse(f"it holds 1 to {URL_LIMIT:,} plain characters: write names in punycode, other letters as %-codes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        _refuse("it cannot be read", error)
    if parts.scheme not in ("https", "http") or not (any_address or parts.scheme == "https"):
        _refuse("it must begin with https://")
    if "@" in parts.netloc:
        _refuse("it must not hold a user name or password")
    secure = parts.scheme == "https"
    if port is None:
        port = HTTPS_PORT if secure else HTTP_PORT
    if port == 0 or not (any_address or port == HTTPS_PORT or port >= FREE_PORTS):
        _refuse(f"port {port} is not for webhooks: use {HTTPS_PORT}, or one from {FREE_PORTS:,} up")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, _host(parts), port, path)


def is_public(text: str) -> bool:
    """Whether an IP address belongs to the public internet, and to one host of it."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = _translated(address)
        if inner is None and address not in _UNICAST:
            return False
        address = inner or address
    special = address.is_multicast or address.is_reserved or any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not special


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that this one only stands for."""
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _TRANSLATED else address.ipv4_mapped


def _host(parts: SplitResult) -> str:
    """The host, without the dot at its end. An IP address must be written in its usual form: 127.1, 0x7f000001 and
    2130706433 are all one and the same to some libraries."""
    host = (parts.hostname or "").removesuffix(".")
    try:
        if "[" in parts.netloc or ":" in host:
            return str(IPv6Address(host)) if "%" not in host else _refuse("an IP address has no zone here")
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except ValueError as error:
        _refuse("its host is no IP address in the usual form", error)
    return host if _NAME.fullmatch(host) else _refuse("its host is no name that can be looked up")


def _refuse(reason: str, error: Exception | None = None) -> NoReturn:
    raise DeliveryRejected(f"this address cannot be posted to: {reason}") from error
