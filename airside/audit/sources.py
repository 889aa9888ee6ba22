"""The source address and actor of the current request or command: for rate limits, sessions, and the audit log.

The edge sets them once per request or command in context variables; `current_source()` and `current_actor()` read
them, so that no function in between has to pass them on. Each request is one task with its own context.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, Protocol

from airside.db.text_rules import drop_unstorable
from airside.settings import Settings

ADDRESS_LENGTH, USER_AGENT_LENGTH = 64, 300  # characters, longer values are truncated
GUESSER_PREFIX = 64  # bits: one IPv6 subscriber gets such a network, so it counts as one source


class Source(NamedTuple):
    """`address` is empty for a command line and for background work."""

    address: str = ""
    user_agent: str = ""


PERSON, APP, OPERATOR, UNKNOWN = "person", "app", "operator", "unknown"


class Actor(NamedTuple):
    """The kind of actor, and the app: a bot's own app, or the app that acts on behalf of a person."""

    kind: str = PERSON
    app_id: str | None = None


class Request(Protocol):
    """The part of an HTTP request that is used here."""

    @property
    def remote_addr(self) -> str: ...

    def get_header(self, name: str, /) -> str | None: ...


class _Pending(NamedTuple):
    """A request whose source isn't computed yet: most requests never need it."""

    request: Request
    settings: Settings


_current: ContextVar[Source | _Pending] = ContextVar("source", default=Source())  # noqa: B039 - immutable


_actor: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 - immutable


def enter_request(request: Request, settings: Settings) -> None:
    """Set the source of this task to the request, and its actor to a person until the credential is resolved."""
    _current.set(_Pending(request, settings))
    _actor.set(Actor())


def enter_actor(*, is_bot: bool, app_id: str | None) -> None:
    """Set the actor of this task, from the request's credential."""
    _actor.set(Actor(APP if is_bot else PERSON, app_id))


def current_actor() -> Actor:
    """The actor of this task."""
    return _actor.get()


def enter_command(name: str) -> None:
    """Set the source of this task to a command of the command line."""
    _current.set(Source("", f"airside {name}"[:USER_AGENT_LENGTH]))


def current_source() -> Source:
    """The source of this task."""
    found = _current.get()
    if isinstance(found, Source):
        return found
    source = Source(
        drop_unstorable(client_address(found.request, found.settings), ADDRESS_LENGTH),
        drop_unstorable(found.request.get_header("User-Agent") or "", USER_AGENT_LENGTH),
    )
    _current.set(source)
    return source


def client_address(request: Request, settings: Settings) -> str:
    """The client's address. Everything in Airside determines it with this function."""
    return source_address(
        request.remote_addr or "", request.get_header("X-Forwarded-For"), settings.trusted_proxies
    )


@lru_cache(4096)
def guesser(address: str) -> str:
    """The key under which failures are counted: the IPv4 address, or the /64 network of an IPv6 address."""
    parsed = _parse(address)
    if parsed is None or parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, GUESSER_PREFIX), strict=False))


def source_address(remote: str, forwarded_for: str | None, trusted_proxies: Sequence[str]) -> str:
    """The peer's address; behind trusted proxies the last address in X-Forwarded-For that isn't a trusted proxy."""
    if not forwarded_for or not trusted_proxies:
        return remote
    networks = _networks(tuple(trusted_proxies))
    address = remote
    for hop in reversed([remote_hop.strip() for remote_hop in forwarded_for.split(",")]):
        if not _is_within(address, networks) or _parse(hop) is None:
            return address
        address = hop
    return address


def is_trusted(peer: str, trusted_proxies: Sequence[str]) -> bool:
    """Whether X-Forwarded-For from this peer is trusted."""
    return bool(trusted_proxies) and _is_within(peer, _networks(tuple(trusted_proxies)))


def _is_within(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)


@lru_cache(16)
def _networks(trusted_proxies: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(proxy, strict=False) for proxy in trusted_proxies]


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
