"""The HTTP server inside this process's event loop: uvicorn without logging, with the limits of `connection.py`."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from uvicorn import Config
from uvicorn import Server as UvicornServer

from airside.http.connection import Connection, Limits

MAX_BACKLOG = 1024  # connections waiting to be accepted
KEEP_ALIVE_SECONDS = 75  # more than the 60 for which nginx keeps a connection
TICKS_A_SECOND = 10  # of uvicorn's main loop


class Server(UvicornServer):
    """Stops when `should_exit` is set; the process handles signals itself."""

    def __init__(self, config: Config, limits: Limits) -> None:
        super().__init__(config)
        self._limits = limits

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            while self._limits.end_late(asyncio.get_running_loop().time()):  # noqa: ASYNC110 - others' turn
                await asyncio.sleep(0)
        return await super().on_tick(counter)


def new_server(app: Any, limits: Limits, drain_seconds: int) -> Server:
    """A server for `serve(sockets=[…])`. It logs nothing: Airside logs errors itself, and not clients' mistakes."""
    config = Config(
        app,
        http=partial(Connection, limits=limits),  # pyright: ignore[reportArgumentType]
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,  # audit.sources decides which proxies are trusted
        server_header=False,
        backlog=min(MAX_BACKLOG, limits.connections),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=drain_seconds,
    )
    return Server(config, limits)


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address that doesn't listen yet. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock
