"""Chooses the queue's engine by AIRSIDE_QUEUE_URL."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from airside.runtime.site import Site
from airside.webhooks.queue import DeliveryQueue
from airside.webhooks.queue.database import DatabaseQueue


@asynccontextmanager
async def open_queue(site: Site) -> AsyncGenerator[DeliveryQueue]:
    """The engine, for as long as the worker runs."""
    if not site.settings.queue_url:
        yield DatabaseQueue(site)
        return
    from airside.webhooks.queue.jetstream import JetStreamQueue  # nats-py is an extra

    async with JetStreamQueue(site) as queue:
        yield queue
