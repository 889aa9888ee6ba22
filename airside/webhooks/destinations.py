"""The outbound guard against SSRF: which addresses Airside may connect to.

An address is checked when its socket is created, so the checked address is the connected one, whatever the name
resolved to before (DNS rebinding). Checking a URL when it is saved only gives its author an early error. All
refusals have the same message, since different ones would map the operator's network.
"""

import asyncio
import errno
import re
import socket
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from yarl import URL

from airside.errors import Refused
from airside.settings import Settings
from airside.webhooks.names import Resolve, resolve_host

REFUSAL = "Webhooks can't be sent to this address. Use a public http or https URL."
MAX_URL_LENGTH = 2000
RESOLVE_SECONDS = 5.0

_REFUSED = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: embeds an IPv4 address
        "3fff::/20",  # documentation
    )
)
# All other IPv6 is refused: loopback, v4-mapped, NAT64, unique local, link-local, multicast …
_GLOBAL_IPV6 = IPv6Network("2000::/3")
# Metadata services of clouds, which hand out credentials. Only an entry that is the address itself allows one; a
# CIDR never does.
_METADATA = frozenset(
    map(
        ip_address,
        (
            *(
                "169.254.169.254",
                "169.254.170.2",
                "169.254.170.23",
                "fd00:ec2::254",
                "fd00:ec2::23",
            ),  # AWS and most
            *(
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
                "fd20:ce::254",
            ),  # Alibaba, Azure, Oracle, Google
        ),
    )
)
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}")

Address = IPv4Address | IPv6Address
AddrInfo = tuple[Any, Any, int, str, tuple[Any, ...]]


class Allowlist(NamedTuple):
    """The hosts and networks that AIRSIDE_WEBHOOK_ALLOWED_HOSTS allows."""

    hosts: frozenset[str]
    networks: tuple[Any, ...]

    def names(self, host: str) -> bool:
        return host in self.hosts

    def permits(self, address: str, *, is_named: bool = False) -> bool:
        """Whether a connection to the address may be made; `is_named` when its host is on the list."""
        if "%" in address:  # a zone (RFC 4007) is meaningful on this machine only
            return False
        ip = ip_address(address)
        if _embedded_ipv4(ip) in _METADATA or ip in _METADATA:
            return any(network.num_addresses == 1 and ip in network for network in self.networks)
        return is_named or is_public(ip) or any(ip in network for network in self.networks)


def read_allowlist(settings: Settings) -> Allowlist:
    return _read_entries(tuple(settings.webhook_allowed_hosts))


@cache
def _read_entries(entries: tuple[str, ...]) -> Allowlist:
    hosts: set[str] = set()
    networks: list[Any] = []
    for entry in entries:
        try:
            networks.append(ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            hosts.add(entry.lower().rstrip("."))
    return Allowlist(frozenset(hosts), tuple(networks))


def is_public(ip: Address) -> bool:
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_IPV6:
        return False
    return not any(ip in network for network in _REFUSED)


def _embedded_ipv4(ip: Address) -> Address | None:
    """The IPv4 address inside a v4-mapped or NAT64 address."""
    if isinstance(ip, IPv6Address) and int(ip) >> 32 in (0xFFFF, 0x64FF9B << 64):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


@lru_cache(maxsize=1024)
def read_destination(url: str) -> URL:
    """The URL with its host in canonical form: `http://0x7f.1/` is `http://127.0.0.1/`. Raises Refused.

    A user name or password is refused, since every log of an attempt would contain it."""
    if len(url) > MAX_URL_LENGTH or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise Refused(REFUSAL)
    try:
        parsed = URL(url)
        host = _canonical_host(parsed.raw_host or "")
        if parsed.scheme in ("http", "https") and host and parsed.raw_user is None and parsed.port:
            return parsed.with_host(host).with_fragment(None)
    except (ValueError, OSError):  # OSError: an address whose numbers are too large
        pass
    raise Refused(REFUSAL)


def _canonical_host(host: str) -> str:
    host = host.lower().removesuffix(".")
    if "%" in host:  # a zone id, or percent-encoding that resolvers read differently
        return ""
    try:
        return str(ip_address(host))
    except ValueError:
        # Resolvers read decimal, octal, hexadecimal and short forms as an address.
        return socket.inet_ntoa(socket.inet_aton(host)) if _NUMERIC.fullmatch(host) else host


async def check_destination(settings: Settings, url: str, *, resolve: Resolve = resolve_host) -> None:
    """Raises Refused unless webhooks may be sent there now. Queries the DNS, so never inside a transaction.

    Call it wherever a URL is saved that Airside will call. A host on the allowlist isn't resolved."""
    host = read_destination(url).raw_host or ""
    allowlist = read_allowlist(settings)
    if allowlist.names(host):
        return
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            addresses = await resolve(host)
    except (OSError, UnicodeError, TimeoutError):
        addresses = []
    if not _permits_any(allowlist, addresses):
        raise Refused(REFUSAL)


def _permits_any(allowlist: Allowlist, addresses: Iterable[str]) -> bool:
    """One permitted address is enough: the guard refuses connections to the others."""
    return any(allowlist.permits(address) for address in addresses)


class DestinationRefused(OSError):
    """The guard refused to create a socket for this address. Only the operator's log says so."""


def guard_sockets(allowlist: Allowlist, *, is_named: bool) -> Callable[[AddrInfo], socket.socket]:
    """A socket factory that raises DestinationRefused for addresses that the guard forbids."""

    def make_socket(info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allowlist.permits(str(address[0]), is_named=is_named):
            raise DestinationRefused(errno.EACCES, f"refused by the outbound guard: {address[0]}")
        return socket.socket(family, kind, protocol)

    return make_socket
