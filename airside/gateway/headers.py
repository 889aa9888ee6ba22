"""Which headers cross the gateway, in either direction (RFC 9110 §7.6.1)."""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
# Authority that a client can't have, and what the gateway says itself.
NOT_FROM_CLIENTS = frozenset(
    (b"authorization", b"cookie", b"expect", b"forwarded", b"host", b"via", b"x-real-ip", b"x-original-url")
)


def _named_by_connection(headers: Iterable[Header]) -> set[bytes]:
    """A client can't have the key removed by naming it there."""
    values = b",".join(value for name, value in headers if name == b"connection")
    return {name.strip().lower() for name in values.split(b",")} - {b"x-api-key", b"content-length", b""}


def for_upstream(headers: list[Header], host: str, scheme: str, address: str) -> list[tuple[str, str]]:
    """The client's end-to-end headers, and where the request came from. An underscore in a name is a hyphen to
    many applications, so such a header is dropped."""
    dropped = HOP_BY_HOP | NOT_FROM_CLIENTS | _named_by_connection(headers)
    kept = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name not in dropped and not name.startswith(b"x-forwarded") and b"_" not in name
    ]
    return [*kept, ("host", host), ("x-forwarded-proto", scheme), ("x-forwarded-for", address)]


def for_client(headers: Iterable[Header]) -> list[Header]:
    lowered = [(name.lower(), value) for name, value in headers]
    dropped = HOP_BY_HOP | _named_by_connection(lowered)
    return [(name, value) for name, value in lowered if name not in dropped]
