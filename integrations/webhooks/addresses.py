"""Where a webhook may go: public https addresses only, whatever their spelling.

Asked when an endpoint is saved and again for every connection, which then goes to the very address
that was checked: a name that pointed elsewhere when it was saved gains nothing (DNS rebinding).
Our own table decides, because Python's `is_global` changes from version to version.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

from sightsync.lib.errors import AppError

MAX_LENGTH = 500
PORTS = (443, 8443)
Address = IPv4Address | IPv6Address

_DENIED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata server among them
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host agent behind a public number
        "169.254.0.0/16",  # link-local, the metadata servers of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Of IPv6 only what IANA hands out as global unicast is let through, so that mapped and compatible
# IPv4, NAT64, ULA, link- and site-local and multicast need no line; these lie within it.
_GLOBAL_6 = IPv6Network("2000::/3")
_DENIED_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address
        "3fff::/20",  # documentation
    )
)
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

_PRINTABLE = re.compile(r"[!-~]+")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")


class Refused(AppError):
    """The address is one that we send nothing to. `code` says why."""


class NotFound(Exception):
    """The name stands for no address, or nobody can say now."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL whose spelling is allowed. Whether its addresses are is for `allowed`."""

    scheme: str
    host: str
    port: int


def read(url: str, *, loopback: bool) -> Target:
    """Take the URL apart. `loopback`: http and any port on this machine too (the sandbox's
    receivers). Raises Refused.
    """
    parts = _parts(url)
    host, port = _host(parts.hostname or ""), parts.port
    here = loopback and _is_here(host)
    if parts.scheme != "https" and not (here and parts.scheme == "http"):
        raise Refused("url_not_https", "The address must start with https://.")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port not in PORTS and not here:
        raise Refused("url_port", "Use port 443 or 8443.")
    return Target(parts.scheme, host, port)


def _parts(url: str) -> SplitResult:
    """Raises Refused for what is no address, and for parts that an address must not have."""
    if not url or len(url) > MAX_LENGTH:
        raise Refused("bad_url", f"Give an https address of up to {MAX_LENGTH} characters.")
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise Refused("bad_url", "The address holds blanks, or characters that no address has.")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Refused("bad_url", "This is not an address.") from error
    if "@" in parts.netloc:
        raise Refused("url_has_user", "The address must not hold a user name or password.")
    if "#" in url:
        raise Refused("bad_url", "The address must not have a part after #.")
    return parts


def _host(host: str) -> str:
    """A name in lower case or an address in its usual spelling. Raises Refused."""
    if ":" in host:
        try:
            return str(IPv6Address(host)) if "%" not in host else _no_host()
        except ValueError:
            return _no_host()
    host = host.lower()
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # What browsers read as an IPv4 number: 127.1, 0x7f.0.0.1, 2130706433, 0177.0.0.1.
        try:
            return str(IPv4Address(host))
        except ValueError:
            return _no_host()
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return _no_host()
    return host


def _no_host() -> str:
    raise Refused("url_host", "The address must name a host in plain letters, or a plain number.")


def _is_here(host: str) -> bool:
    try:
        return is_loopback(ipaddress.ip_address(host))
    except ValueError:
        return host == "localhost"


def is_loopback(address: Address) -> bool:
    return any(address in network for network in _LOOPBACK if network.version == address.version)


def is_public(address: Address) -> bool:
    """Whether anything may be sent there: our table, not the standard library's."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_4)
    if address.scope_id is not None or address not in _GLOBAL_6:
        return False
    return not any(address in network for network in _DENIED_6)


def _system(host: str, port: int) -> list[str]:
    """Every A and AAAA record, as the machine sees them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in found]


resolver: Callable[[str, int], list[str]] = _system
"""Asked for the addresses of a name; a test puts its own here."""


def allowed(target: Target, *, loopback: bool) -> list[Address]:
    """The addresses to connect to, in the order given. One that is not public refuses them all.

    May wait for the name server as long as the machine is set to. Raises Refused and NotFound.
    """
    _check_name(target.host, loopback)
    try:
        texts = [str(ipaddress.ip_address(target.host))]
    except ValueError:
        try:
            texts = resolver(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise NotFound(target.host) from error
    addresses = list(dict.fromkeys(ipaddress.ip_address(text) for text in texts))
    if not addresses:
        raise NotFound(target.host)
    here = loopback and _is_here(target.host)
    for address in addresses:
        if not (is_public(address) or (here and is_loopback(address))):
            raise Refused("url_not_public", "The address is not on the public internet.")
        if target.scheme == "http" and not is_loopback(address):
            raise Refused("url_not_https", "The address must start with https://.")
    return addresses


def _check_name(host: str, loopback: bool) -> None:
    """Names that only ever stand for something inside. Raises Refused."""
    if loopback and _is_here(host):
        return
    inside = any(host == name or host.endswith(f".{name}") for name in _INSIDE)
    if inside or ("." not in host and ":" not in host):
        raise Refused("url_not_public", "The address is not on the public internet.")
