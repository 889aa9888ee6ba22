"""`airside serve`: the HTTP server and the worker in one process and one event loop."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.unusable import Unusable

if TYPE_CHECKING:
    from airside.site import Site

BACKLOG = 1024  # connections that wait to be accepted, and requests that are worked on at once
DRAIN_SECONDS = 2.0  # how long requests and deliveries under way may take to end


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 8000,
) -> None:
    """Serve Airside; the first start makes the database, a workspace and its admin."""
    run_loop(_serve(host, port))


async def _serve(host: str, port: int) -> None:
    from airside.app import create_app
    from airside.cli.first_start import make_sandbox
    from airside.cli.instance import bring_tables, open_instance, read_settings
    from airside.cli.process import stop_on_signals, write_logs

    check_free(host, port)
    write_logs()
    settings = read_settings()
    if "base_url" not in settings.model_fields_set:
        settings.base_url = default_base_url(host, port)
    site = await open_instance(settings)
    try:
        await bring_tables(site)
        welcome = await make_sandbox(site)
        stop = stop_on_signals()
        await _run(site, create_app(site), host, port, stop, welcome)
    finally:
        await site.close()


async def _run(
    site: "Site", app: Any, host: str, port: int, stop: asyncio.Event, welcome: str | None
) -> None:
    from airside.cli.process import spare_collector
    from airside.metrics.keep import keep_counts

    server = new_server(app, host, port)
    tasks = [asyncio.create_task(server.serve(), name="server")]
    if site.settings.worker:
        from airside.purges import PURGES
        from airside.worker.loop import Worker

        tasks.append(asyncio.create_task(Worker(site, purges=PURGES).run(stop), name="worker"))
    from airside.apps.usage import flush_usage, keep_usage

    tasks.append(asyncio.create_task(keep_usage(site, stop), name="usage"))
    tasks.append(asyncio.create_task(keep_counts(site, stop), name="counts"))
    stopping = asyncio.create_task(stop.wait())
    await _wait_listening(server, tasks[0])
    typer.echo(welcome or f"Airside is at {site.settings.origin}")
    spare_collector()
    await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    site.live.close()
    site.wakeups.stop()
    server.stop()
    _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
    for task in late:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    await flush_usage(site)


async def _wait_listening(server: Any, task: "asyncio.Task[None]") -> None:
    while not server.wrks and not task.done():  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.005)


def new_server(app: Any, host: str, port: int) -> Any:
    """Granian inside this event loop, quiet, and without its lifespan protocol: nothing here needs it."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        backlog=BACKLOG,
        log_enabled=False,
    )


def check_free(host: str, port: int) -> None:
    """Raises Unusable when somebody listens there: the server itself would share the port without a word."""
    import socket

    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        reason = str(error.strerror or error).split(" (while")[0]
        raise Unusable(f"can't listen at {host}:{port}: {reason}") from None


def default_base_url(host: str, port: int) -> str:
    """Where a browser on this machine reaches what listens there."""
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
