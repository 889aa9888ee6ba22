"""Adds each process's counters to the database, so that any process can export the totals.

Scraping every process instead would miss the workers, which serve no HTTP, and lose what a process counted between
the last scrape and its end.
"""

import asyncio

import sqlalchemy as sa
import structlog

from airside.db.away import DatabaseAway
from airside.db.statements import Statement
from airside.metrics.tables import metric_counts
from airside.runtime.site import Site

EVERY_SECONDS = 10.0

_log = structlog.get_logger("airside.metrics")


async def keep_counts(site: Site, stop: asyncio.Event) -> None:
    """Write the counts every few seconds, and a last time when `stop` is set."""
    while not stop.is_set():
        try:
            async with asyncio.timeout(EVERY_SECONDS):
                await stop.wait()
        except TimeoutError:
            pass
        try:
            await write_counts(site)
        except DatabaseAway:  # logged where it was raised
            continue
        except Exception:  # noqa: BLE001 - one error must not stop the loop
            _log.warning("metrics_not_kept", exc_info=True)


async def write_counts(site: Site) -> None:
    """Add this process's counts since the last write to the database, if there are any."""
    taken = site.counters.take()
    if not taken:
        return
    try:
        async with site.db.transaction() as tx:
            for name, label in sorted(taken):  # in one order, or two processes could deadlock
                await tx.execute(_ADD, name=name, label=label, value=taken[name, label])
    except BaseException:
        site.counters.give_back(taken)
        raise


def _add() -> Statement:
    # The upsert is the same SQL in both dialects, but Core has it only per dialect, so it is written as text.
    text = sa.text(
        "INSERT INTO metric_counts (name, label, value) VALUES (:name, :label, :value) "
        "ON CONFLICT (name, label) DO UPDATE SET value = metric_counts.value + excluded.value"
    )
    columns = metric_counts.c
    return Statement(
        text.bindparams(
            sa.bindparam("name", type_=columns.name.type),
            sa.bindparam("label", type_=columns.label.type),
            sa.bindparam("value", type_=columns.value.type),
        )
    )


_ADD = _add()
