"""`airside serve`: the HTTP server and the worker in one process and one event loop."""

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.unusable import Unusable

if TYPE_CHECKING:
    import socket

    from airside.http.server import Server
    from airside.runtime.site import Site
    from airside.settings import Settings

DRAIN_SECONDS = 2  # for requests and deliveries in progress to finish


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    upstream: Annotated[
        str,
        typer.Option(help="Origin of a Plane Community Edition to forward requests with its own keys to."),
    ] = "",
) -> None:
    """Serve Airside; the first start creates the database, a workspace and its admin."""
    if upstream:
        os.environ["AIRSIDE_UPSTREAM_URL"] = upstream  # checked with all other settings
    run_loop(_serve(host, port))


async def _serve(host: str, port: int) -> None:
    from airside.app import create_app
    from airside.cli.first_start import make_sandbox
    from airside.cli.instance import await_instance, bring_tables, read_settings
    from airside.cli.open_folders import report_open_folders
    from airside.cli.process import stop_on_signals, write_logs

    sock = hold_address(host, port)
    write_logs()
    settings = read_settings(may_create=True)
    report_open_folders(settings)
    if "base_url" not in settings.model_fields_set:
        settings.base_url = default_base_url(host, port)
    site = await await_instance(settings)
    try:
        await bring_tables(site)
        welcome = await make_sandbox(site)
        stop = stop_on_signals()
        app = create_app(site)
        try:
            await _run(site, new_server(app, site.settings), sock, stop, welcome)
        finally:
            await app.close()
    finally:
        await site.close()


async def _run(
    site: "Site", server: "Server", sock: "socket.socket", stop: asyncio.Event, welcome: str | None
) -> None:
    from airside.cli.process import spare_collector
    from airside.metrics.keep import keep_counts

    tasks = [asyncio.create_task(server.serve(sockets=[sock]), name="server")]
    if site.settings.worker:
        from airside.worker.loop import Worker
        from airside.worker.retention import PURGES

        tasks.append(asyncio.create_task(Worker(site, purges=PURGES).run(stop), name="worker"))
    from airside.developer.usage import flush_usage, keep_usage

    tasks.append(asyncio.create_task(keep_usage(site, stop), name="usage"))
    tasks.append(asyncio.create_task(keep_counts(site, stop), name="counts"))
    stopping = asyncio.create_task(stop.wait())
    await _wait_listening(server, tasks[0])
    typer.echo(welcome or f"Airside is at {site.settings.page_address('/')}")
    spare_collector()
    await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    site.live.close()
    site.wakeups.stop()
    server.should_exit = True
    _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
    for task in late:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    await flush_usage(site)


async def _wait_listening(server: "Server", task: "asyncio.Task[None]") -> None:
    while not server.started and not task.done():  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.005)


def new_server(app: Any, settings: "Settings") -> "Server":
    """The server with its limits. Increases the file descriptor limit, from which the connection limit follows."""
    from airside.http.connection import Limits
    from airside.http.descriptors import connection_bound, raise_descriptor_limit
    from airside.http.server import new_server as new_http_server

    limits = Limits(
        connection_bound(raise_descriptor_limit(), settings.max_connections), settings.request_timeout_seconds
    )
    return new_http_server(app, limits, DRAIN_SECONDS)


def hold_address(host: str, port: int) -> "socket.socket":
    """Bind the address. Raises Unusable when it is in use."""
    from airside.http.server import bind

    try:
        return bind(host, port)
    except OSError as error:
        reason = str(error.strerror or error).split(" (while")[0]
        raise Unusable(f"can't listen at {host}:{port}: {reason}") from None


def default_base_url(host: str, port: int) -> str:
    """The URL at which a browser on this machine reaches the server."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reachable}:{port}"


def run_loop(work: Any) -> None:
    """Run on uvloop where it is installed."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        new_event_loop = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(work)
