"""A site's API and files over real HTTP, with an API key, as another Plane that an import reads from."""

# pyright: basic

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from airside.api.v1 import TABLE
from airside.assets.endpoints import asset_endpoints
from airside.rest.call import Caller
from airside.runtime.site import Site
from tests.support.api import serve_api, show_v1
from tests.support.servers import free_port
from tests.support.upstream.server import serving


@asynccontextmanager
async def serve_source(site: Site, user_id: str) -> AsyncIterator[tuple[str, str]]:
    """Its URL, and an API key of the user."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    here = replace(site, settings=site.settings.model_copy(update={"base_url": url}))
    api = serve_api(here, *TABLE, others=asset_endpoints(here, show_v1))
    key = api._callers.issue(Caller(user_id=user_id, kind="api_key", budget=f"source-{user_id}"))

    async def with_key(scope: Any, receive: Any, send: Any) -> None:
        """The test's callers have bearer tokens."""
        given = [
            (b"authorization", b"Bearer " + value) for name, value in scope["headers"] if name == b"x-api-key"
        ]
        await api.app({**scope, "headers": [*scope["headers"], *given]}, receive, send)

    async with serving(with_key, port):
        yield url, key
