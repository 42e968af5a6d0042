"""Where webhooks may go: how an address is written, and which networks are the public internet."""

import pytest

from stagebell.domain.addresses import Target, is_public, target_of
from stagebell.domain.errors import DeliveryRejected

# A selection of RFC 6890's special-purpose networks, with what makes each of them a way in.
INSIDE = [
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "all of 127/8 is loopback"),
    ("0.0.0.0", "unspecified: connects to this machine"),
    ("0.1.2.3", "this network"),
    ("10.0.0.1", "private"),
    ("172.16.0.1", "private, the first of 172.16/12"),
    ("172.31.255.255", "private, the last of 172.16/12"),
    ("192.168.1.1", "private"),
    ("169.254.169.254", "link-local: metadata of cloud machines"),
    ("169.254.170.2", "link-local: credentials of containers"),
    ("100.64.0.1", "carrier-grade NAT, the first"),
    ("100.127.255.254", "carrier-grade NAT, the last"),
    ("192.0.0.1", "protocol assignments"),
    ("192.0.0.9", "port control, public in Python's table"),
    ("192.0.2.1", "documentation"),
    ("198.18.0.1", "benchmarks"),
    ("198.51.100.1", "documentation"),
    ("203.0.113.1", "documentation"),
    ("192.88.99.1", "relay of 6to4"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.250", "multicast within an organisation"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::ffff:127.0.0.1", "IPv4-mapped loopback"),
    ("::ffff:10.0.0.1", "IPv4-mapped private"),
    ("::ffff:a9fe:a9fe", "IPv4-mapped metadata, in hexadecimal"),
    ("::127.0.0.1", "IPv4-compatible, long gone"),
    ("64:ff9b::127.0.0.1", "NAT64 of loopback"),
    ("64:ff9b::a00:1", "NAT64 of 10.0.0.1"),
    ("64:ff9b:1::a00:1", "NAT64 within a network"),
    ("2002:7f00:1::", "6to4 of loopback"),
    ("2002:a00:1::1", "6to4 of 10.0.0.1"),
    ("2002:808:808::1", "6to4 of a public address: nobody needs it"),
    ("2001:0:7f00:1::", "Teredo with a server on loopback"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
    ("2001:db8::1", "documentation"),
    ("3fff::1", "documentation, public in Python's table"),
    ("5f00::1", "segments within a network"),
    ("100::1", "discarded"),
    ("fc00::1", "unique local"),
    ("fd00:ec2::254", "unique local: metadata of cloud machines"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local, with its zone"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("4000::1", "assigned to nobody"),
]
PUBLIC = [
    ("8.8.8.8", "public"),
    ("100.63.255.255", "just below carrier-grade NAT"),
    ("100.128.0.0", "just above it"),
    ("172.15.255.255", "just below the private 172.16/12"),
    ("172.32.0.0", "just above it"),
    ("11.0.0.0", "just above 10/8"),
    ("223.255.255.255", "the last before multicast"),
    ("2606:4700:4700::1111", "public"),
    ("2a00:1450:4001::1", "public"),
    ("::ffff:8.8.8.8", "a public address, mapped"),
    ("64:ff9b::808:808", "a public address as a network without IPv4 sees it"),
]


@pytest.mark.parametrize(("address", "reason"), INSIDE)
def test_an_address_that_is_not_the_public_internet_is_told_apart(address: str, reason: str) -> None:
    assert not is_public(address), reason


@pytest.mark.parametrize(("address", "reason"), PUBLIC)
def test_a_public_address_is_public(address: str, reason: str) -> None:
    assert is_public(address), reason


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com", Target(True, "hooks.example.com", 443, "/")),
        ("https://hooks.example.com/a/b?c=d&e=%20", Target(True, "hooks.example.com", 443, "/a/b?c=d&e=%20")),
        ("https://Hooks.EXAMPLE.com./x", Target(True, "hooks.example.com", 443, "/x")),
        ("https://hooks.example.com:8443/x#part", Target(True, "hooks.example.com", 8443, "/x")),
        ("HTTPS://hooks.example.com/", Target(True, "hooks.example.com", 443, "/")),
        ("https://xn--mller-kva.example/?q", Target(True, "xn--mller-kva.example", 443, "/?q")),
        ("https://8.8.8.8/", Target(True, "8.8.8.8", 443, "/")),
        ("https://[2606:4700:0:0::1111]/", Target(True, "2606:4700::1111", 443, "/")),
        ("https://my_host.example/", Target(True, "my_host.example", 443, "/")),
    ],
)
def test_an_address_is_read_once_for_all_that_is_done_with_it(url: str, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.com/", "not encrypted"),
        ("ftp://hooks.example.com/", "another protocol"),
        ("file:///etc/passwd", "a file"),
        ("//hooks.example.com/", "no scheme"),
        ("hooks.example.com", "no scheme"),
        ("", "nothing"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://:443/", "no host"),
        ("https://./", "only a dot"),
        ("https://user@hooks.example.com/", "a user name"),
        ("https://user:word@hooks.example.com/", "a password"),
        ("https://hooks.example.com@10.0.0.1/", "what looks like the host is a user name"),
        ("https://hooks.example.com%40evil.example/", "an @ in disguise"),
        ("https://hooks.example.com\\@10.0.0.1/", "a backslash, which some take for a slash"),
        ("https://hooks.example.com\t.evil.example/", "a tab, which some leave out"),
        ("https://hooks.example.com/a b", "a space"),
        ("https://hooks.example.com/\r\nX: y", "a header of its own"),
        ("https://hooks.example.com/ü", "a letter outside ASCII"),
        ("https://hooks。example。com/", "full stops that some take for dots"),
        ("https://①②⑦.⓪.⓪.①/", "digits that some take for digits"),
        ("https://127.1/", "127.0.0.1, shortened"),
        ("https://2130706433/", "127.0.0.1 as one number"),
        ("https://017700000001/", "127.0.0.1 as one octal number"),
        ("https://0x7f000001/", "127.0.0.1 as one hexadecimal number"),
        ("https://0x7f.0.0.1/", "hexadecimal parts"),
        ("https://0177.0.0.1/", "octal parts"),
        ("https://127.0.0.0x1/", "a hexadecimal last part"),
        ("https://1.2.3.4.5/", "too many parts"),
        ("https://256.1.1.1/", "a part that is too large"),
        ("https://hooks.0x/", "a last part that counts as a number"),
        ("https://[::1/", "a bracket that does not close"),
        ("https://[fe80::1%25eth0]/", "a zone"),
        ("https://[v1.abc]/", "an address of the future"),
        ("https://hooks..example.com/", "an empty label"),
        ("https://-hooks.example.com/", "a label that begins with a hyphen"),
        (f"https://{'a' * 64}.example/", "a label that is too long"),
        (f"https://{'a.' * 127}example/", "a name that is too long"),
        ("https://hooks.example.com:0/", "no port"),
        ("https://hooks.example.com:22/", "a shell"),
        ("https://hooks.example.com:25/", "mail"),
        ("https://hooks.example.com:80/", "a web server without encryption"),
        ("https://hooks.example.com:65536/", "no port"),
        ("https://hooks.example.com:https/", "no number"),
        ("https://hooks.example.com/" + "x" * 2_048, "too long"),
    ],
)
def test_an_address_that_is_not_to_be_posted_to_is_refused_without_being_repeated(url: str, reason: str) -> None:
    with pytest.raises(DeliveryRejected, match=r"^this address cannot be posted to: ") as caught:
        target_of(url)

    assert not url or url not in caught.value.message, reason


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://hooks.example.com/", "hooks.example.com"),
        ("https://hooks.example.com:443/", "hooks.example.com"),
        ("https://hooks.example.com:8443/", "hooks.example.com:8443"),
        ("https://[2606:4700::1111]:8443/", "[2606:4700::1111]:8443"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://127.0.0.1:443/", "127.0.0.1:443"),
    ],
)
def test_the_host_is_told_as_it_is_written_without_the_usual_port(url: str, authority: str) -> None:
    assert target_of(url, any_address=True).authority == authority


def test_on_ones_own_machine_http_and_every_port_will_do() -> None:
    assert target_of("http://localhost:81/x", any_address=True) == Target(False, "localhost", 81, "/x")
    with pytest.raises(DeliveryRejected):
        target_of("ftp://localhost/", any_address=True)
    with pytest.raises(DeliveryRejected):
        target_of("http://a:b@localhost/", any_address=True)
