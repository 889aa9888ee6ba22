"""Builds the ASGI application: reads top to bottom as the list of what is mounted."""

import asyncio
import hashlib
from functools import partial
from typing import Any

import falcon
import falcon.asgi
import msgspec
from falcon.asgi import Request, Response

from airside.agents.reactions import watch_work
from airside.api.v1 import TABLE, describe_v1
from airside.assets.endpoints import asset_routes
from airside.db.away import DatabaseAway
from airside.errors import AirsideError
from airside.host.chosen import host_of
from airside.http.envelope import Addresses, Envelope, Errors, RequestSource
from airside.http.health import Health, Readiness
from airside.metrics.endpoint import ApiCounter, Metrics
from airside.oauth.callers import CallerCache
from airside.oauth.cors import OpenToBrowsers
from airside.oauth.metadata import resource_metadata_url
from airside.oauth.routes import oauth_routes
from airside.oauth.token_revoker import register_token_revoker
from airside.portal.errors import show_error
from airside.portal.rendering import Rendering
from airside.portal.routes import authorization_routes, portal_routes
from airside.portal.sent_once import SentOnce
from airside.rest.endpoint import mount
from airside.rest.guard import Guard
from airside.runtime.site import Site

App = falcon.asgi.App[Any, Any]
OPENAPI_MAX_AGE = 300  # seconds


def create_app(site: Site, router: Any = None) -> App:
    """The application with all its routes. `router`: replaces Falcon's own."""
    app: App = falcon.asgi.App(
        middleware=[
            Envelope(),
            OpenToBrowsers(),
            Addresses(),
            RequestSource(site),
            ApiCounter(site.counters),
            SentOnce(site),
            Rendering(),
        ],
        router=router,
    )
    app.req_options.strip_url_path_trailing_slash = True

    app.add_route("/healthz", Health())
    app.add_route("/readyz", Readiness(site))
    app.add_route("/metrics", Metrics(site))
    callers = mount_oauth(app, site)
    mount_api(app, site, callers)
    mount_assets(app, site)
    mount_portal(app, site)
    register_token_revoker(site)
    watch_work(site)

    errors = Errors(partial(show_error, site), resource_metadata_url(site.settings))
    app.add_error_handler(Exception, errors.answer_unexpected)
    app.add_error_handler(OSError, errors.answer_os_error)
    app.add_error_handler(DatabaseAway, errors.answer_away)
    app.add_error_handler(falcon.HTTPError, errors.answer_http)
    app.add_error_handler(AirsideError, errors.answer)
    return app


def mount_oauth(app: App, site: Site) -> CallerCache:
    """Airside as authorization server; returns the cache of authenticated callers that all others share."""
    callers = CallerCache(site)
    for path, resource in oauth_routes(site, callers):
        app.add_route(path, resource)
    return callers


def mount_api(app: App, site: Site, callers: CallerCache) -> None:
    """THE TABLE below /api/v1, and its description."""
    mount(app, Guard(site, callers, host_of(site).access), TABLE)
    app.add_route("/api/openapi.json", OpenApi(site))


def mount_assets(app: App, site: Site) -> None:
    """Uploads and downloads of files."""
    for path, resource in asset_routes(site):
        app.add_route(path, resource)


def mount_portal(app: App, site: Site) -> None:
    """The pages for people, below AIRSIDE_PAGES_PREFIX, and the endpoint that redirects to them."""
    for path, resource in authorization_routes(site):
        app.add_route(path, resource)
    for path, resource in portal_routes(site):
        app.add_route(site.settings.page_url(path).rstrip("/") or "/", resource)


class OpenApi:
    """The OpenAPI document of /api/v1, generated off the event loop at the first request."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._making = asyncio.Lock()
        self._document: bytes | None = None
        self._etag = ""

    async def on_get(self, req: Request, resp: Response) -> None:
        document = self._document or await self._make()
        resp.etag = self._etag
        resp.set_header("Cache-Control", f"public, max-age={OPENAPI_MAX_AGE}")
        if {self._etag, "*"} & set(req.if_none_match or ()):
            resp.status = falcon.HTTP_304
            return
        resp.data = document

    async def _make(self) -> bytes:
        async with self._making:
            if self._document is None:
                document = await asyncio.to_thread(self._encode)
                self._etag = hashlib.sha256(document).hexdigest()[:32]
                self._document = document
            return self._document

    def _encode(self) -> bytes:
        return msgspec.json.encode(describe_v1(self._site.settings.origin))
