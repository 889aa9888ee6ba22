"""GET /metrics in Prometheus format, only for clients that the operator allows."""

import hmac
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from falcon.asgi import Request, Response

from airside.audit.sources import client_address
from airside.errors import PageNotFound, Unauthenticated
from airside.runtime.counters import Counters
from airside.runtime.site import Site
from airside.settings import Settings

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


class ApiCounter:
    """Counts responses of /api/v1 by status class."""

    def __init__(self, counts: Counters) -> None:
        self._counts = counts

    async def process_response(
        self, req: Request, resp: Response, resource: object, req_succeeded: bool
    ) -> None:
        if req.path.startswith("/api/v1/"):
            self._counts.add("airside_api_requests", f"{resp.status_code // 100}xx")


class Metrics:
    """Requires AIRSIDE_METRICS_TOKEN if it is set, else a client address in AIRSIDE_METRICS_NETWORKS."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def on_get(self, req: Request, resp: Response) -> None:
        require_access(req, self._site.settings)
        from airside.metrics.exposition import CONTENT_TYPE, render_metrics

        resp.content_type = CONTENT_TYPE
        resp.set_header("Cache-Control", "no-store")
        resp.data = await render_metrics(self._site)


def require_access(req: Request, settings: Settings) -> None:
    """Raises Unauthenticated when a token is set, else PageNotFound, as if there were no such page."""
    if settings.metrics_token:
        scheme, _, token = (req.get_header("Authorization") or "").partition(" ")
        is_right = hmac.compare_digest(
            token.strip().encode("utf-8", "replace"), settings.metrics_token.encode()
        )
        if scheme.lower() != "bearer" or not is_right:
            raise Unauthenticated
        return
    if not is_from_allowed_network(req, settings):
        raise PageNotFound


def is_from_allowed_network(req: Request, settings: Settings) -> bool:
    """Whether the client's address is in one of the networks. Behind a proxy every request has the proxy's address,
    so a forwarded request is refused unless its proxy is one of AIRSIDE_TRUSTED_PROXIES."""
    address, peer = client_address(req, settings), req.remote_addr or ""
    if address == peer and any(req.get_header(name) for name in FORWARDED):
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
