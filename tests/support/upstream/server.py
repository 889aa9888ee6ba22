"""A stand-in on free ports of this machine: in a test's own event loop, or as a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from tests.support.servers import free_port
from tests.support.upstream.app import Application
from tests.support.upstream.instance import set_up_instance
from tests.support.upstream.site import Settings, Site
from tests.support.upstream.storage import Storage


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
    settings: Settings | None = None, port: int | None = None, storage_port: int | None = None
) -> AsyncIterator[Upstream]:
    site = Site(settings)
    set_up_instance(site)
    port, storage_port = port or free_port(), storage_port or free_port()
    storage_url = f"http://127.0.0.1:{storage_port}"
    site.settings.storage_url = site.settings.storage_url or storage_url
    async with _serving(Application(site), port), _serving(Storage(site), storage_port):
        site.worker.start()
        try:
            yield Upstream(site, f"http://127.0.0.1:{port}", storage_url)
        finally:
            await site.worker.stop()


@asynccontextmanager
async def _serving(application: Any, port: int) -> AsyncIterator[None]:
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
