"""GET /metrics in Prometheus format, only for clients that the operator allows."""

import hmac
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from airside.audit.sources import client_address
from airside.errors import PageNotFound, Unauthenticated
from airside.http.answer import Answer
from airside.http.request import Request
from airside.runtime.site import Site
from airside.settings import Settings

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


class Metrics:
    """Requires AIRSIDE_METRICS_TOKEN if it is set, else a client address in AIRSIDE_METRICS_NETWORKS."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        require_access(request, self._site.settings)
        from airside.metrics.exposition import CONTENT_TYPE, render_metrics

        rendered = await render_metrics(self._site)
        return Answer(200, rendered, CONTENT_TYPE, {"Cache-Control": "no-store"})


def require_access(request: Request, settings: Settings) -> None:
    """Raises Unauthenticated when a token is set, else PageNotFound, as if there were no such page."""
    if settings.metrics_token:
        scheme, _, token = (request.get_header("Authorization") or "").partition(" ")
        is_right = hmac.compare_digest(
            token.strip().encode("utf-8", "replace"), settings.metrics_token.encode()
        )
        if scheme.lower() != "bearer" or not is_right:
            raise Unauthenticated
        return
    if not is_from_allowed_network(request, settings):
        raise PageNotFound


def is_from_allowed_network(request: Request, settings: Settings) -> bool:
    """Whether the client's address is in one of the networks. Behind a proxy every request has the proxy's address,
    so a forwarded request is refused unless its proxy is one of AIRSIDE_TRUSTED_PROXIES."""
    address, peer = client_address(request, settings), request.remote_addr or ""
    if address == peer and any(request.get_header(name) for name in FORWARDED):
        return False
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in _networks(tuple(settings.metrics_networks)))


@lru_cache(4)
def _networks(texts: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(text, strict=False) for text in texts]
