"""Where a request comes from, as far as it can be believed: for limits and for what is shown of a session."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def source_address(remote: str, forwarded_for: str | None, trusted_proxies: Sequence[str]) -> str:
    """The peer's address, or what trusted proxies say of theirs: the last of X-Forwarded-For that isn't one."""
    if not forwarded_for or not trusted_proxies:
        return remote
    address = remote
    for hop in reversed([remote_hop.strip() for remote_hop in forwarded_for.split(",")]):
        if not _is_trusted(address, trusted_proxies) or _parse(hop) is None:
            return address
        address = hop
    return address


def _is_trusted(address: str, trusted_proxies: Sequence[str]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in ip_network(proxy, strict=False) for proxy in trusted_proxies)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
