"""All of `airside serve` behind Granian's ASGI server instead of uvicorn, with the worker in its event loop."""

import asyncio
from typing import Any

from airside.app import create_app
from airside.cli.instance import await_instance, read_settings
from airside.cli.process import spare_collector
from airside.developer.usage import keep_usage
from airside.metrics.keep import keep_counts
from airside.runtime.site import Site
from airside.worker.loop import Worker
from airside.worker.retention import PURGES


class Application:
    """Opens the site at Granian's lifespan event."""

    def __init__(self) -> None:
        self._edge: Any = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._edge(scope, receive, send)
            return
        await receive()
        site = await await_instance(read_settings(may_create=False))
        self._edge = create_app(site)
        self._start(site, asyncio.Event())
        spare_collector()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        await site.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self, site: Site, stop: asyncio.Event) -> None:
        work = (Worker(site, purges=PURGES).run(stop), keep_usage(site, stop), keep_counts(site, stop))
        self._tasks = [asyncio.create_task(one) for one in work]


app = Application()
