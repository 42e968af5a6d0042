"""Checking web addresses that Stagebell posts to: https, and not into a private network.

What a name leads to is looked at when it is called; here is told what can be known beforehand."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from stagebell.domain.errors import Problem
from stagebell.services.checks.world import Document, Tools

HTTPS_PORT, FREE_PORTS = 443, 1_024  # below 1,024 are mail, shells, name servers


def address_problems(url: str, at: str, tools: Tools) -> Iterator[Problem]:
    """Nothing where the stack may call any address."""
    wrong = "" if tools.any_address else _wrong(url)
    if wrong:
        yield Problem(at, "address", wrong)


def source_problems(document: Document, tools: Tools) -> Iterator[Problem]:
    """Everything that is wrong with the meaning of a source definition."""
    if document.get("write_back"):
        yield from address_problems(document["write_back"], "write_back", tools)


def _wrong(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
    except ValueError:
        return "this is no address: write it as https://crm.example.com/stagebell"
    if parts.scheme != "https":
        return "it must begin with https://"
    if port != HTTPS_PORT and port < FREE_PORTS:
        return f"port {port} is not for webhooks: use {HTTPS_PORT}, or one from {FREE_PORTS:,} up"
    if not _is_public(host.rstrip(".")):
        return f"{host} is in no public network: Stagebell calls public addresses only"
    return ""


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        *labels, last = host.split(".")
        named = bool(labels) and last not in ("localhost", "local", "internal")
        return named and not last.isdigit() and not last.startswith("0x")
