"""A stand-in on free ports of this machine: in a test's own event loop, or as a process of its own."""

# pyright: basic

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from tests.support.servers import free_port
from tests.support.upstream.app import Application
from tests.support.upstream.instance import set_up_instance
from tests.support.upstream.site import Settings, Site
from tests.support.upstream.state import keep_state, load_state
from tests.support.upstream.storage import Storage
from tests.support.upstream.tables import shown_as_tables


@dataclass
class Upstream:
    """A running one: its rows, settings and worker are at hand."""

    site: Site
    url: str
    storage_url: str

    @property
    def settings(self) -> Settings:
        return self.site.settings


@asynccontextmanager
async def open_upstream(
    settings: Settings | None = None,
    port: int | None = None,
    storage_port: int | None = None,
    state: Path | None = None,
    database_url: str | None = None,
) -> AsyncIterator[Upstream]:
    """`state`: a file that keeps all of it over restarts and kills; `database_url`: a PostgreSQL database that
    shows it as tables."""
    site = Site(settings)
    if not (state and load_state(site, state)):
        set_up_instance(site)
    port, storage_port = port or free_port(), storage_port or free_port()
    storage_url = f"http://127.0.0.1:{storage_port}"
    site.settings.storage_url = site.settings.storage_url or storage_url
    async with AsyncExitStack() as stack:
        if state:
            keep_state(site, state)
        if database_url:
            await stack.enter_async_context(shown_as_tables(site, database_url))
        await stack.enter_async_context(serving(Application(site), port))
        await stack.enter_async_context(serving(Storage(site), storage_port))
        site.worker.start()
        stack.push_async_callback(site.worker.stop)
        yield Upstream(site, f"http://127.0.0.1:{port}", storage_url)


@asynccontextmanager
async def serving(application: Any, port: int) -> AsyncIterator[None]:
    """Any ASGI application, in this event loop."""
    config = uvicorn.Config(
        application, port=port, log_level="warning", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,method-assign]
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await running
