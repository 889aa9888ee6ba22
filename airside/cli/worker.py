"""`airside worker`: deliveries and background jobs, without the HTTP server."""

import asyncio

import typer

from airside.cli.serve import run_loop


def run_worker() -> None:
    """Deliver webhooks and run background jobs, beside servers on the same database."""
    run_loop(_run())


async def _run() -> None:
    from airside.cli.instance import await_instance, read_settings, require_tables
    from airside.cli.open_folders import report_open_folders
    from airside.cli.process import spare_collector, stop_on_signals, write_logs
    from airside.metrics.keep import keep_counts
    from airside.worker.loop import Worker
    from airside.worker.retention import PURGES

    write_logs()
    settings = read_settings()
    report_open_folders(settings)
    site = await await_instance(settings)
    try:
        await require_tables(site)
        stop = stop_on_signals()
        spare_collector()
        typer.echo("The worker is running")
        await asyncio.gather(Worker(site, purges=PURGES).run(stop), keep_counts(site, stop))
    finally:
        await site.close()
