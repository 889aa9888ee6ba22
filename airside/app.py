"""Builds the ASGI application: reads top to bottom as the list of what is mounted."""

import asyncio
from collections.abc import Callable
from typing import Any

from airside.agents.reactions import watch_work
from airside.api.served import APIS, Api
from airside.assets.endpoints import asset_endpoints
from airside.audit.sources import enter_request
from airside.gateway.app_accounts import register_app_accounts
from airside.gateway.check.reach import check_endpoints
from airside.gateway.forward import Forwarder
from airside.host.chosen import host_of
from airside.http.answer import Answer, encode_json
from airside.http.dispatch import Dispatch
from airside.http.edge import Edge
from airside.http.endpoint import Endpoint, Methods, Nowhere, ShowError
from airside.http.health import health_endpoints
from airside.http.request import Request
from airside.identity.proxies import UntrustedProxies
from airside.metrics.endpoint import Metrics
from airside.oauth.callers import CallerCache
from airside.oauth.metadata import resource_metadata_url
from airside.oauth.routes import oauth_endpoints, oauth_prefixes
from airside.oauth.token_revoker import register_token_revoker
from airside.portal.application import create_pages
from airside.rest.endpoint import ApiNowhere, api_endpoints, api_errors
from airside.rest.etag import make_etag, names_etag
from airside.rest.guard import Guard
from airside.rest.wires.v1.wire import V1
from airside.runtime.site import Site

OPENAPI_MAX_AGE = 300  # seconds


def create_app(site: Site, router: Any = None) -> Edge:
    """The application with all its routes. `router`: replaces that of the pages' framework."""
    register_token_revoker(site)
    register_app_accounts(site)
    watch_work(site)
    forward = Forwarder(site.settings) if site.settings.upstream_url else None
    return Edge(create_dispatch(site), request_source(site), create_pages(site, router), forward)


def create_dispatch(site: Site) -> Dispatch:
    """Every endpoint that isn't a page."""
    callers = CallerCache(site)  # which all of them share
    guard = Guard(site, callers, host_of(site).access)
    errors = {
        api.wire: api_errors(api.wire, resource_metadata_url(site.settings, api.wire.prefix)) for api in APIS
    }
    show_error = errors[V1]
    return Dispatch(
        {
            **{
                path: one
                for api in APIS
                for path, one in serve_api(site, guard, api, errors[api.wire]).items()
            },
            **oauth_endpoints(site, callers, show_error),
            **plain_endpoints(site, show_error),
        },
        {
            "/api/": Nowhere(show_error),
            **{f"{wire.prefix}/": ApiNowhere(guard, shown) for wire, shown in errors.items()},
            **oauth_prefixes(site),
            "/auth/o/authorize": None,  # where a person is redirected to the consent pages
        },
    )


def serve_api(site: Site, guard: Guard, api: Api, show_error: ShowError) -> dict[str, Endpoint]:
    """Its operations and its description, which takes no credentials."""
    return {
        **api_endpoints(guard, api.wire, api.table, show_error),
        api.described_at: Methods({"GET": OpenApi(site, api).answer}, show_error),
    }


def plain_endpoints(site: Site, show_error: ShowError) -> dict[str, Endpoint]:
    """What takes no credentials of the API: health, metrics, files."""
    return {
        **health_endpoints(site),
        **(check_endpoints(site.settings, site.sealer) if site.settings.upstream_url else {}),
        "/metrics": Methods({"GET": Metrics(site).answer}, show_error),
        **asset_endpoints(site, show_error),
    }


def request_source(site: Site) -> Callable[[Request], None]:
    """Stores where a request comes from, for rate limits, sessions and the audit log."""
    untrusted = UntrustedProxies(site)

    def enter(request: Request) -> None:
        enter_request(request, site.settings)
        untrusted.notice(request)

    return enter


class OpenApi:
    """The OpenAPI document of an API, generated off the event loop at the first request."""

    def __init__(self, site: Site, api: Api) -> None:
        self._site = site
        self._api = api
        self._making = asyncio.Lock()
        self._document: bytes | None = None
        self._etag = ""

    async def answer(self, request: Request) -> Answer:
        document = self._document or await self._make()
        headers = {"ETag": self._etag, "Cache-Control": f"public, max-age={OPENAPI_MAX_AGE}"}
        if names_etag(request.get_header("If-None-Match"), self._etag):
            return Answer(304, headers=headers)
        return Answer(body=document, headers=headers)

    async def _make(self) -> bytes:
        async with self._making:
            if self._document is None:
                document = await asyncio.to_thread(self._encode)
                self._etag = await make_etag(document)
                self._document = document
            return self._document

    def _encode(self) -> bytes:
        return encode_json(self._api.describe(self._site.settings.origin))
