"""`airside worker`: deliveries and background jobs, without the HTTP server."""

import typer

from airside.cli.console import Unusable
from airside.cli.serve import new_worker, run_loop


def run_worker() -> None:
    """Deliver webhooks and run background jobs, beside servers on the same database."""
    run_loop(_run())


async def _run() -> None:
    from airside.cli.instance import open_instance, require_tables
    from airside.cli.process import stop_on_signals, write_logs

    write_logs()
    site = await open_instance()
    try:
        await require_tables(site)
        worker = new_worker(site)
        if worker is None:
            raise Unusable("this version has no worker")
        stop = stop_on_signals()
        typer.echo("The worker is running")
        await worker.run(stop)
    finally:
        await site.db.close()
